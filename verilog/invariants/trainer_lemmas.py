"""What holds between a trainer's registers at every clock: its claims follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from verilog.invariants.lemmas import Lemma
from verilog.invariants.terms import between, equal, less, total, wide
from verilog.trainer.core import Core
from verilog.trainer.plan.geometry import BACKWARD, FORWARD, SOFTMAX, UPDATE, Layer, Phase

__all__ = ["TrainerLemmas"]

# States of the sequencer and of the soft-max.
IDLE, PREPARE, SEED, ISSUE, WAIT, SOFT = range(6)
SETTLE, END = 2, 4
RUNS = f"(order.state == {ISSUE} | order.state == {WAIT})"
SET = f"(order.state == {SEED} | {RUNS})"  # the constants of a phase are there
FORMS = f"(order.state == {SEED} | order.state == {ISSUE})"
READS = "(order.valid & ~order.load & ~order.one)"  # an operand that is no one


class TrainerLemmas:
    """The lemmas of one trainer: `all` in an order in which each needs those before it."""

    def __init__(self, core: Core):
        self.core, self.g = core, core.geometry
        self.batch, self.pixels = core.geometry.learning.batch, core.geometry.learning.sizes[0]
        self.all: list[Lemma] = [*self._phases(), *self._images(), *self._rows(),
                                 *self._softmax(), *self._sums(), *self._positions(),
                                 *self._updates(), *self._outputs()]

    def _phases(self) -> list[Lemma]:
        """Where the sequencer is, and that its registers are those of the phase."""
        own = [f"order.{r} == order.c_{r}" for r in ("ax", "ay", "as", "gx", "gy", "gs", "kind")]
        counts = {"xs": (BACKWARD, "images_groups", "c_x"),
                  "y_1": (FORWARD, "images_rows - 1", "c_y"),
                  "s_1": (UPDATE, "images_rows - 1", "c_s")}
        own += [f"order.{r} == (order.kind == {kind} ? {count} : order.{constant})"
                for r, (kind, count, constant) in counts.items()]
        own += ["order.first_layer == order.c_first", "drain.xs == order.xs",
                "drain.y_1 == order.y_1", "drain.last_1 == drain.c_last",
                *(f"drain.{r} == drain.c_{r}" for r in ("ex", "ey", "ed"))]
        return [
            Lemma("states", f"order.state <= {SOFT} & softmax.state <= {END} & "
                  f"(order.state == {SOFT}) == (softmax.state != {IDLE})"),
            Lemma("phase", f"order.state == {IDLE} | order.phase < {len(self.g.phases)}"),
            Lemma("host", "((host.state == 0 & ~host.write) | order_idle) & "
                  "(~host.write | host.state <= 1)"),
            Lemma("kinds", f"(order.state != {SOFT} | order.c_kind == {SOFTMAX}) & "
                  f"(~{RUNS} | order.c_kind != {SOFTMAX}) & "
                  f"(order.state != {SEED} | order.c_kind == {UPDATE})"),
            Lemma("constants", f"~{SET} | ({' & '.join(f'({x})' for x in own)})")]

    def _images(self) -> list[Lemma]:
        """Which half of the inputs is filled while the other is read, and how far."""
        idle, half, p = f"order.state == {IDLE}", self.batch * self.pixels, self.g.lanes
        return [
            Lemma("halves", f"{idle} | images.full == (images.fills == images.bank)"),
            Lemma("pixel", f"images.pixel < {self.pixels} & images.image < {self.batch}"),
            Lemma("place", f"{wide('images.address')} == (images.fills ? {half} : 0) + "
                  f"{wide('images.image')} * {self.pixels} + images.pixel"),
            Lemma("other_half", f"{idle} | ~images.write | "
                  f"(images.write_address >= {half}) != images.bank"),
            Lemma("groups", f"images.groups != 0 & images.in_group < {p} & {wide('images.image')} "
                  f"== {less('images.groups', '1')} * {p} + images.in_group"),
            Lemma("counted", "~images.full | (images.image == 0 & images.pixel == 0 & "
                  f"images.rows_1 < {self.batch} & images.next_groups != 0 & "
                  + between("images.rows_1", f"{less('images.next_groups', '1')} * {p}", str(p))
                  + ")"),
            Lemma("images", f"{idle} | (images_rows != 0 & images_rows <= {self.batch} & "
                  "images_groups != 0 & " + between("images_rows", "1 + "
                  f"{less('images_groups', '1')} * {p}", str(p)) + ")")]

    def _rows(self) -> list[Lemma]:
        """How many rows of sums are on their way, and that a phase ends without any."""
        g, flight = self.g, wide("order.flight")
        ends = ["order.ends", "ends", "lane_ends", *(f"ends_{i + 1}" for i in range(g.loop))]
        left = f"(order.step == order.s_1 ? {g.loop} - {wide('order.slot')} : {g.loop})"
        return [
            Lemma("flight", f"{flight} == {total(ends)} + {less('queue.newest', 'queue.oldest')}"
                  f" % {g.depth}"),
            Lemma("most", f"order.flight < {g.depth}"),
            Lemma("waiting", f"{wide('rows_wait')} == "
                  f"{less('queue.newest', 'queue.oldest')} % {g.depth}"),
            Lemma("slot", f"order.state != {ISSUE} | order.slot < {g.loop}"),
            Lemma("room", f"order.state != {ISSUE} | (order.step == 0 & order.slot == 0) | "
                  f"{flight} + {left} < {g.depth}"),
            Lemma("settled", f"{RUNS} | (order.flight == 0 & drain_idle & ~order.valid)"),
            Lemma("finished", " & ".join(f"(~({flags}) | order.kind == {kind})" for flags, kind in (
                ("drain.output_write_any", FORWARD),
                *([("drain.gradient_write_any", BACKWARD)] if len(g.layers) > 1 else []),
                ("drain.updated_any | drain.row_done", UPDATE))))]

    def _softmax(self) -> list[Lemma]:
        """What is on its way in the soft-max unit: no gradient when it ends."""
        end = re.search(r"state == GRADIENT \? \d+'d(\d+)", self._text("softmax"))
        assert end
        ways, one = "{softmax.leaving, softmax.on_way}", f"{int(end[1]) + 1}'d1"
        return [
            Lemma("no_gradient", f"softmax.state > {SETTLE} | (softmax.leaving == 0 & "
                  "(softmax.on_way & ~softmax.sums) == 0)"),
            Lemma("leaves", f"softmax.state != {END} | (softmax.wait_for <= {end[1]} & ({ways} & "
                  f"(({one} << ({end[1]} - softmax.wait_for)) - {one})) == 0)")]

    def _updates(self) -> list[Lemma]:
        """How far the writing of updated rows is behind their reading."""
        pending = ["drain.busy", "drain.row_done",
                   *(f"(drain.updated_{i + 1} & drain.updated_last_{i + 1})"
                     for i in range(self.stages("updated_last")))]
        unless, bits = f"~{SET} | order.kind != {UPDATE}", self.bits("drain", "next_weights")
        taken = self._number("drain.x", "drain.y")
        start = self.by_phase(lambda p, layer: str(layer.weights), kinds=(UPDATE,))
        return [
            Lemma("next_row", f"{unless} | " + equal("drain.next_weights", f"{start} + {taken}",
                                                      bits)),
            Lemma("behind", f"{unless} | ({total(pending)} <= {taken} & " + equal(
                "drain.next_weights", f"{wide('drain.written')} + {total(pending)}", bits) + ")")]

    def _sums(self) -> list[Lemma]:
        """Which sum and which step of it is taken, and what it reads."""
        first = ("x", "y", "a", "a_base", "g", "g_base")
        bits_a, bits_g = self.bits("order", "a"), self.bits("order", "g")

        def places(x: str, y: str, before: str) -> Iterable[str]:
            for name, base, bits in (("a", self._scalars, bits_a), ("g", self._gradients, bits_g)):
                yield equal(f"order.{before}{name}", base(x, y), bits)
                yield equal(f"order.{before}{name}_base", base(x, "0"), bits)

        limits = ("order.x <= order.xs & order.y <= order.y_1 & order.first_x < order.xs & "
                  "order.first_y <= order.y_1 & order.step <= order.s_1 & "
                  "(order.x != order.xs | order.y == 0)")
        same = " & ".join(f"order.{n} == order.first_{n}" for n in first)
        step = wide("order.step")
        a_step = self.by_phase(lambda p, x: step if p.kind == FORWARD else f"{step} * {x.inputs}")
        g_step = self.by_phase(lambda p, x: f"{step} * {x.tiles}" if p.kind == UPDATE else step)
        steps = [equal("order.a_step", a_step, bits_a, f"order.kind == {BACKWARD} | "),
                 equal("order.g_step", g_step, bits_g, f"order.kind == {FORWARD} | ")]
        return [
            Lemma("limits", f"~{FORMS} | ({limits})"),
            Lemma("begun", f"order.state != {SEED} | (order.slot == 0 & order.step == 0)"),
            Lemma("firsts", f"~{FORMS} | order.slot != 0 | ({same})"),
            *(Lemma(f"place_{i}", f"~{FORMS} | {x}") for i, x in enumerate([
                *places("order.x", "order.y", ""), *places("order.first_x", "order.first_y",
                                                           "first_"), *steps])),
            Lemma("scalar", f"~{READS} | order.kind == {BACKWARD} | " + self.by_phase(
                lambda p, x: between("order.scalar", self._operands(p),
                                     f"{wide('images_rows')} * {x.inputs}"), "1'd1"))]

    def _positions(self) -> list[Lemma]:
        """That the drain takes the rows that the sequencer forms, and no more."""
        landed = self._number("(order.step == order.s_1 ? order.x : order.first_x)",
                              "(order.step == order.s_1 ? order.y : order.first_y)")
        taken = f"{self._number('drain.x', 'drain.y')} + order.flight"
        return [
            Lemma("drained", f"~{SET} | (drain.x <= drain.xs & drain.y <= drain.y_1 & "
                  "(drain.x != drain.xs | drain.y == 0))"),
            Lemma("taken", f"~{FORMS} | {landed} == {taken}"),
            Lemma("all_taken", f"order.state != {WAIT} | {self._number('order.xs', '0')} == "
                  f"{taken}")]

    def _outputs(self) -> list[Lemma]:
        """Where the outputs of a layer are written."""
        bits = self.bits("drain", "next_e")
        rows = wide("images_rows")
        forward = f"order.kind != {FORWARD}"

        def region(address: str, more: str = "0") -> str:
            return self.by_phase(lambda p, x: between(
                address, str(x.values), f"{rows} * {x.outputs}", more), "1'd1", (FORWARD,))

        def place(x: str, y: str) -> str:
            return self.by_phase(lambda p, layer: (
                f"{layer.values} + {wide(x)} * {self.g.lanes} + {wide(y)} * {layer.outputs}"),
                kinds=(FORWARD,))

        return [
            Lemma("next", f"~{RUNS} | {forward} | " + equal(
                "drain.next_e", place("drain.x", "drain.y"), bits)),
            Lemma("next_base", f"~{RUNS} | {forward} | " + equal(
                "drain.e_base", place("drain.x", "1'd0"), bits)),
            Lemma("at_work", f"~drain.busy | {forward} | (drain.chunk <= drain.chunk_1 & "
                  + region("drain.e", f"{wide('drain.chunk_1')} - {wide('drain.chunk')}") + ")"),
            *(Lemma(f"output_{i + 1}", f"~drain.output_write_{i + 1} | "
                    + region(f"drain.output_address_{i + 1}"))
              for i in range(self.stages("output_address")))]

    # --- terms ------------------------------------------------------------------------

    def by_phase(self, term: Callable[[Phase, Layer], str], otherwise: str = "0",
                 kinds: tuple[int, ...] = (FORWARD, BACKWARD, UPDATE)) -> str:
        """Return a term that depends on the phase."""
        chosen = "".join(f"order.phase == {i} ? {term(p, self.g.layers[p.layer])} : "
                         for i, p in enumerate(self.g.phases) if p.kind in kinds)
        return f"({chosen}{otherwise})"

    def _operands(self, phase: Phase) -> str:
        """Return where the operands of a phase begin."""
        if phase.layer == 0:
            return f"(images_bank ? {self.batch * self.pixels} : 0)"
        return str(self.g.layers[phase.layer - 1].values)

    def _scalars(self, x: str, y: str) -> str:
        """Return the address before that of the first operand of a sum."""
        return self.by_phase(lambda p, layer: f"{self._operands(p)} - 1 + " + (
            f"{wide(y)} * {layer.inputs}" if p.kind == FORWARD else wide(x)), "0",
            (FORWARD, UPDATE))

    def _gradients(self, x: str, y: str) -> str:
        """Return the address of the first gradient of a sum."""
        return self.by_phase(lambda p, layer: (
            f"{layer.banks} + {wide(x)} * {layer.outputs}" if p.kind == BACKWARD else
            f"{layer.rows} + {wide(y)}"), "0", (BACKWARD, UPDATE))

    def _number(self, x: str, y: str) -> str:
        """Return how many sums of a phase come before one."""
        return self.by_phase(lambda p, layer: f"{wide(x)} * " + (
            "images_rows" if p.kind == FORWARD else
            str(layer.inputs if p.kind == BACKWARD else layer.tiles)) + f" + {wide(y)}")

    def stages(self, name: str) -> int:
        """Return the stages of what the drain delays."""
        return len(set(re.findall(rf"\b{name}_\d+", self._text("drain"))))

    def _text(self, part: str) -> str:
        return next(m.text for m in self.core.modules if m.name == f"{self.core.name}_{part}")

    def bits(self, part: str, register: str) -> int:
        """Return the bits of a register."""
        text = self._text({"order": "sequence"}.get(part, part))
        found = re.search(rf"^reg (?:\[(\d+):(\d)\] )?(?:[\w, ]+, )?{register}\b", text, re.M)
        assert found
        return int(found[1] or 0) - int(found[2] or 0) + 1

