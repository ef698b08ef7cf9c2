"""The search for an inductive invariant: the control of a core as an and-inverter graph, ABC."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from lnsarith.host.files.whole import scratch
from verilog import tools
from verilog.prove.netlist import Netlist, parsed_netlist

__all__ = ["Cube", "read_control", "search"]

Cube = tuple[tuple[str, int, int], ...]  # (register, bit, value), which are never so together
READ = ("read_verilog -sv all.v\nhierarchy -check -top {top}\nproc\nflatten\nmemory_collect\n"
        "memory_map -rom-only\nmemory_map\nopt_clean\n")
GRAPH = ("delete -output {top}/o:* {top}/o:{port} %d\nopt_clean\ntechmap\nopt_expr\nopt_clean\n"
         "dffunmap\nsimplemap\naigmap\nopt_clean\nwrite_aiger -zinit -vmap map.txt graph.aig\n")
# ABC is called where Yosys maps a circuit, here one of a gate, which it gets back in the end.
ABC = ("design -reset\nread_verilog gate.v\nprep\nsimplemap\nabc -script +write_blif,gate.blif;"
       "read_aiger,graph.aig;pdr,-T,{seconds},-d,-I,invariant.pla;read_blif,gate.blif;strash\n")
GATE = "module gate(input a, input b, output c); assign c = a & b; endmodule\n"


def read_control(text: str, top: str) -> Netlist:
    """Return the netlist of modules in one text."""
    with scratch() as name:
        folder = Path(name)
        (folder / "all.v").write_text(text)
        _yosys(folder, READ.format(top=top) + "write_smt2 out.smt2\n")
        return parsed_netlist((folder / "out.smt2").read_text(), top)


def search(text: str, top: str, port: str, registers: Collection[str], seconds: float
           ) -> Sequence[Cube] | None:
    """Return an invariant under which an output is never 1: values of bits of these registers
    that never come together; None if none is found in so many seconds by the clock."""
    with scratch() as name:
        folder = Path(name)
        (folder / "all.v").write_text(text)
        (folder / "gate.v").write_text(GATE)
        _yosys(folder, READ.format(top=top) + GRAPH.format(top=top, port=port)
               + ABC.format(seconds=max(1, round(seconds))))
        found = folder / "invariant.pla"
        if not found.is_file() or "Inductive invariant" not in (
                text := found.read_text()).partition("\n")[0]:
            return None
        return _cubes(text, _latches((folder / "map.txt").read_text(), registers))


def _yosys(folder: Path, script: str) -> None:
    (folder / "run.ys").write_text(script)
    tools.run([tools.yowasp("yosys"), "-q", "-s", "run.ys"], cwd=folder)


def _latches(text: str, registers: Collection[str]) -> Mapping[int, tuple[str, int, int]]:
    """Return each latch's register, bit and the value that the latch has where that is 1; what
    is 1 behind the first clock has no name."""
    found = {int(n): ("", 0, 1) for n in re.findall(r"^ninitff (\d+)", text, re.M)}
    for kind, number, bit, name in re.findall(r"^(latch|invlatch) (\d+) (\d+) (\S+)$", text, re.M):
        if name in registers:
            found[int(number)] = name, int(bit), int(kind == "latch")
    return found


def _cubes(text: str, latches: Mapping[int, tuple[str, int, int]]) -> list[Cube]:
    """Return what an invariant in ABC's PLA excludes."""
    inputs = [int(name[2:]) for name in text.partition(".ilb ")[2].partition("\n")[0].split()]
    found = []
    for values in re.findall(r"^([01-]+) 1$", text, re.M):
        cube = [(*latches[number][:2], int(v == str(latches[number][2])))
                for number, v in zip(inputs, values) if v != "-"]
        started = [value for name, _, value in cube if not name]
        if all(started):
            found.append(tuple(literal for literal in cube if literal[0]))
    return found
