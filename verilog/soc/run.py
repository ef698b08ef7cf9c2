"""A lab on a network: built, run in simulation, its words compared, its cycles counted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fxp.format import FormatError
from lnsarith.host.files.whole import scratch
from verilog import tools
from verilog.soc.firmware import build_program
from verilog.soc.labs import NOTHING, Lab, word_unit
from verilog.soc.network import LabNetwork, network_text
from verilog.soc.simulator import build_simulator
from verilog.soc.words import arithmetic_text
from verilog.units.cfu.array_text import PLACES

__all__ = ["Difference", "LabReport", "run_lab"]

CYCLES = 2_000_000_000


@dataclass(frozen=True)
class Difference:
    """The first word that is not the engine's: of which layer and image, its place."""

    layer: str
    image: int
    word: int
    got: int
    expected: int


@dataclass(frozen=True)
class LabReport:
    """What a lab gave: scores of each image, cycles of each layer of each image, the first
    difference if there is one; seconds to build and to run."""

    lab: int
    scores: list[list[int]]
    cycles: list[list[int]]
    difference: Difference | None
    seconds_build: float
    seconds_run: float

    @property
    def layer_cycles(self) -> list[int]:
        """Cycles of each layer of the last image (of the first, the caches are cold), as far
        as it came."""
        return self.cycles[-1] if self.cycles else []


def run_lab(lab: Lab, network: LabNetwork, own: Mapping[str, str] | None = None,
            emulate: bool = False, most_cycles: int = CYCLES) -> LabReport:
    """Return what a lab's firmware gives on the images of a network.

    own takes the place of the lab's unit: Verilog by file name, with a module Cfu. emulate runs
    the unit's emulation in C instead of any unit. Hang, ToolMissing or ToolError for what
    does not end, is not there, or does not compile.
    """
    words = network.arithmetic
    _check(lab, network)
    unit = word_unit(words) if words and lab.unit else lab.unit() if lab.unit else None
    start = time.perf_counter()
    with scratch() as name:
        folder = Path(name)
        files = own or (unit.files if unit and not emulate else {"Cfu.v": NOTHING})
        simulator = build_simulator(files, "Cfu", folder)
        texts = {"network_words.c": network_text(network, lab.layout)}
        if unit:
            texts |= {k: text for k, text in unit.c_files.items()
                      if emulate or k.endswith(".h")}
        if words:
            texts["arithmetic.h"] = arithmetic_text(words)
        flags = [f"-D{k}={value}" for k, value in lab.defines.items()]
        flags.append(f"-DMOST={network.most}")
        flags += (["-DCFU_EMULATE"] if emulate else []) + (["-DWORDS"] if words else [])
        flags += ["-DUNIT"] if words and unit else []
        source = f"labs/{'lab5.c' if words else lab.source}"
        program = build_program(texts, ["system.c", "network.c", source], folder, flags)
        built = time.perf_counter()
        status, said = simulator.run(program, most_cycles)
    return _read(lab, network, status, said, built - start, time.perf_counter() - built)


def _check(lab: Lab, network: LabNetwork) -> None:
    """Raise FormatError for a network that a lab's firmware has no room for."""
    for layer in network.layers:
        if lab.number in (3, 4) and layer.is_product and layer.out[1] > PLACES:
            raise FormatError(f"{layer.name}: the array keeps sums of {PLACES} places, a row of "
                              f"the output has {layer.out[1]}")
        if layer.weights is not None and layer.ends[2] and layer.scales is not None:
            reach = abs(layer.weights).sum(axis=0) * 256 + abs(layer.scales[:, 0])
            if reach.max() >= 1 << 31:
                raise FormatError(f"{layer.name}: sums of words with their zero reach "
                                  f"{reach.max()}, which is beyond 32 bits; quantise with fewer "
                                  "bits")


def _read(lab: Lab, network: LabNetwork, status: int, said: str, build: float, run: float
          ) -> LabReport:
    """Return the report of what a program wrote."""
    scores: list[list[int]] = []
    cycles: list[list[int]] = []
    difference = None
    row: list[int] = []
    for line in said.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "cycles":
            row.append(int(rest))
            if len(row) == len(network.layers):
                cycles.append(row)
                row = []
        elif kind == "scores":
            scores.append([int(x) for x in rest.split()])
        elif kind == "differs":
            layer, *numbers = rest.split()
            difference = Difference(layer, *map(int, numbers))
        elif kind == "trap":
            raise tools.ToolError(f"the firmware came into a trap: {line}")
    if status and not difference:
        raise tools.ToolError(f"the firmware ended with {status}: {said[-200:]}")
    cycles += [row] if row else []
    return LabReport(lab.number, scores, cycles, difference, build, run)
