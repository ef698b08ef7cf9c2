"""Registers behind block memories of the ECP5, taken into the blocks.

A block's own output comes 5.8 ns after the clock, that of its output register much sooner. Yosys
maps registers beside the blocks; here those that take a block's output at every clock, and
that alone, become the block's (REGMODE_B = OUTREG). What a netlist does at each clock stays. Behind
a block that answers at both ports, as one of 36 bits does, registers stay where they are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

__all__ = ["absorb", "absorb_registers"]


def absorb(file: Path, top: str) -> int:
    """Do `absorb_registers` in a file of Yosys; return how many registers it was."""
    netlist = json.loads(file.read_text())
    count = absorb_registers(netlist, top)
    file.write_text(json.dumps(netlist))
    return count


def absorb_registers(netlist: dict, top: str) -> int:
    """Change a netlist of Yosys (its JSON, mapped to the ECP5) in place; return how many
    registers have become parts of blocks."""
    cells = netlist["modules"][top]["cells"]
    ports = netlist["modules"][top]["ports"].values()
    uses = Counter(bit for cell in cells.values() for name, bits in cell["connections"].items()
                   if cell["port_directions"][name] != "output" for bit in bits)
    uses.update(bit for port in ports for bit in port["bits"])
    takers = {cell["connections"]["DI"][0]: name for name, cell in cells.items()
              if cell["type"] == "TRELLIS_FF"}
    count = 0
    for block in [c for c in cells.values() if c["type"] == "DP16KD"]:
        read = [(pin, bit) for pin, bit in _outputs(block, "DOB") if uses[bit]]
        own = [takers.get(bit) for _, bit in read]
        if not read or any(uses[bit] for _, bit in _outputs(block, "DOA")):
            continue
        if not all(uses[bit] == 1 and name and _plain(cells[name], block)
                   for (_, bit), name in zip(read, own)):
            continue
        for (pin, _), name in zip(read, own):
            block["connections"][pin] = cells.pop(name)["connections"]["Q"]
            count += 1
        block["parameters"]["REGMODE_B"] = "OUTREG"
    return count


def _outputs(block: dict, port: str) -> Iterator[tuple[str, object]]:
    """Yield the pins of a port, DOA or DOB, that give data, and their nets."""
    for pin, bits in block["connections"].items():
        if pin.startswith(port) and bits:
            yield pin, bits[0]


def _plain(register: dict, block: dict) -> bool:
    """Whether a register takes its input at every clock of a block's port B, which has none of
    its own."""
    pins, block_pins = register["connections"], block["connections"]
    return (register["parameters"]["CEMUX"].strip() == "1"
            and register["parameters"]["CLKMUX"].strip() == "CLK"
            and pins["LSR"] == ["0"]
            and register["parameters"]["REGSET"].strip() == "RESET"
            and pins["CLK"] == block_pins["CLKB"] and block_pins["OCEB"] == ["1"]
            and block_pins["RSTB"] == ["0"]
            and block["parameters"]["REGMODE_B"].strip() == "NOREG")
