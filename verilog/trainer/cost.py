"""What a trainer takes of an ECP5-85k by Yosys and nextpnr: cells, block memories, MHz.

Block memories and multipliers are allowed. Registers stay where they were written.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from lnsarith.host.files.whole import scratch
from verilog.cost.ecp5 import COUNTED, SEEDS, TARGET, counts, map_cells, place
from verilog.prove.netlist import yosys_version
from verilog.trainer.core import Core

__all__ = ["GOAL", "cost_text", "map_trainer", "trainer_cost"]

GOAL = 100  # MHz that the placer works towards


def trainer_cost(core: Core, place_it: bool = False, seeds: Sequence[int] = SEEDS,
                 seconds: float = 3600) -> dict:
    """Return the cells of a trainer by kind, and placed its MHz for each seed and their
    median; `seconds` limits each run of a tool.

    Raises ToolMissing and ToolError of the tools, which tell a core that does not fit.
    """
    with scratch() as name:
        folder = Path(name)
        found = counts(map_trainer(core, folder, seconds))
        cells = {label: found[key] for key, (label, _) in COUNTED.items()}
        cost: dict = {"target": TARGET, "tools": yosys_version(), "cells": cells}
        if place_it:
            speeds = {seed: place(folder, seed, GOAL, seconds)[0] for seed in seeds}
            cost |= {"mhz": statistics.median(speeds.values()), "mhz_by_seed": speeds}
        return cost


def map_trainer(core: Core, folder: Path, seconds: float = 3600,
                multipliers: bool = True) -> dict[str, int]:
    """Return the cells of a trainer, whose netlist is left in a folder."""
    for file, text in core.files.items():
        (folder / file).write_text(text)
    return map_cells(folder, [m.name for m in core.modules], core.name, seconds,
                     multipliers=multipliers)


def cost_text(cost: Mapping) -> str:
    """Return a cost in lines."""
    lines = [f"{cost['target']} ({cost['tools']})"]
    lines += [f"  {label:18}{count:>8,}" for label, count in cost["cells"].items()]
    if "mhz" in cost:
        seeds = ", ".join(f"{m:g}" for m in cost["mhz_by_seed"].values())
        lines.append(f"  {'MHz':18}{cost['mhz']:>8g}  median of {seeds}")
    return "\n".join(lines)
