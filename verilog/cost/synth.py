"""What a design costs: gates, LUTs, flip-flops, depth and MHz, by Yosys and nextpnr.

Targets: `gates` maps to two-input AND, OR, XOR and a multiplexer, each counted as one
gate, inverters apart; ice40, ecp5 and xilinx map to those FPGAs, with neither DSP
blocks nor block RAM, so that all logic is counted in LUTs; ecp5-memories has block RAM.

`gates` knows five flows: `plain` is Yosys' default; `booth` builds multipliers after
Booth; `area` and `booth-area` let ABC look longer for a small netlist. `best` is the
one of these with the fewest gates. A comparison takes best for both sides: the
default flow alone makes fixed-point multipliers look larger than they need be.
These four begin with a sweep by SAT for equal signals, which need not end where a long
product is shifted and clamped; `unswept` does without, and is what `best` then falls back to.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from lnsarith.host.files.whole import scratch
from verilog import tools
from verilog.design.design import Design
from verilog.prove.netlist import yosys_version

__all__ = ["FLOWS", "TARGETS", "Cost", "flows_of", "smallest", "synthesise"]

AREA = (" -script +strash;ifraig;scorr;dc2;resub,-K,12;rewrite;refactor;resub,-K,12;dc2;"
        "resub,-K,12,-N,2;rewrite,-z;refactor,-z;resub,-K,12,-N,3;dc2;dch;map,-a")
UNSWEPT = " -script +strash;ifraig;scorr;dc2;dretime;strash;dch,-f;map"
FLOWS = {"plain": ("", ""), "booth": (" -booth", ""), "area": ("", AREA),
         "booth-area": (" -booth", AREA), "unswept": (" -noabc", UNSWEPT)}
TARGETS = {
    "gates": "synth -flatten{options} -top {top}\nabc -g AND,OR,XOR,MUX{script}\nopt_clean",
    "ice40": "synth_ice40 -nobram -top {top}",
    "ecp5": "synth_ecp5 -nobram -nolutram -nodsp -top {top}",
    "ecp5-memories": "synth_ecp5 -nolutram -nodsp -top {top}",
    "xilinx": "synth_xilinx -nobram -nolutram -nodsp -noiopad -noclkbuf -flatten -top {top}",
}
PLACERS = {"ice40": ("nextpnr-ice40", ["--hx8k", "--package", "ct256"]),
           "ecp5": ("nextpnr-ecp5", ["--25k", "--package", "CABGA381"]),
           "ecp5-memories": ("nextpnr-ecp5", ["--85k", "--package", "CABGA381"])}
SEEDS = (1, 2, 3)
# Flip-flops and shift registers of the vendors: ltp would take them for logic (its -noff
# knows Yosys' own alone).
REGISTERS = "*/t:SB_DFF* */t:TRELLIS_FF */t:FD?E */t:SRL*"
LOGIC = {"$_AND_", "$_OR_", "$_XOR_", "$_MUX_"}


@dataclass(frozen=True)
class Cost:
    """What one design takes on one target; what does not apply to it is 0 or None.

    cells counts by the tools' names. depth is the longest path in gates or cells,
    from a port or register to the next. mhz is the median over the seeds of placing it with
    registers around.
    """

    design: str
    target: str
    flow: str
    tools: str
    cells: Mapping[str, int]
    gates: int = 0
    inverters: int = 0
    luts: int = 0
    carries: int = 0
    flip_flops: int = 0
    depth: int = 0
    mhz: float | None = None
    mhz_by_seed: Mapping[int, float] = field(default_factory=dict)
    seconds: float = 0.0

    def as_dict(self) -> dict:
        return asdict(self)


def synthesise(design: Design, target: str = "gates", place: bool = False,
               seeds: Sequence[int] = SEEDS, flow: str = "best", seconds: float = 600) -> Cost:
    """Return the cost of a design; `seconds` limits each run of a tool.

    Raises ValueError for what cannot be, ToolMissing and ToolError of the tools.
    """
    if target not in TARGETS:
        raise ValueError(f"target must be one of {', '.join(TARGETS)}, got {target!r}")
    if flow not in (*FLOWS, "best"):
        raise ValueError(f"flow must be one of {', '.join(FLOWS)} or best, got {flow!r}")
    if place and target not in PLACERS:
        raise ValueError(f"target must be one of {', '.join(PLACERS)} to be placed, got {target!r}")
    with scratch() as folder:
        for name, text in design.files.items():
            (Path(folder) / name).write_text(text)
        cost = (_best(design, target, folder, seconds) if flow == "best"
                else _mapped(design, target, flow, folder, seconds))
        if not place:
            return cost
        speeds = {seed: _placed(design, target, seed, folder, seconds) for seed in seeds}
    return Cost(**{**asdict(cost), "mhz": statistics.median(speeds.values()),
                   "mhz_by_seed": speeds, "tools": f"{cost.tools}, {_placer_version(target)}"})


def smallest(costs: Sequence[Cost]) -> Cost:
    """Return the cost with the fewest gates, then inverters."""
    return min(costs, key=lambda c: (c.gates, c.inverters))


def flows_of(design: Design, target: str = "gates") -> list[str]:
    """Return the flows among which to look for the best."""
    if target != "gates":
        return ["plain"]
    multiplies = any(n.op == "mul" for n in design.circuit.nodes)
    booths = () if multiplies else ("booth", "booth-area")  # the same as those without
    return [f for f in FLOWS if f not in (*booths, "unswept")]


def _best(design: Design, target: str, folder: str, seconds: float) -> Cost:
    """Return the smallest of the flows; what one of them does not end on, none of them does."""
    try:
        return smallest([_mapped(design, target, f, folder, seconds)
                         for f in flows_of(design, target)])
    except tools.ToolTimeout:
        if target != "gates":
            raise
        return _mapped(design, target, "unswept", folder, seconds)


def _mapped(design: Design, target: str, flow: str, folder: str, seconds: float) -> Cost:
    options, script = FLOWS[flow]
    top = design.top.name
    start = time.perf_counter()
    text = TARGETS[target].format(top=top, options=options, script=script)
    _yosys(folder, design, f"{text}\nflatten\ntee -q -o stat.json stat -json\n"
                           f"delete {REGISTERS}\ntee -q -o path.txt ltp -noff", seconds)
    cells = json.loads((Path(folder) / "stat.json").read_text())["design"][
        "num_cells_by_type"]
    path = re.search(r"length=(\d+)", (Path(folder) / "path.txt").read_text())
    return Cost(top, target, flow, yosys_version(), cells,
                gates=sum(n for k, n in cells.items() if k in LOGIC),
                inverters=cells.get("$_NOT_", 0),
                luts=_count(cells, r"(SB_)?LUT\d"),
                carries=_count(cells, r"SB_CARRY|CCU2C|CARRY4"),
                flip_flops=_count(cells, r"\$_S?DFF.*|SB_DFF.*|TRELLIS_FF|FD[RSCP]E"),
                depth=int(path[1]) if path else 0, seconds=time.perf_counter() - start)


def _count(cells: Mapping[str, int], pattern: str) -> int:
    return sum(n for k, n in cells.items() if re.fullmatch(pattern, k))


def _yosys(folder: str, design: Design, script: str, seconds: float, more: str = ""):
    reads = "".join(f"read_verilog {m.name}.v\n" for m in design.modules)
    (Path(folder) / "run.ys").write_text(f"{reads}{more}{script}\n")
    tools.run([tools.yowasp("yosys"), "-q", "-s", "run.ys"], cwd=folder, seconds=seconds)


def _placed(design: Design, target: str, seed: int, folder: str, seconds: float) -> float:
    """Return the MHz at which the design runs between registers, placed with a seed."""
    program, part = PLACERS[target]
    netlist = Path(folder) / "placed.json"
    if not netlist.exists():
        (Path(folder) / "around.v").write_text(_registered(design))
        text = TARGETS[target].format(top="around")
        _yosys(folder, design, f"{text}\nwrite_json placed.json", seconds,
               "read_verilog around.v\n")
    tools.run([tools.yowasp(program), *part, "--json", "placed.json", "--freq", "100",
               "--seed", str(seed), "--report", "report.json", "--timing-allow-fail", "-q"],
              cwd=folder, seconds=seconds)
    clocks = json.loads((Path(folder) / "report.json").read_text())["fmax"]
    return round(min(c["achieved"] for c in clocks.values()), 2)


def _registered(design: Design) -> str:
    """Return a module `around` with a register at every port of the design."""
    ports = [p for p in design.top.ports if p.name != "i_clk"]
    clocked = len(ports) < len(design.top.ports)

    def width(p):
        return f"[{p.width - 1}:0] " if p.width > 1 else ""

    heads = [f"  {'output reg' if p.output else 'input wire'} {width(p)}{p.name}" for p in ports]
    inner = [f"  {'wire' if p.output else 'reg'} {width(p)}w_{p.name};" for p in ports]
    moves = [f"    {p.name} <= w_{p.name};" if p.output else f"    w_{p.name} <= {p.name};"
             for p in ports]
    links = [f".{p.name}(w_{p.name})" for p in ports] + [".i_clk(i_clk)"] * clocked
    return "\n".join(["module around (\n  input wire i_clk,", ",\n".join(heads), ");", *inner,
                      "  always @(posedge i_clk) begin", *moves, "  end",
                      f"  {design.top.name} inner ({', '.join(links)});", "endmodule", ""])


@lru_cache(maxsize=4)
def _placer_version(target: str) -> str:
    program = PLACERS[target][0]
    found = re.search(r"Version (nextpnr-)?([\w.+-]+)", tools.run([tools.yowasp(program), "-V"]))
    return f"{program} {found[2] if found else 'of unknown version'}"
