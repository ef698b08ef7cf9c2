"""What a whole core costs on an ECP5-85k: cells, block memories, multipliers, MHz.

Block memories and multipliers are allowed here. Lanes are synthesised alone first: their
registers, which carry cells would hold in their places, are moved through the step by ABC
(`abc -dff` on a netlist without carry cells), then the core is mapped around them. Lanes
with a multiplier keep their registers where they are, and so their DSP blocks. Registers that
stand behind block memories alone become those of the blocks.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fxp.format import FormatError
from lnsarith.host.files.whole import scratch
from verilog.core.inference.core import Core
from verilog.cost.ecp5 import (
    BLOCKS,
    COUNTED,
    NETLIST,
    SEEDS,
    TARGET,
    counts,
    map_cells,
    place,
    placer,
    yosys,
)
from verilog.cost.output_registers import absorb
from verilog.prove.netlist import yosys_version

__all__ = ["GOAL", "core_cost", "cost_text", "map_core", "require_room", "retiming"]

GOAL = 150  # MHz that the placer works towards


def require_room(core: Core) -> None:
    """Raise FormatError where a core's memories are more than an ECP5-85k has."""
    if core.memory_blocks > BLOCKS:
        raise FormatError(f"the memories of {core.name} take {core.memory_blocks:,} block "
                          f"memories, and an ECP5-85k has {BLOCKS}; a smaller network or fewer "
                          "images at a time would do")


def core_cost(core: Core, place_it: bool = False,
              say: Callable[[str], object] = lambda text: None,
              seeds: Sequence[int] = SEEDS, seconds: float = 3600) -> dict:
    """Return the cells of a core by kind, and placed its MHz for each seed, their median
    and images/s; `seconds` limits each run of a tool, say is told what begins.

    Raises ToolMissing and ToolError of the tools.
    """
    with scratch() as name:
        cost = map_core(core, Path(name), say, seconds)
        return cost | (_placed(core, Path(name), seeds, seconds, say) if place_it else {})


def map_core(core: Core, folder: Path, say: Callable[[str], object] = lambda text: None,
             seconds: float = 3600, multipliers: bool = True) -> dict:
    """Return the cells of a core, whose netlist is left in a folder."""
    for file, text in core.files.items():
        (folder / file).write_text(text)
    moved = "mul" not in {n.op for n in core.lane_circuit.nodes}
    if moved:
        say(f"{core.lane}: registers are moved")
        yosys(folder, retiming(core.lane), seconds)
    say(f"{core.name}: mapped to ECP5")
    names = [m.name for m in core.modules if not (moved and m.name == core.lane)]
    cells = map_cells(folder, names, core.name, seconds, "read_rtlil lane.il\n" if moved else "",
                      multipliers)
    absorbed = absorb(folder / NETLIST, core.name)
    cells["TRELLIS_FF"] -= absorbed
    return {"target": TARGET, "tools": yosys_version(), "retimed": moved, **counts(cells),
            "block_registers": absorbed, "cells": cells}


def retiming(lane: str) -> str:
    """Return the script that moves a lane's registers through its logic."""
    return (f"read_verilog {lane}.v\nsynth_ecp5 -noccu2 -top {lane} -run begin:map_ffs\n"
            "techmap\ndfflegalize -cell $_DFF_P_ x\nabc -dff -D 1\nopt_clean\n"
            "write_rtlil lane.il\n")


def _placed(core: Core, folder: Path, seeds, seconds: float, say) -> dict:
    """Return the MHz of a placed core for each seed, and what follows from them."""
    speeds: dict[int, float] = {}
    used: dict[str, int] = {}
    for seed in seeds:
        say(f"{core.name}: placed with seed {seed}")
        speeds[seed], used = place(folder, seed, GOAL, seconds)
    mhz = statistics.median(speeds.values())
    s = core.schedule
    images = mhz * 1e6 / max(s.clocks / s.batch, s.pixels)
    return {"mhz": mhz, "mhz_by_seed": speeds, "comb": used.get("TRELLIS_COMB", 0),
            "images_per_second": round(images), "placer": placer()}


def cost_text(cost: Mapping, report: Mapping) -> str:
    """Return a cost in lines."""
    made = ", ".join(x for x in (cost["tools"], cost.get("placer")) if x)
    moved = "registers of the lanes moved by ABC" if cost["retimed"] else "registers as written"
    lines = [f"{cost['target']} ({made}; {moved})"]
    lines += [f"  {label:18}{cost[k]:>8,}" for k, (label, _) in COUNTED.items()]
    lines.insert(3, f"  {'of the blocks':18}{cost['block_registers']:>8,}  more, their output "
                     "registers")
    if "mhz" in cost:
        seeds = ", ".join(f"{m:g}" for m in cost["mhz_by_seed"].values())
        lines += [f"  {'cells of logic':18}{cost['comb']:>8,}",
                  f"  {'MHz':18}{cost['mhz']:>8g}  median of {seeds}",
                  f"  {'images/s':18}{cost['images_per_second']:>8,}  at "
                  f"{report['clocks_image']:,.0f} clocks an image"]
    return "\n".join(lines)
