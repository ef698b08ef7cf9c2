"""What a whole core costs on an ECP5-85k: cells, block memories, multipliers, MHz.

Block memories and multipliers are allowed here. Lanes are synthesised alone first: their
registers, which carry cells would hold in their places, are moved through the step by ABC
(`abc -dff` on a netlist without carry cells), then the core is mapped around them. Lanes
with a multiplier keep their registers where they are, and so their DSP blocks. Registers that
stand behind block memories alone become those of the blocks.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from fxp.format import FormatError
from lnsarith.host.files.whole import scratch
from verilog import tools
from verilog.core.inference.core import Core
from verilog.cost.output_registers import absorb
from verilog.prove.netlist import yosys_version

__all__ = ["BLOCKS", "core_cost", "cost_text", "require_room", "retiming"]

BLOCKS = 208  # block memories of an ECP5-85k
PART = ["--85k", "--package", "CABGA756"]
SEEDS = (1, 2, 3)
COUNTED = {"lut4": r"LUT4", "flip_flops": r"TRELLIS_FF", "carries": r"CCU2C",
           "block_memories": r"DP16KD", "lut_memories": r"TRELLIS_DPR16X4",
           "multipliers": r"MULT18X18D"}


def require_room(core: Core) -> None:
    """Raise FormatError where a core's memories are more than an ECP5-85k has."""
    if core.memory_blocks > BLOCKS:
        raise FormatError(f"the memories of {core.name} take {core.memory_blocks:,} block "
                          f"memories, and an ECP5-85k has {BLOCKS}; a smaller network or fewer "
                          "images at a time would do")


def core_cost(core: Core, place: bool = False, say: Callable[[str], object] = lambda text: None,
              seeds: Sequence[int] = SEEDS, seconds: float = 3600) -> dict:
    """Return the cells of a core by kind, and with place its MHz for each seed, their median
    and images/s; `seconds` limits each run of a tool, say is told what begins.

    Raises ToolMissing and ToolError of the tools.
    """
    with scratch() as name:
        folder = Path(name)
        for file, text in core.files.items():
            (folder / file).write_text(text)
        moved = "mul" not in {n.op for n in core.lane_circuit.nodes}
        if moved:
            say(f"{core.lane}: registers are moved")
            _yosys(folder, retiming(core.lane), seconds)
        say(f"{core.name}: mapped to ECP5")
        _yosys(folder, _mapping(core, moved), seconds)
        cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
        absorbed = absorb(folder / "core.json", core.name)
        cells["TRELLIS_FF"] -= absorbed
        found = {k: sum(n for cell, n in cells.items() if re.fullmatch(pattern, cell))
                 for k, pattern in COUNTED.items()}
        cost = {"target": "ECP5-85k", "tools": yosys_version(), "retimed": moved, **found,
                "block_registers": absorbed, "cells": cells}
        return cost | (_placed(core, folder, seeds, seconds, say) if place else {})


def retiming(lane: str) -> str:
    """Return the script that moves a lane's registers through its logic."""
    return (f"read_verilog {lane}.v\nsynth_ecp5 -noccu2 -top {lane} -run begin:map_ffs\n"
            "techmap\ndfflegalize -cell $_DFF_P_ x\nabc -dff -D 1\nopt_clean\n"
            "write_rtlil lane.il\n")


def _mapping(core: Core, moved: bool) -> str:
    """Return the script that maps a core, its lane as it is or as it was written before."""
    names = [m.name for m in core.modules if not (moved and m.name == core.lane)]
    reads = "".join(f"read_verilog {name}.v\n" for name in names)
    return (("read_rtlil lane.il\n" if moved else "") + reads
            + f"synth_ecp5 -top {core.name} -json core.json\ntee -q -o stat.json stat -json\n")


def _yosys(folder: Path, script: str, seconds: float) -> None:
    (folder / "run.ys").write_text(script)
    tools.run([tools.yowasp("yosys"), "-q", "-s", "run.ys"], cwd=folder, seconds=seconds)


def _placed(core: Core, folder: Path, seeds, seconds: float, say) -> dict:
    """Return the MHz of a placed core for each seed, and what follows from them."""
    speeds, used = {}, {}
    for seed in seeds:
        say(f"{core.name}: placed with seed {seed}")
        tools.run([tools.yowasp("nextpnr-ecp5"), *PART, "--json", "core.json", "--freq", "150",
                   "--seed", str(seed), "--report", "report.json", "--timing-allow-fail", "-q"],
                  cwd=folder, seconds=seconds)
        said = json.loads((folder / "report.json").read_text())
        speeds[seed] = round(min(c["achieved"] for c in said["fmax"].values()), 2)
        used = {k: v["used"] for k, v in said["utilization"].items()}
    mhz = statistics.median(speeds.values())
    s = core.schedule
    images = mhz * 1e6 / max(s.clocks / s.batch, s.pixels)
    return {"mhz": mhz, "mhz_by_seed": speeds, "comb": used.get("TRELLIS_COMB", 0),
            "images_per_second": round(images), "placer": _placer()}


@lru_cache(maxsize=1)
def _placer() -> str:
    said = tools.run([tools.yowasp("nextpnr-ecp5"), "-V"])
    found = re.search(r"Version (nextpnr-)?([\w.+-]+)", said)
    return f"nextpnr-ecp5 {found[2] if found else 'of unknown version'}"


def cost_text(cost: Mapping, report: Mapping) -> str:
    """Return a cost in lines."""
    made = ", ".join(x for x in (cost["tools"], cost.get("placer")) if x)
    moved = "registers of the lanes moved by ABC" if cost["retimed"] else "registers as written"
    labels = {"lut4": "LUT4", "flip_flops": "flip-flops", "carries": "carry cells",
              "block_memories": "block memories", "lut_memories": "memories of LUTs",
              "multipliers": "multipliers"}
    lines = [f"{cost['target']} ({made}; {moved})"]
    lines += [f"  {label:18}{cost[k]:>8,}" for k, label in labels.items()]
    lines.insert(3, f"  {'of the blocks':18}{cost['block_registers']:>8,}  more, their output "
                    "registers")
    if "mhz" in cost:
        seeds = ", ".join(f"{m:g}" for m in cost["mhz_by_seed"].values())
        lines += [f"  {'cells of logic':18}{cost['comb']:>8,}",
                  f"  {'MHz':18}{cost['mhz']:>8g}  median of {seeds}",
                  f"  {'images/s':18}{cost['images_per_second']:>8,}  at "
                  f"{report['clocks_image']:,.0f} clocks an image"]
    return "\n".join(lines)
