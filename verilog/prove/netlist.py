"""Emitted Verilog as a formula: read by Yosys, unrolled for some clock cycles.

Yosys keeps every cell as it is and writes SMT-LIB. Tables become memories and those
trees of multiplexers, which solvers compare much faster than a chain; a memory left
over would have free words, so it is refused like everything not understood. Functions
of a state become plain definitions here, one copy for each cycle, so that inputs and
registers of a cycle are whatever terms they are given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from lnsarith.host.files.whole import scratch
from verilog import tools
from verilog.design.design import Design
from verilog.prove.smt import Formula

__all__ = ["Netlist", "parsed_netlist", "read_netlists", "yosys_version"]

SCRIPT = ("read_verilog {files}; hierarchy -check -top {top}; proc; flatten; "
          "memory_collect; memory_map -rom-only; opt_clean; "
          "select -assert-none t:$dff i:i_clk i:clk %u %co1:+$dff[CLK] %d; "
          "select -assert-none t:$dff r:CLK_POLARITY=1'0 %i; write_smt2 {out}")
FUNCTION = re.compile(r"\(define-fun \|(.+?)\| \(\(state \|.+?\|\)\) "
                      r"(Bool|\(_ BitVec \d+\)) (.*)\)$")
SOURCE = re.compile(r"\(declare-fun \|(.+?)\| \(\|.+?\|\) (Bool|\(_ BitVec \d+\))\) ; \\(\S+)"
                    r"(?: \[(\d+)(?::(\d+))?\])?$")
NEXT = re.compile(r"\(= (.+) \(\|([^|]+)\| next_state\)\)")
BEGIN, END = "(|", "| state)"
USE = re.compile(rf"{re.escape(BEGIN)}([^|]+){re.escape(END)}")


@dataclass
class Netlist:
    """A module as Yosys read it.

    sources are inputs and registers, or parts of them: name, sort, wire, its bits.
    cells are definitions in order, the last field tells those inside a table; ports gives
    the sort and the term of a wire, nexts what a source becomes at the clock.
    """

    sources: list[tuple[str, str, str, int, int]] = field(default_factory=list)
    cells: list[tuple[str, str, str, bool]] = field(default_factory=list)
    ports: dict[str, tuple[str, str]] = field(default_factory=dict)
    nexts: dict[str, str] = field(default_factory=dict)

    @property
    def registers(self) -> tuple[str, ...]:
        """The wires of all registers that have names."""
        kept = {wire for name, _, wire, _, _ in self.sources if name in self.nexts}
        return tuple(sorted(kept & set(self.ports)))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The wires of all inputs."""
        kept = {wire for name, _, wire, _, _ in self.sources if name not in self.nexts}
        return tuple(sorted(kept & set(self.ports)))

    @property
    def widths(self) -> dict[str, int]:
        """The bits of every port and register."""
        return {wire: _bits(sort)
                for wire, (sort, _) in self.ports.items()}

    def renamed(self, names: Mapping[str, str]) -> Netlist:
        """Return the netlist with other names for some wires."""
        sources = [(n, sort, names.get(w, w), high, low) for n, sort, w, high, low in self.sources]
        return replace(self, sources=sources,
                       ports={names.get(k, k): port for k, port in self.ports.items()})

    def part(self, *ports: str) -> Netlist:
        """Return what these ports depend on, at once or after clocks: a netlist whose
        registers go on without the others."""
        definitions = {**{cell[0]: cell[2] for cell in self.cells}, **self.nexts}
        seen: set[str] = set()
        waiting = [name for port in ports for name in USE.findall(self.ports[port][1])]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += USE.findall(definitions.get(name, ""))
        return Netlist([s for s in self.sources if s[0] in seen],
                       [c for c in self.cells if c[0] in seen],
                       {k: p for k, p in self.ports.items() if seen.issuperset(USE.findall(p[1]))},
                       {k: after for k, after in self.nexts.items() if k in seen})

    def unroll(self, formula: Formula, given: Sequence[Mapping[str, str]]
               ) -> list[dict[str, str]]:
        """Add one copy for each mapping of wires to terms; return every copy's wires.

        A wire is a bit-vector here, whatever its width. Inputs that are not given are
        free, and so are registers of the first copy that are not; later ones follow from it.
        """
        steps: list[dict[str, str]] = []
        before = ""
        for wires in given:
            tag = formula.tag()
            for name, sort, wire, high, low in self.sources:
                if before and name in self.nexts:
                    text = _tagged(before, self.nexts[name])
                    formula.lines.append(f"(define-fun |{tag}{name}| () {sort} {text})")
                elif wire in wires:
                    part = f"((_ extract {high} {low}) {wires[wire]})"
                    value = f"(= {part} #b1)" if sort == "Bool" else part
                    formula.lines.append(f"(define-fun |{tag}{name}| () {sort} {value})")
                else:
                    formula.lines.append(f"(declare-const |{tag}{name}| {sort})")
            for name, sort, expression, in_table in self.cells:
                text = _tagged(tag, expression)
                formula.lines.append(f"(define-fun |{tag}{name}| () {sort} {text})")
                if sort != "Bool" and not in_table:
                    formula.cells[f"|{tag}{name}|"] = _bits(sort)
            steps.append({port: _vector(sort, _tagged(tag, expression))
                          for port, (sort, expression) in self.ports.items()})
            before = tag
        return steps


