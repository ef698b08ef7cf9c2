"""What holds between the registers of an inference core of dense layers: its claims follow."""

from __future__ import annotations

from verilog.core.inference.core import Core
from verilog.invariants.inference.terms import CoreTerms
from verilog.invariants.lemmas import Lemma
from verilog.invariants.terms import between, equal, total, wide

__all__ = ["CoreLemmas"]


class CoreLemmas(CoreTerms):
    """The lemmas of one core of dense layers: `all`, in an order in which each needs those before
    it."""

    def __init__(self, core: Core):
        super().__init__(core)
        self.all: list[Lemma] = [*self._states(), *self._tiles(), *self._batches(), *self._words(),
                                 *self._reads(), *self._loads(), *self._sends()]

    def _states(self) -> list[Lemma]:
        """The ranges of counters."""
        r, s, count = self.reg, self.s, len(self.s.layers)

        def within(part: str, limits: dict[str, int]) -> str:
            return " & ".join(f"{wide(r(part, k))} < {n}" for k, n in limits.items())

        slots = {"layer": count, "image_slot": s.image_slots, "output_slot": s.output_slots}
        tiles = self.by_layer("issue", [s.tiles(k) for k in range(count)])
        steps = self.by_layer("issue", [s.steps(k) for k in range(count)])
        zero = " & ".join(f"{r('issue', k)} == 0" for k in ("step", "image_slot", "output_slot"))
        drained = self.by_layer("drain", [s.tiles(k) for k in range(count)])
        place = f"{wide(r('drain', 'bank'))} == {s.images - 1} & {wide(r('drain', 'lane'))} == " \
                f"{s.outputs - 1}"
        return [
            Lemma("issue", f"{within('issue', {**slots, 'waiting': 3})} & "
                  f"{wide(r('issue', 'tile'))} < {tiles} & {wide(r('issue', 'step'))} < {steps} & "
                  f"({r('issue', 'run')} | ({zero}))"),
            Lemma("drain", within("drain", {**slots, "bank": s.images, "lane": s.outputs})
                  + f" & {wide(r('drain', 'tile'))} < {drained} & ({r('drain', 'busy')} | "
                  f"({r('drain', 'bank')} == 0 & {r('drain', 'lane')} == 0))"),
            *([Lemma("final", f"{r('drain', 'final')} == ({place})")] if s.lanes > 1 else []),
            Lemma("numbers", " & ".join((
                f"{wide(r('drain', 'tile_number'))} == {wide(r('drain', 'tile'))} * {s.row_words}",
                f"{wide(r('drain', 'row_number'))} == {wide(r('drain', 'tile_number'))} + "
                f"{wide(r('drain', 'output_slot'))} * {s.outputs}",
                f"{wide(r('drain', 'number'))} == "
                + total([r('drain', 'row_number'), r('drain', 'lane')]))))]

    def _tiles(self) -> list[Lemma]:
        """How many rows of sums are on their way, and which tile is drained."""
        r, s, slots = self.reg, self.s, self.s.slots
        layer, drained = r("issue", "layer"), r("drain", "layer")
        last_step = self.by_layer("issue", [s.steps(k) - 1 for k in range(len(s.layers))])
        run = r("issue", "run")
        formed = f"({run} & {wide(r('issue', 'step'))} == {last_step} ? {self.slot('issue')} : 0)"
        rows = total([*self.delayed("last_1", also=True), r("drain", "rows"), r("drain", "busy")])
        counts = [s.tiles(k) for k in range(len(s.layers))]
        before = self.by_layer("issue", [counts[k - 1] for k in range(len(counts))])
        tile = f"{wide(r('drain', 'tile'))} + outstanding"
        earlier = (f"outstanding <= started + {before} ? {drained} == before & ({layer} == 0 | "
                   f"~begun) & {tile} == {before} + started : {layer} == 1 & ~begun & {drained} == "
                   f"{self.last} & {tile} == {counts[0] + counts[-1]}" if self.last else
                   f"~begun & {tile} == {before}")
        return [
            Lemma("rows", f"outstanding * {slots} + {formed} == {rows} + {wide(run)} * {slots} + "
                  f"{self.slot('drain')}"),
            Lemma("caught", self._waiting()),
            Lemma("tile", f"outstanding <= started ? {drained} == {layer} & {tile} == started : "
                  f"{earlier}"),
            Lemma("changed", f"layer_1 == {layer} | (last_1 & ~begun & before == layer_1)")]

    def _waiting(self) -> str:
        """Return which rows of sums wait: those that came last, in a circle."""
        count, row, rows = 2 * self.s.slots, *(wide(self.reg("drain", k)) for k in ("row", "rows"))
        waits = [f"sums_wait[{k}] == (({count + k} - {row}) % {count} < {rows})"
                 if k < count else f"~sums_wait[{k}]" for k in range(1 << (count - 1).bit_length())]
        return " & ".join([f"{row} < {count} & {wide('caught_row')} == ({row} + {rows}) % {count}",
                           *map("({})".format, waits)])

    def _batches(self) -> list[Lemma]:
        """Of one batch at a time the last layer's sums are formed, drained or sent."""
        dones, phase = self.dones, self.reg("send", "phase")
        found = [Lemma("sending", f"{total(['open', *dones, f'({phase} != 0)'])} == "
                       f"{wide(self.reg('send', 'taken'))}"),
                 Lemma("owed", f"{phase} == 0 | owed")]
        for j in range(1, self.late + 1):
            found.append(Lemma(f"scores_{j}", f"~{self.inside(j)} | drain_layer_d{j} != {self.last}"
                               f" | open | {total(dones[:j])} != 0"))
        return [*found, Lemma("scores", f"~score_now | open | {total(dones[:self.late + 1])} != 0")]

    def _words(self) -> list[Lemma]:
        """What goes beside a word, that its tile is not done before it, and where it goes."""
        s, last, found = self.s, self.last, []
        layer = self.reg("issue", "layer")
        for j in range(1, self.late + 1):
            of = f"drain_layer_d{j}"
            outputs = self.chosen(of, [n for _, n in s.layers])
            found += [
                Lemma(f"word_{j}", f"~{self.inside(j)} | ({of} == writes | (({layer} == 0 | "
                      f"({layer} == 1 & ~begun)) & {of} == {last})) & "
                      f"{wide(f'drain_number_d{j}')} < {outputs} & "
                      f"{wide(f'drain_image_slot_d{j}')} < {s.image_slots} & "
                      f"{wide(f'drain_bank_d{j}')} < {s.images}"),
                Lemma(f"undone_{j}", f"~{self.inside(j)} | outstanding != 0 | "
                      f"{total(self.ends[:j])} != 0")]
        found.append(Lemma("undone", f"~(hidden_now | score_now) | outstanding != 0 | "
                           f"{total(self.ends[:self.late + 1])} != 0"))
        hidden = 2 * self.half
        written = " | ".join(f"bank_{k}_write" for k in range(s.images))
        taken = f"{wide('bank_place')} >= {hidden}"
        pixel = (f"{wide('bank_place')} < {hidden} & ~({layer} == 0 & begun & "
                 f"{self.reg('issue', 'buffer')} == {self.in_second('bank_place')}) & ~(run_1 & "
                 f"layer_1 == 0 & buffer_1 == {self.in_second('bank_place')})")
        return [*found,
                Lemma("place", f"~hidden_now | (writes != {last} & {self.target('place_now')})"),
                Lemma("writing", f"~({written}) | ({pixel}) | ({taken} & writes != {last} & "
                      f"{self.target('bank_place')})"),
                Lemma("unwritten", f"~({written}) | {wide('bank_place')} < {hidden} | "
                      f"outstanding != 0 | {total(self.ends[:self.late + 2])} != 0")]

    def _reads(self) -> list[Lemma]:
        """What the steps read."""
        r, s = self.reg, self.s
        step, layer = wide(r("issue", "step")), r("issue", "layer")
        bias = f"({step} == 0)" if s.bias else "1'd0"
        at = (f"({bias} ? 0 : ({step} - {s.bias}) * {s.image_slots} + "
              f"{wide(r('issue', 'image_slot'))})")
        inputs = self.chosen("layer_1", [n * s.image_slots for n, _ in s.layers])
        return [
            Lemma("address", f"~{r('issue', 'run')} | {wide(r('issue', 'address'))} == "
                  f"{self.base(layer, r('issue', 'buffer'))} + {at}"),
            Lemma("read", "~run_1 | "
                  + between("address_1", self.base("layer_1", "buffer_1"), inputs)),
            Lemma("reader", f"~run_1 | (layer_1 == {layer} & buffer_1 == {r('issue', 'buffer')} & "
                  f"begun) | (before == layer_1 & ~begun & (layer_1 != 0 | buffer_1 != "
                  f"{r('issue', 'buffer')}))")]

    def _loads(self) -> list[Lemma]:
        """Where the next pixel goes, and which buffers are whole."""
        r, s = self.reg, self.s
        names = ("buffer", "bank", "slot", "pixel", "part", "place", "image", "held", "held_bank",
                 "held_place", "held_end", "held_buffer", "full_0", "full_1", "count_0", "count_1")
        g = {k: r("load", k) for k in names}
        image, pixel = wide(g["image"]), wide(g["pixel"])
        start = f"({g['buffer']} ? {self.half} : 0)"
        at_first = f"{g['image']} == 0 & {g['pixel']} == 0"
        counts = " & ".join(f"{wide(x)} < {s.batch}" for x in (g["count_0"], g["count_1"]))
        full, count = self.of_half("full", r("issue", "buffer")), self.of_half(
            "count", r("issue", "buffer"))
        return [
            Lemma("pixel", f"{image} < {s.batch} & {pixel} < {s.pixels} & {counts} & "
                  f"{wide(g['bank'])} < {s.images} & {wide(g['slot'])} < {s.image_slots} & {image} "
                  f"== {wide(g['slot'])} * {s.images} + {g['bank']} & {wide(g['part'])} == "
                  f"{pixel} % {s.packed} & {wide(g['place'])} == {start} + {pixel} / {s.packed} * "
                  f"{s.image_slots} + {g['slot']}"),
            Lemma("held", f"~{g['held']} | ({g['held_buffer']} == ({g['buffer']} ^ {g['held_end']})"
                  f" & {g['held_buffer']} == {self.in_second(g['held_place'])} & "
                  f"{wide(g['held_place'])} < {2 * self.half} & {wide(g['held_bank'])} < {s.images}"
                  f" & ~{self.of_half('full', g['held_buffer'])})"),
            Lemma("whole", f"~{self.of_half('full', g['buffer'])} | ({at_first})"),
            Lemma("released", f"~released_1 | (~{self.of_half('full', 'buffer_1')} & "
                  f"~({g['held']} & {g['held_buffer']} == buffer_1) & "
                  f"({g['buffer']} != buffer_1 | ({at_first})))"),
            Lemma("taken", f"{r('issue', 'layer')} != 0 | ~begun | ({full} & "
                  f"batch_count == {count})"),
            Lemma("count", f"({r('issue', 'layer')} == 0 & ~begun) | {wide('batch_count')} < "
                  f"{s.batch}")]

    def _sends(self) -> list[Lemma]:
        """Which logit is sent."""
        r, s, classes = self.reg, self.s, self.s.layers[-1][1]
        phase, number, image = (r("send", k) for k in ("phase", "number", "image"))
        bits = (s.batch * classes - 1).bit_length()
        ended = f"({phase} == 3)"
        place = equal(r("send", "place"), f"({wide(image)} + {ended}) * {classes} + ({ended} ? 0 : "
                      f"{number})", max(1, bits))
        first = " & ".join(f"{r('send', k)} == 0" for k in ("place", "image", "number"))
        return [Lemma("sent", f"{phase} == 0 ? {first} : ({place} & {image} <= "
                      f"{r('send', 'last_image')} & {wide(r('send', 'last_image'))} < {s.batch} & "
                      f"({ended} | {wide(number)} < {classes}))"),
                Lemma("last_image", f"{wide(r('send', 'last_image'))} < {s.batch} | "
                      f"~{r('send', 'taken')}")]
