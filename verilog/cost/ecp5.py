"""Modules on an ECP5-85k: cells, block memories and multipliers by Yosys, MHz by nextpnr."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from verilog import tools

__all__ = ["BLOCKS", "COUNTED", "NETLIST", "SEEDS", "TARGET", "counts", "map_cells", "place",
           "placer", "yosys"]

TARGET = "ECP5-85k"
BLOCKS = 208  # block memories of it
NETLIST = "core.json"  # in the folder of a run
PART = ["--85k", "--package", "CABGA756"]
SEEDS = (1, 2, 3)
# What is told of the cells: key, label, the tools' names.
COUNTED = {"lut4": ("LUT4", r"LUT4"), "flip_flops": ("flip-flops", r"TRELLIS_FF"),
           "carries": ("carry cells", r"CCU2C"), "block_memories": ("block memories", r"DP16KD"),
           "lut_memories": ("memories of LUTs", r"TRELLIS_DPR16X4"),
           "multipliers": ("multipliers", r"MULT18X18D")}


def map_cells(folder: Path, names: Sequence[str], top: str, seconds: float, before: str = "",
              multipliers: bool = True) -> dict[str, int]:
    """Map modules in a folder, and what `before` reads, to cells; return how many of each.

    The netlist is left in the folder as NETLIST. Without multipliers products are LUTs.
    """
    reads = "".join(f"read_verilog {name}.v\n" for name in names)
    option = "" if multipliers else " -nodsp"
    yosys(folder, f"{before}{reads}synth_ecp5{option} -top {top} -json {NETLIST}\n"
                  "tee -q -o stat.json stat -json\n", seconds)
    return json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]


def counts(cells: Mapping[str, int]) -> dict[str, int]:
    """Return how many cells there are of what COUNTED tells, by its keys."""
    return {key: sum(n for cell, n in cells.items() if re.fullmatch(pattern, cell))
            for key, (_, pattern) in COUNTED.items()}


def place(folder: Path, seed: int, goal: int, seconds: float) -> tuple[float, dict[str, int]]:
    """Return the MHz at which the netlist of a folder is placed with a seed, and what it uses;
    the tool works towards `goal` MHz."""
    tools.run([tools.yowasp("nextpnr-ecp5"), *PART, "--json", NETLIST, "--freq", str(goal),
               "--seed", str(seed), "--report", "report.json", "--timing-allow-fail", "-q"],
              cwd=folder, seconds=seconds)
    said = json.loads((folder / "report.json").read_text())
    return (round(min(c["achieved"] for c in said["fmax"].values()), 2),
            {k: v["used"] for k, v in said["utilization"].items()})


def yosys(folder: Path, script: str, seconds: float) -> None:
    """Run a script of Yosys in a folder."""
    (folder / "run.ys").write_text(script)
    tools.run([tools.yowasp("yosys"), "-q", "-s", "run.ys"], cwd=folder, seconds=seconds)


@lru_cache(maxsize=1)
def placer() -> str:
    """Return such as nextpnr-ecp5 0.11."""
    said = tools.run([tools.yowasp("nextpnr-ecp5"), "-V"])
    found = re.search(r"Version (nextpnr-)?([\w.+-]+)", said)
    return f"nextpnr-ecp5 {found[2] if found else 'of unknown version'}"
