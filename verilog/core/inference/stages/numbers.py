"""Numbers on their way from the lanes to memory, with all that goes beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fxp.trace.circuit import Circuit
from verilog.core.inference.engine.shared import Shared
from verilog.core.parts.flow import flow, flow_for_ns
from verilog.core.parts.lane import circuit_module
from verilog.core.parts.wiring import Wiring
from verilog.core.parts.word import Word
from verilog.emit.lower import width_of

__all__ = ["Moving", "Numbers", "TARGET_NS"]

TARGET_NS = 7.0  # of a stage of what comes behind the lanes, as estimated


@dataclass(frozen=True)
class Moving:
    """A number a clock: the wires of its fields, of its score's and of the parameters of its
    output, by name, and how many clocks it is behind the sequencer of sums."""

    number: dict[str, str]
    score: dict[str, str]
    parameters: dict[str, str]
    late: int

    def later(self, body: Wiring, number: dict[str, str], clocks: int) -> Moving:
        """Return what stands there so many clocks later, with another number."""
        beside = [{k: body.delayed(w, clocks) for k, w in found.items()}
                  for found in (self.score, self.parameters)]
        return replace(self, number=number, score=beside[0], parameters=beside[1],
                       late=self.late + clocks)


class Numbers(Shared):
    """Circuits that take numbers on their way."""

    drain: dict[str, str]  # the wires of the sequencer of sums

    @property
    def plain(self) -> Word:
        """The word of a number before it gets to memory: a bit where words hold several."""
        return self.ar.number if self.s.packed == 1 else Word((("bit", 0, 1),))

    def tag(self, name: str, late: int, reset: int | None = None) -> str:
        """Return what the sequencer of sums told of a number that is so far behind it."""
        return self.body.delayed(self.drain[name], late, reset=reset)

    def _passed(self, label: str, summary: str, circuit: Circuit, given: dict[str, str],
                latency: int | None = None) -> tuple[list[str], int]:
        """Return the wires of a circuit's outputs, and the clocks that it takes; without a
        latency as many as its delays ask for, with 0 none."""
        clocks = flow_for_ns(circuit, TARGET_NS) if latency is None else latency
        name = f"{self.name}_{label}"
        module = flow(name, summary, circuit, clocks) if clocks else circuit_module(
            name, summary, circuit)
        return list(self.body.put(self._add(module), label, **{
            k: self.body.read(w) for k, w in given.items()}).values()), clocks

    def _fitted(self, wires: list[str], nodes, word: Word) -> dict[str, str]:
        """Return wires as wide as the fields of a word, of wires that hold nodes."""
        b, found = self.body, {}
        for (name, low, high), wire, node in zip(word.fields, wires, nodes):
            wide = width_of(low, high)
            found[name] = wire if b.widths[wire] == wide else b.wire(
                f"{wire}_fitted", wide, b.resized(wire, wide, node.low < 0))
        return found
