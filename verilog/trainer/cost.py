"""What a trainer takes of an ECP5-85k by Yosys and nextpnr: cells, block memories, MHz.

Block memories and multipliers are allowed. Registers stay where they were written.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from lnsarith.host.files.whole import scratch
from verilog import tools
from verilog.prove.netlist import yosys_version
from verilog.trainer.core import Core

__all__ = ["cost_text", "trainer_cost"]

PART = ["--85k", "--package", "CABGA756"]
SEEDS = (1, 2, 3)
COUNTED = {"LUT4": r"LUT4", "flip-flops": r"TRELLIS_FF", "carry cells": r"CCU2C",
           "block memories": r"DP16KD", "memories of LUTs": r"TRELLIS_DPR16X4",
           "multipliers": r"MULT18X18D"}


def trainer_cost(core: Core, place: bool = False, seeds: Sequence[int] = SEEDS,
                 seconds: float = 3600) -> dict:
    """Return the cells of a trainer by kind, and with place its MHz for each seed and their
    median; `seconds` limits each run of a tool.

    Raises ToolMissing and ToolError of the tools, which tell a core that does not fit.
    """
    with scratch() as name:
        folder = Path(name)
        for file, text in core.files.items():
            (folder / file).write_text(text)
        reads = "".join(f"read_verilog {m.name}.v\n" for m in core.modules)
        (folder / "run.ys").write_text(f"{reads}synth_ecp5 -top {core.name} -json core.json\n"
                                       "tee -q -o stat.json stat -json\n")
        tools.run([tools.yowasp("yosys"), "-q", "-s", "run.ys"], cwd=folder, seconds=seconds)
        cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
        found = {k: sum(n for cell, n in cells.items() if re.fullmatch(pattern, cell))
                 for k, pattern in COUNTED.items()}
        cost: dict = {"target": "ECP5-85k", "tools": yosys_version(), "cells": found}
        if place:
            speeds = {seed: _placed(folder, seed, seconds) for seed in seeds}
            cost |= {"mhz": statistics.median(speeds.values()), "mhz_by_seed": speeds}
        return cost


def _placed(folder: Path, seed: int, seconds: float) -> float:
    """Return the MHz at which a core was placed with a seed."""
    tools.run([tools.yowasp("nextpnr-ecp5"), *PART, "--json", "core.json", "--freq", "100",
               "--seed", str(seed), "--report", "report.json", "--timing-allow-fail", "-q"],
              cwd=folder, seconds=seconds)
    said = json.loads((folder / "report.json").read_text())
    return round(min(clock["achieved"] for clock in said["fmax"].values()), 2)


def cost_text(cost: Mapping) -> str:
    """Return a cost in lines."""
    lines = [f"{cost['target']} ({cost['tools']})"]
    lines += [f"  {label:18}{count:>8,}" for label, count in cost["cells"].items()]
    if "mhz" in cost:
        seeds = ", ".join(f"{m:g}" for m in cost["mhz_by_seed"].values())
        lines.append(f"  {'MHz':18}{cost['mhz']:>8g}  median of {seeds}")
    return "\n".join(lines)
