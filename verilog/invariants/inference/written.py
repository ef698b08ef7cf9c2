"""That an inference core reads no activation and no logit before it was written: of any one row.

at_bank is any row of the banks, at_logits any row of logits; was_<memory> tells whether the row was
written for its layer: a layer's inputs are forgotten with its last step, logits when the last
layer begins. Pixels of images that a batch does not have are read and come to nothing: the claims
leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass

from verilog.invariants.claims import Claim
from verilog.invariants.inference.terms import CoreTerms
from verilog.invariants.lemmas import Lemma
from verilog.invariants.terms import between, less, wide

__all__ = ["read_claims", "written_lemmas"]


def read_claims(t: CoreTerms) -> list[Claim]:
    """Return the claims about activations, of each bank, and about logits."""
    return [*(Bank(t, k).claim() for k in range(t.s.images)), Logits(t).claim()]


def written_lemmas(t: CoreTerms) -> list[Lemma]:
    """Return what is written when, each after what it needs."""
    banks = [Bank(t, k) for k in range(t.s.images)]
    return [*(x for bank in banks for x in (*bank.pixels(), *bank.numbers())),
            *Logits(t).lemmas()]


@dataclass(frozen=True)
class Bank:
    """One of the banks, and its row at_bank."""

    t: CoreTerms
    k: int

    @property
    def was(self) -> str:
        return f"was_bank_{self.k}"

    @property
    def comes(self) -> str:
        """Whether the row is written at this clock."""
        return f"(bank_{self.k}_write & bank_place == at_bank)"

    @property
    def of_pixels(self) -> str:
        """Whether the row holds pixels."""
        return f"({wide('at_bank')} < {2 * self.t.half})"

    @property
    def image(self) -> str:
        """Which image of a batch the pixels of the row are of."""
        s, half = self.t.s, self.t.half
        place = f"({wide('at_bank')} - ({self.second} ? {half} : 0))"
        return f"({place} % {s.image_slots} * {s.images} + {self.k})"

    @property
    def second(self) -> str:
        """Whether the row is in the second buffer of pixels."""
        return self.t.in_second("at_bank")

    def of_layer(self, number: int) -> str:
        """Return whether the row holds inputs of a hidden layer."""
        s = self.t.s
        return between("at_bank", str(s.regions[number]),
                       str(s.layers[number][0] * s.image_slots))

    def claim(self) -> Claim:
        """Return the claim that no row is read that was not written."""
        t, k = self.t, self.k
        bits = t.core.memories["activations"][0].address_bits
        layer = t.reg("issue", "layer")
        ended = [f"(released_1 & {self.of_pixels} & {self.second} == buffer_1)", *(
            f"(layer_1 == {n} & {layer} != {n} & {self.of_layer(n)})"
            for n in range(1, t.last + 1))]
        read = "run_1" if t.s.plain else "run_1 & ~outside_1"
        watch = (*t.reading, f"reg [{bits - 1}:0] at_bank;",
                 "always @(posedge i_clk) at_bank <= at_bank;", f"reg {self.was};",
                 f"always @(posedge i_clk) if (i_rst | {' | '.join(ended)}) {self.was} <= 1'd0; "
                 f"else if {self.comes} {self.was} <= 1'd1;")
        there = f"(layer_1 != 0 | {self.image} <= batch_count)"
        return Claim(f"written_bank_{k}", f"no row of bank_{k} is read that was not written for "
                     "this layer, of the images that there are",
                     f"{read} & read_address == at_bank & {there} & ~{self.was}", read, watch)

    def pixels(self) -> list[Lemma]:
        """Pixels are written up to the next one, of whole buffers all."""
        t, k, half = self.t, self.k, self.second
        names = ("buffer", "image", "pixel", "held", "held_place", "held_bank", "held_end",
                 "held_buffer")
        buffer, image, pixel, held, place, bank, end, of = (t.reg("load", n) for n in names)
        word = f"(({wide('at_bank')} - ({half} ? {t.half} : 0)) / {t.s.image_slots})"
        filled = f"({word} * {t.s.packed} + {t.s.packed - 1})"
        last = f"({filled} < {t.s.pixels} ? {filled} : {t.s.pixels - 1})"
        before = (f"({self.image} < {wide(image)} | ({self.image} == {wide(image)} & {last} < "
                  f"{wide(pixel)}))")
        waits = f"({held} & {place} == at_bank & {wide(bank)} == {k})"
        full = f"({t.of_half('full', half)} | ({held} & {end} & {of} == {half}))"
        there = f"{self.image} <= {wide(t.of_half('count', half))}"
        first = f"{t.reg('issue', 'layer')} == 0 & begun & {t.reg('issue', 'buffer')} == {half}"
        unless = f"~{self.of_pixels}"
        return [
            Lemma(f"filling_{k}", f"{unless} | {buffer} != {half} | {t.of_half('full', half)} | "
                  f"~{before} | {self.was} | {self.comes} | {waits}"),
            Lemma(f"full_{k}", f"{unless} | ~{full} | ~({there}) | {self.was} | {self.comes} | "
                  f"{waits}"),
            Lemma(f"pixels_{k}", f"{unless} | ~({first}) | {self.image} > {wide('batch_count')} | "
                  f"{self.was}"),
            Lemma(f"pixels_read_{k}", f"{unless} | ~(run_1 & layer_1 == 0 & buffer_1 == {half}) | "
                  f"{self.image} > {wide('batch_count')} | {self.was}")]

    def numbers(self) -> list[Lemma]:
        """Outputs of a layer are written, on their way, or not drained yet."""
        t, s, found = self.t, self.t.s, []
        issued, drained = t.reg("issue", "layer"), t.reg("drain", "layer")
        for n in range(t.last):
            place = less("at_bank", str(s.regions[n + 1]))
            filled = f"({place} / {s.image_slots} * {s.packed} + {s.packed - 1})"
            outputs = s.layers[n][1]
            number = f"({filled} < {outputs} ? {filled} : {outputs - 1})"
            slot = f"({place} % {s.image_slots})"
            comes = t.on_way(n, number, slot, str(self.k), 1)
            comes += f" | (hidden_now & place_now == at_bank & {wide('bank_now')} == {self.k})"
            later = f"({drained} == {n} & {t.turn(number, slot, str(self.k))} >= {t.drained})"
            own, reads = f"~{self.of_layer(n + 1)}", f"{issued} == {n + 1}"
            makes = (f"(({issued} == {n} & {drained} == {n}) | "
                     f"({reads} & ~begun & outstanding <= {s.tiles(n)}))")
            found += [
                Lemma(f"made_{n}_{self.k}", f"{own} | ~{makes} | {self.was} | {self.comes} | "
                      f"{comes} | {later}"),
                Lemma(f"known_{n}_{self.k}", f"{own} | ~({reads} & begun) | {self.was}"),
                Lemma(f"known_read_{n}_{self.k}", f"{own} | ~(run_1 & layer_1 == {n + 1}) | "
                      f"{self.was}")]
        return found


@dataclass(frozen=True)
class Logits:
    """The memory of logits, and its row at_logits."""

    t: CoreTerms

    def claim(self) -> Claim:
        """Return the claim that no logit is read that was not written for this batch."""
        bits = self.t.core.memories["logits"][0].address_bits
        watch = (f"reg [{bits - 1}:0] at_logits;",
                 "always @(posedge i_clk) at_logits <= at_logits;", "reg was_logits;",
                 "always @(posedge i_clk) if (i_rst | issue_scoring) was_logits <= 1'd0; else if "
                 "(score_now & score_place == at_logits) was_logits <= 1'd1;")
        return Claim("written_logits", "no logit is read that was not written for this batch",
                     "send_read & send_place == at_logits & ~was_logits", "send_read", watch,
                     ("sender",))

    def lemmas(self) -> list[Lemma]:
        """Logits are written, on their way, or not drained yet; all when they are sent."""
        t, s, last = self.t, self.t.s, self.t.last
        classes = s.layers[-1][1]
        at = wide("at_logits")
        number, image = f"({at} % {classes})", f"({at} / {classes})"
        slot, bank = f"({image} / {s.images})", f"({image} % {s.images})"
        now = "(score_now & score_place == at_logits)"
        own = f"~({at} < {s.batch * classes})"
        drained = t.reg("drain", "layer")

        def comes(stage: int) -> str:
            """Return whether the row is written or on its way from a stage on."""
            return f"was_logits | {now} | " + t.on_way(last, number, slot, bank, stage)

        later = f"({drained} == {last} & {t.turn(number, slot, bank)} >= {t.drained})"
        dones = t.dones
        return [Lemma("logits_open", f"{own} | ~open | {comes(1)} | {later}"),
                *(Lemma(f"logits_done_{j}", f"{own} | ~{dones[j - 1]} | {comes(j)}")
                  for j in range(1, t.late + 1)),
                Lemma("logits_now", f"{own} | ~{dones[t.late]} | was_logits | {now}"),
                *(Lemma(f"logits_all_{j}", f"{own} | ~{name} | was_logits")
                  for j, name in enumerate(dones[t.late + 1:])),
                Lemma("logits_sent", f"{own} | {t.reg('send', 'phase')} == 0 | was_logits")]
