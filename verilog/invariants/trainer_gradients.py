"""That a trainer reads no gradient before it was written: of any one row and lane.

Gradients lie in rows, a word for each lane, and by unit in a bank for each image of a group.
Words of lanes that a layer does not have, and of images that a batch does not have, are read too
and come to nothing: the claims leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass

from verilog.invariants.claims import Claim
from verilog.invariants.lemmas import Lemma
from verilog.invariants.terms import between, equal, less, total, wide
from verilog.invariants.trainer_lemmas import END, IDLE, RUNS, TrainerLemmas
from verilog.trainer.plan.geometry import BACKWARD, SOFTMAX, UPDATE, Layer

__all__ = ["gradient_claims", "gradient_lemmas"]

GRADIENT = 3  # the soft-max's state


@dataclass(frozen=True)
class Kept:
    """A way in which gradients are kept: the name of its word's address and lane, how it is
    written and read, and of a layer whether the word is one of its gradients, of which image
    and which unit."""

    name: str
    known: TrainerLemmas

    @property
    def rows(self) -> bool:
        return self.name == "rows"

    @property
    def at(self) -> str:
        return f"at_{self.name}"

    @property
    def lane(self) -> str:
        return f"lane_{self.name}"

    @property
    def layers(self) -> list[tuple[int, Layer]]:
        every = list(enumerate(self.known.g.layers))
        return every if self.rows else every[1:]

    def place(self, layer: Layer) -> tuple[str, str]:
        """Return image and unit."""
        p = self.known.g.lanes
        if self.rows:
            at = less(self.at, str(layer.rows))
            return (f"({at} / {layer.tiles})",
                    f"({at} % {layer.tiles} * {p} + {wide(self.lane)})")
        at = less(self.at, str(layer.banks))
        return f"({at} / {layer.outputs} * {p} + {wide(self.lane)})", f"({at} % {layer.outputs})"

    def own(self, layer: Layer) -> str:
        """Return whether the word is a gradient of a layer."""
        image, unit = self.place(layer)
        start, count = ((layer.rows, f"{wide('images_rows')} * {layer.tiles}") if self.rows else
                        (layer.banks, f"{wide('images_groups')} * {layer.outputs}"))
        return (f"({between(self.at, str(start), count)} & {wide(self.lane)} < "
                f"{self.known.g.lanes} & {image} < images_rows & {unit} < {layer.outputs})")

    def claim(self) -> Claim:
        """Return the claim that no such word is read before it was written in this step."""
        kind = UPDATE if self.rows else BACKWARD
        write = ("gradient_write & gradient_row == at_rows & gradient_word == lane_rows"
                 if self.rows else "gradient_write & gradient_banks & gradient_banked == at_banks "
                 "& gradient_bank == lane_banks")
        bits = (self.known.bits("softmax", "row" if self.rows else "group"),
                self.known.bits("softmax", "word"))
        phases = [f"(order_phase == {i} & {self.own(self.known.g.layers[p.layer])})"
                  for i, p in enumerate(self.known.g.phases) if p.kind == kind]
        read = f"order_valid & order_kind == {kind} & ({' | '.join(phases)})"
        watch = (f"reg [{bits[0] - 1}:0] {self.at};", f"reg [{bits[1] - 1}:0] {self.lane};",
                 f"always @(posedge i_clk) begin {self.at} <= {self.at}; {self.lane} <= "
                 f"{self.lane}; end", f"reg was_{self.name};",
                 f"always @(posedge i_clk) if (i_rst | go) was_{self.name} <= 1'd0; "
                 f"else if ({write}) was_{self.name} <= 1'd1;")
        return Claim(f"written_{self.name}", f"no gradient is read from {self.name} that was not "
                     "written in this step", f"{read} & order_gradients == {self.at} & "
                     f"~was_{self.name}", read, watch)


def gradient_claims(known: TrainerLemmas) -> list[Claim]:
    return [x.claim() for x in _kept(known)]


def gradient_lemmas(known: TrainerLemmas) -> list[Lemma]:
    """Return what is written when, each after what it needs."""
    return [*_leaving(known), *_drained(known), *(x for kept in _kept(known) for x in
                                                  _written(kept))]


def _kept(known: TrainerLemmas) -> list[Kept]:
    return [Kept(n, known) for n in ("rows", "banks")[:len(known.g.layers)]]


def _left(known: TrainerLemmas) -> str:
    """Return how many gradients of the image have left the soft-max unit."""
    classes = known.g.layers[-1].outputs
    ways = [f"(softmax.on_way[{i}] & ~softmax.sums[{i}])"
            for i in range(1, known.bits("softmax", "on_way") + 1)]
    ways += [f"softmax.leaving[{i}]" for i in range(1, known.bits("softmax", "leaving") + 1)]
    return (f"((softmax.state == {GRADIENT} ? {wide('softmax.logit')} : softmax.state == {END} ? "
            f"{classes} : 0) - {total(ways)})")


def _leaving(known: TrainerLemmas) -> list[Lemma]:
    """Where the next gradient of the soft-max goes."""
    last, p, left = known.g.layers[-1], known.g.lanes, _left(known)
    all_left, image = f"({left} == {last.outputs})", wide("softmax.image")
    number = f"({image} + {all_left})"
    unit = f"({all_left} ? 0 : {left})"
    own = [f"{left} <= {last.outputs}", f"{wide('softmax.left')} == {unit}",
           f"{wide('softmax.word')} == {unit} % {p}", f"{wide('softmax.bank')} == {number} % {p}",
           equal("softmax.row", f"{last.rows} + {number} * {last.tiles} + {unit} / {p}",
                 known.bits("softmax", "row"))]
    if len(known.g.layers) > 1:
        own.append(equal("softmax.group", f"{last.banks} + {number} / {p} * {last.outputs}",
                         known.bits("softmax", "group")))
    return [Lemma("left", f"softmax.state == {IDLE} | ({' & '.join(f'({x})' for x in own)})")]


def _drained(known: TrainerLemmas) -> list[Lemma]:
    """Where the next gradients of the drain go, and what the sequencer reads."""
    g, p = known.g, known.g.lanes
    found = [Lemma("reading", "~order.valid | " + known.by_phase(
        lambda q, layer: between("order.gradients", str(layer.rows),
                                 f"{wide('images_rows')} * {layer.tiles}") if q.kind == UPDATE else
        between("order.gradients", str(layer.banks),
                f"{wide('images_groups')} * {layer.outputs}"), "1'd1", (UPDATE, BACKWARD)))]
    if len(g.layers) < 2:
        return found

    def row(x: str, y: str) -> str:
        return known.by_phase(lambda q, layer: (
            f"{g.layers[q.layer - 1].rows} + {wide(x)} * {p * g.layers[q.layer - 1].tiles} + "
            f"{wide(y)} / {p}"), kinds=(BACKWARD,))

    banked = known.by_phase(lambda q, layer: (
        f"{g.layers[q.layer - 1].banks} + {wide('drain.x')} * {layer.inputs} + "
        f"{wide('drain.y')}"), kinds=(BACKWARD,))
    own = [equal("drain.next_r", row("drain.x", "drain.y"), known.bits("drain", "next_r")),
           equal("drain.r_base", row("drain.x", "0"), known.bits("drain", "r_base")),
           f"({wide('drain.next_word')} == {wide('drain.y')} % {p})",
           equal("drain.next_q", banked, known.bits("drain", "next_q")),
           "(drain.rx == drain.c_rx)", "(drain.rd == drain.c_rd)"]
    def below(address: str) -> str:
        return known.by_phase(lambda q, layer: between(
            address, str(g.layers[q.layer - 1].banks), f"{wide('images_groups')} * {layer.inputs}")
            if q.layer > 1 else "1'd1", "1'd1", (BACKWARD,))

    return [*found,
            Lemma("next_gradients", f"~{RUNS} | order.kind != {BACKWARD} | "
                  f"({' & '.join(own)})"),
            Lemma("bank_at_work", f"~drain.busy | order.kind != {BACKWARD} | {below('drain.q')}"),
            *(Lemma(f"banked_{i}", f"~drain.gradient_write_{i} | "
                    + below(f"drain.gradient_banked_{i}"))
              for i in range(1, known.stages("gradient_write") + 1))]


def _written(kept: Kept) -> list[Lemma]:
    """Gradients of a layer are written, on their way, in the row at work, or not formed yet."""
    known, name, found = kept.known, kept.name, []
    last, p = len(known.g.layers) - 1, known.g.lanes
    phases = {q.layer: i for i, q in enumerate(known.g.phases) if q.kind == BACKWARD}
    soft = next(i for i, q in enumerate(known.g.phases) if q.kind == SOFTMAX)
    stage = "gradient_row" if kept.rows else "gradient_banked"
    word = "gradient_word" if kept.rows else "gradient_bank"
    comes = " | ".join(f"(drain.gradient_write_{i} & drain.{stage}_{i} == {kept.at} & "
                       f"drain.{word}_{i} == {kept.lane})"
                       for i in range(1, known.stages("gradient_write") + 1))
    for number, layer in kept.layers:
        (image, unit), own = kept.place(layer), kept.own(layer)
        if number == last:
            after = soft
            found.append(Lemma(f"soft_{name}", f"softmax.state == {IDLE} | ~{own} | was_{name} | "
                               f"{image} > softmax.image | ({image} == softmax.image & "
                               f"{unit} >= {_left(known)})"))
        else:
            after = phases[number + 1]
            ahead = less("drain.chunk_1", "drain.chunk")
            work = (f"{between(kept.at, wide('drain.r'), f'(1 + {ahead} * {layer.tiles})')} & "
                    f"{less(kept.at, 'drain.r')} % {layer.tiles} == 0 & drain.row_word == "
                    f"{kept.lane}" if kept.rows else f"drain.q == {kept.at} & drain.chunk <= "
                    f"{kept.lane} & {kept.lane} <= drain.chunk_1")
            x = f"{image} / {p}"
            found.append(Lemma(
                f"backward_{name}_{number}", f"~{RUNS} | order.phase != {after} | ~{own} | "
                f"was_{name} | {comes} | (drain.busy & {work}) | {x} > drain.x | "
                f"({x} == drain.x & {unit} >= drain.y)"))
        found.append(Lemma(f"known_{name}_{number}", f"order.state == {IDLE} | order.phase <= "
                           f"{after} | ~{own} | was_{name}"))
    return found