def read_netlists(designs: Sequence[Design]) -> list[Netlist]:
    """Return the netlist of every design, all read by one run of Yosys."""
    with scratch() as folder:
        script = []
        for number, design in enumerate(designs):
            part = Path(folder) / f"d{number}"
            part.mkdir()
            for name, text in design.files.items():
                (part / name).write_text(text)
            files = " ".join(f"d{number}/{m.name}.v" for m in design.modules)
            script += ["design -reset", SCRIPT.format(files=files, top=design.top.name,
                                                      out=f"d{number}/out.smt2")]
        (Path(folder) / "read.ys").write_text("\n".join(script).replace("; ", "\n"))
        tools.run([tools.yowasp("yosys"), "-q", "-s", "read.ys"], cwd=folder)
        return [parsed_netlist((Path(folder) / f"d{n}/out.smt2").read_text(), d.top.name)
                for n, d in enumerate(designs)]


@lru_cache(maxsize=1)
def yosys_version() -> str:
    """Return such as Yosys 0.70."""
    return " ".join(tools.run([tools.yowasp("yosys"), "-V"]).split()[:2])


def parsed_netlist(text: str, top: str) -> Netlist:
    """Return the netlist in what write_smt2 wrote; ToolError for a line it never wrote."""
    net = Netlist()
    for line in text.replace(f"|{top}#", "|#").replace(f"|{top}_", "|_").splitlines():
        if found := SOURCE.match(line):
            name, sort, wire, high, low = found.groups()
            width = _bits(sort)
            low = int(low or high or 0)
            net.sources.append((name, sort, wire, low + width - 1, low))
        elif found := NEXT.search(line):
            net.nexts[found[2]] = found[1]
        elif found := FUNCTION.match(line.partition(" ; ")[0]):
            name, sort, expression = found.groups()
            if name.startswith("_n "):
                net.ports[name[3:]] = sort, expression
            elif name.startswith("#"):
                net.cells.append((name, sort, expression, "$rdmux[" in line))
            elif expression != "true":
                raise tools.ToolError(f"Yosys wrote a constraint: {line}")
        elif not line.startswith((";", "(declare-sort", "(declare-fun |_is|",
                                  "(define-fun |_t|", "))")):
            raise tools.ToolError(f"Yosys wrote what is not understood: {line}")
    return net


def _tagged(tag: str, expression: str) -> str:
    """Return an expression over the wires of a copy; a pattern would take most of an unrolling."""
    return expression.replace(BEGIN, f"|{tag}").replace(END, "|")


def _bits(sort: str) -> int:
    return 1 if sort == "Bool" else int(sort.split()[-1][:-1])


def _vector(sort: str, term: str) -> str:
    return f"(ite {term} #b1 #b0)" if sort == "Bool" else term
