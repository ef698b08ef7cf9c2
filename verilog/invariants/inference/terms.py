"""Terms of an inference core's registers, as Verilog."""

from __future__ import annotations

import re
from collections.abc import Sequence

from verilog.core.inference.core import Core
from verilog.invariants.cut import instances
from verilog.invariants.terms import between, total, wide

__all__ = ["CoreTerms"]


class CoreTerms:
    """Names of registers and wires of one core, and what is made of them.

    watch declares what claims and lemmas read: layer_1, buffer_1 and released_1 are a step's layer,
    its buffer of pixels and the end of layer 0 a clock ago. Of tiles, `started` counts those of
    the layer that have begun, `outstanding` those whose last word has not left the drain; `open`
    is 1 while sums of the last layer are formed or drained, `writes` is the layer whose words are
    on their way.
    """

    def __init__(self, core: Core):
        self.core, self.s, self.top = core, core.schedule, core.top.text
        self.last = len(self.s.layers) - 1
        self.late = len(self.delayed("drain_inside"))

    @property
    def reading(self) -> list[str]:
        """The lines that declare what claims read."""
        r = self.reg
        return ["reg [7:0] layer_1;", "reg buffer_1, released_1;",
                f"always @(posedge i_clk) begin layer_1 <= i_rst ? 8'd0 : {r('issue', 'layer')}; "
                f"buffer_1 <= {r('issue', 'buffer')}; released_1 <= issue_released & ~i_rst; end"]

    @property
    def watch(self) -> list[str]:
        """The lines that declare what lemmas read beside it."""
        r, layer = self.reg, self.reg("issue", "layer")
        before = f"({layer} == 0 ? {self.last} : {layer} - 1)"
        return [
            f"wire [7:0] outstanding = {wide(r('issue', 'waiting'))} - {total(self.ends)};",
            f"wire [31:0] started = {total([r('issue', 'tile'), r('issue', 'run')])};",
            "wire begun = started != 0;",
            f"wire open = ({layer} == {self.last} & begun) | "
            f"({r('drain', 'layer')} == {self.last} & outstanding != 0);",
            f"wire [7:0] before = {before};",
            f"wire [7:0] writes = begun ? {layer} : before;"]

    def reg(self, part: str, name: str) -> str:
        """Return a register of a sequencer, which may have another name where that is taken."""
        module = f"{self.core.name}_{part}"
        label = next(iter(instances(self.top, module)))
        text = next(m.text for m in self.core.modules if m.name == module)
        found = re.search(rf"^ *reg (?:\[\d+:0\] )?({name}(?:_\d+)?);", text, re.M)
        assert found, f"{part} has no {name}"
        return f"{label}.{found[1]}"

    def delayed(self, name: str, also: bool = False) -> list[str]:
        """Return the registers of a delay in order, with what they delay if that is asked for."""
        return [*([name] if also else []),
                *(f"{name}_d{k + 1}" for k in range(len(re.findall(rf"^ *reg .*\b{name}_d\d+;",
                                                                 self.top, re.M))))]

    @property
    def ends(self) -> list[str]:
        """The registers on the way of a tile's end, from the drain to the steps."""
        return [*self.delayed("drain_ends"), *self.delayed("ends_now", True)]

    @property
    def dones(self) -> list[str]:
        """The registers on the way of a batch's end, from the drain to the port."""
        return [*self.delayed("drain_done"), *self.delayed("done_now", True)]

    def on_way(self, layer: int, number: str, slot: str, bank: str, stage: int) -> str:
        """Return whether a word of a layer is on its way from the drain, at a stage or later."""
        return "(" + " | ".join(
            f"({self.inside(j)} & drain_layer_d{j} == {layer} & {wide(f'drain_number_d{j}')} == "
            f"{number} & {wide(f'drain_image_slot_d{j}')} == {slot} & "
            f"{wide(f'drain_bank_d{j}')} == {bank})" for j in range(stage, self.late + 1)) + ")"

    def turn(self, number: str, slot: str, bank: str) -> str:
        """Return how many words of a layer are drained before one."""
        s = self.s
        row = f"{number} % {s.row_words}"
        return self._turn(f"{number} / {s.row_words}", slot, f"({row} / {s.outputs})",
                          f"({row} % {s.outputs})", bank)

    @property
    def drained(self) -> str:
        """How many words of its layer the drain is done with."""
        return self._turn(*(wide(self.reg("drain", k)) for k in (
            "tile", "image_slot", "output_slot", "lane", "bank")))

    def _turn(self, tile: str, slot: str, output_slot: str, lane: str, bank: str) -> str:
        s = self.s
        return (f"(((({tile} * {s.image_slots} + {slot}) * {s.output_slots} + {output_slot}) * "
                f"{s.outputs} + {lane}) * {s.images} + {bank})")

    def inside(self, stage: int) -> str:
        return f"drain_inside_d{stage}"

    def slot(self, part: str) -> str:
        """Return the number of a row within its tile."""
        return (f"({wide(self.reg(part, 'image_slot'))} * {self.s.output_slots} + "
                f"{wide(self.reg(part, 'output_slot'))})")

    def by_layer(self, part: str, values: Sequence[int]) -> str:
        """Return a constant of a sequencer's layer."""
        return self.chosen(self.reg(part, "layer"), values)

    def chosen(self, layer: str, values: Sequence[int]) -> str:
        """Return a constant of a layer."""
        return "(" + "".join(f"{layer} == {k} ? {n} : " for k, n in enumerate(values)) + "0)"

    @property
    def half(self) -> int:
        """Rows of a bank that a buffer of pixels takes."""
        return self.s.layers[0][0] * self.s.image_slots

    def in_second(self, address: str) -> str:
        """Return whether an address of pixels is in the second buffer."""
        return f"({wide(address)} >= {self.half})"

    def of_half(self, name: str, buffer: str) -> str:
        """Return what the sequencer of pixels knows of a buffer."""
        return f"({buffer} ? {self.reg('load', name + '_1')} : {self.reg('load', name + '_0')})"

    def base(self, layer: str, buffer: str) -> str:
        """Return where a layer's inputs begin."""
        return (f"({layer} == 0 & {buffer} ? {self.half} : "
                f"{self.chosen(layer, self.s.regions[:-1])})")

    def target(self, address: str) -> str:
        """Return whether an address is among those of the layer's outputs that is worked on."""
        starts = self.chosen("writes", self.s.regions[1:-1])
        counts = self.chosen("writes", [n * self.s.image_slots for n, _ in self.s.layers[1:]])
        return between(address, starts, counts)
