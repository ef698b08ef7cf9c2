"""What becomes of a design with a fault: seen by sim, refuted by prove, or shown equal."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from verilog import tools
from verilog.design import Design
from verilog.lint import write_files
from verilog.netlist import read_netlists
from verilog.prove import prove_design
from verilog.simulate import simulate
from verilog.smt import Formula, any_of
from verilog.solvers import solve

__all__ = ["Verdict", "compiles", "judged"]


@dataclass(frozen=True)
class Verdict:
    """Whether sim and prove caught a fault, and whether it is shown to change nothing."""

    simulated: bool
    proved: bool
    equal: bool


def compiles(design: Design) -> bool:
    """Whether Icarus reads the design as Verilog-2001."""
    with tempfile.TemporaryDirectory() as folder:
        sources = write_files(design, Path(folder))
        command = [tools.program("iverilog"), "-g2001", "-s", design.name, "-o", "out", *sources]
        return not subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode


def judged(right: Design, faulty: Design, vectors: int, seed: int, seconds: float) -> Verdict:
    """Return what the project's own ways of checking make of a fault."""
    simulated, refuted = _simulated(faulty, vectors, seed), _refuted(faulty, seconds)
    return Verdict(simulated, refuted,
                   not simulated and not refuted and equal(right, faulty, seconds))


def _simulated(faulty: Design, vectors: int, seed: int) -> bool:
    try:
        return not simulate(faulty, vectors, seed).equal
    except tools.ToolError:  # it broke off, and `rtl sim` would end with 2
        return True


def _refuted(faulty: Design, seconds: float) -> bool:
    try:
        return any(p.verdict == "refuted" for p in prove_design(faulty, seconds))
    except tools.ToolError:  # a loop of wires, say
        return True


def equal(right: Design, faulty: Design, seconds: float) -> bool:
    """Return whether both answer alike, for ever, from the same registers on.

    By induction: from any state in which the registers of the faulty design are those of
    the right one, whatever comes in, ready, valid and an answer that is valid are the
    same and so are the registers after the clock.
    """
    nets = read_netlists([right, faulty])
    formula = Formula()
    widths: dict[str, int] = {}
    for net in nets:
        for _, _, wire, high, _ in net.sources:
            widths[wire] = max(widths.get(wire, 0), high + 1)
    formula.lines += [f"(declare-const |same {w}| (_ BitVec {n}))" for w, n in widths.items()]
    given = {wire: f"|same {wire}|" for wire in widths}
    (before, after), (other, later) = (net.unroll(formula, [given, {}]) for net in nets)
    registers = {wire for name, _, wire, _, _ in nets[1].sources if name in nets[1].nexts}
    if right.clocked and not registers <= {w for n, _, w, _, _ in nets[0].sources}:
        return False
    differ = [f"(distinct {after[w]} {later[w]})" for w in sorted(registers)]
    data = [f"(distinct {before[k]} {other[k]})" for k in (f"o_{k}" for k in right.outputs)]
    if right.clocked:
        differ.append(f"(distinct {before['o_valid']} {other['o_valid']})")
        differ.append(f"(and (= #b1 {before['i_valid']}) (distinct {before['o_ready']} "
                      f"{other['o_ready']}))")
        differ.append(f"(and (= #b1 {before['o_valid']}) {any_of(data)})")
    else:
        differ += data
    formula.require(any_of(differ))
    return solve(formula, seconds).verdict == "proved"
