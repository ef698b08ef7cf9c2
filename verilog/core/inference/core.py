"""An inference core: one datapath that a whole network of dense layers takes turns on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fxp.trace.circuit import Circuit
from verilog.core.inference import control
from verilog.core.inference.arithmetic import Arithmetic, Layer
from verilog.core.inference.back import Back
from verilog.core.inference.front import Front
from verilog.core.inference.schedule import MOVED, Schedule
from verilog.core.parts.lane import lane_circuit
from verilog.core.parts.memory import Memory
from verilog.core.parts.text import banner
from verilog.core.parts.wiring import wired
from verilog.emit.module import Module

__all__ = ["Core", "inference_core"]


@dataclass(frozen=True)
class Core:
    """A core: its modules, the top the last; its schedule; its memories and how many of
    each; its sequencers; the rows of weights and parameters; the lane's module and what it
    computes; the bits of the ports answer and load."""

    name: str
    modules: tuple[Module, ...]
    schedule: Schedule
    memories: Mapping[str, tuple[Memory, int]]
    sequencers: Mapping[str, control.Sequencer]
    rows: tuple[int, ...]
    parameters: tuple[int, ...]
    parameter_bits: int
    lane: str
    lane_circuit: Circuit
    ports: Mapping[str, int]

    @property
    def top(self) -> Module:
        return self.modules[-1]

    @property
    def files(self) -> dict[str, str]:
        """The text of every file, by name."""
        texts = {f"{m.name}.v": m.text for m in self.modules}
        return texts | {k: text for m in self.modules for k, text in m.files.items()}

    @property
    def memory_bits(self) -> int:
        return sum(m.bits * count for m, count in self.memories.values())

    @property
    def memory_blocks(self) -> int:
        return sum(m.blocks * count for m, count in self.memories.values())


def inference_core(name: str, arithmetic: Arithmetic, layers: list[Layer], s: Schedule,
                   changed: Mapping[str, Circuit] | None = None) -> Core:
    """Return the core; changed has circuits that stand in for sequencers' own, by name."""
    return Builder(name, arithmetic, layers, s, changed or {}).core()


class Builder(Front, Back):
    """Both ends of a core."""

    def core(self) -> Core:
        """Return the core, put together."""
        self._declare()
        self._weights()
        self._pixels()
        self._issue()
        self._banks()
        self._lanes()
        self._drain()
        self._places()
        self._answers()
        self._link()
        summary = "an inference core of " + " - ".join(
            map(str, [self.s.layers[0][0], *(n for _, n in self.s.layers)]))
        top = wired(self.name, banner(self.name, summary), self.ports, self.body)
        schedule = replace(self.s, drained=MOVED + self.late)
        return Core(self.name, (*self.modules.values(), top), schedule, self.memories,
                    self.sequencers, self.rows, self.parameter_rows,
                    self.ar.parameters.bits if self.ar.parameters else 0, f"{self.name}_lane",
                    lane_circuit("lane", self.ar.sums),
                    {"answer": self.answer_bits, "load": self._load_bits()})
