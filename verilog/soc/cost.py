"""What a lab's unit costs on an FPGA: LUT4s, flip-flops, MHz on a Lattice ECP5."""

from __future__ import annotations

import hashlib
import json

from fxp.compile.machine import kept
from verilog.cost.synth import synthesise
from verilog.soc.labs import Lab, word_unit
from verilog.soc.network import LabNetwork

__all__ = ["unit_cost"]

SEEDS = (1,)
SECONDS = 3600  # for each tool


def unit_cost(lab: Lab, network: LabNetwork) -> dict | None:
    """Return luts, flip_flops, memories, mhz and the tools' versions of a lab's unit, nothing
    of a lab without one; memories are block RAMs of 18 kbit. What was found is kept."""
    if not lab.unit:
        return None
    unit = word_unit(network.arithmetic) if network.arithmetic else lab.unit()
    text = "".join(f"{k}\n{v}" for k, v in sorted(unit.design.files.items()))
    name = f"cost_{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    found = kept.read(name)
    if found is None:
        cost = synthesise(unit.design, "ecp5-memories", place=True, seeds=SEEDS,
                          seconds=SECONDS)
        answer = {"luts": cost.luts, "flip_flops": cost.flip_flops,
                  "memories": cost.cells.get("DP16KD", 0), "mhz": cost.mhz, "tools": cost.tools}
        found = json.dumps(answer).encode()
        kept.write(name, found)
    return json.loads(found)
