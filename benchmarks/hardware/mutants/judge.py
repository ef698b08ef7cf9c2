"""What becomes of a design with a fault: seen by sim, refuted by prove, or shown equal."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from verilog import tools
from verilog.design.design import Design
from verilog.design.lint import write_files
from verilog.prove.design import prove_design
from verilog.prove.netlist import Netlist, read_netlists
from verilog.prove.smt import Formula, any_of
from verilog.prove.solving.solvers import solve
from verilog.simulate.icarus import simulate

__all__ = ["Verdict", "compiles", "equal", "judged"]

PATIENT = 4  # times the limit of a question, to show two designs equal


@dataclass(frozen=True)
class Verdict:
    """Whether sim and prove caught a fault, and whether one that sim did not see is shown to
    change nothing; prove may refute that too, such as the sign that a zero has after a reset."""

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
                   not simulated and equal(right, faulty, PATIENT * seconds))


def _simulated(faulty: Design, vectors: int, seed: int) -> bool:
    try:
        return not simulate(faulty, vectors, seed).equal
    except tools.ToolError:  # it broke off, and `rtl sim` would end with 2
        return True


def _refuted(faulty: Design, seconds: float) -> bool:
    try:
        return any(p.verdict == "refuted" for p in prove_design(faulty, seconds))
    except tools.ToolError:  # a loop of wires, say, and `rtl prove` would end with 2
        return True


def equal(right: Design, faulty: Design, seconds: float) -> bool:
    """Return whether both answer alike, for ever: by induction over their registers, or, of
    pipelines whose registers differ, in all runs that fill every stage in every way, or
    though a reset leaves them different."""
    nets = read_netlists([right, faulty])
    if not set(_registers(nets[1])) <= nets[0].widths.keys():
        return False
    return _inductive(right, nets, seconds) or right.clocked and (
        _bounded(right, nets, seconds) if right.latency else _rejoined(right, nets, seconds))


def _inductive(right: Design, nets: list[Netlist], seconds: float) -> bool:
    """From any state in which the registers of the faulty design are those of the right one,
    whatever comes in: they show the same, and their registers are the same after the clock.

    The sign of a sum that is zero and an answer that is not valid may be any.
    """
    formula = Formula()
    given, registers = _shared(formula, nets), _registers(nets[1])
    own = _own(formula, nets[0], registers)
    one, other = (net.unroll(formula, [wires, {}]) for net, wires in zip(
        nets, (given, {**given, **own})))
    formula.require(f"(not {any_of(_unlike(right, registers, nets[0], one[0], other[0]))})")
    formula.require(any_of([*_shown(right, one[0], other[0]),
                            *_unlike(right, registers, nets[0], one[1], other[1])]))
    return solve(formula, seconds).verdict == "proved"


def _unlike(right: Design, registers, net: Netlist, one, other) -> list[str]:
    """Return the conditions that a register differs which matters."""
    found = []
    for wire in registers:
        differs = f"(distinct {one[wire]} {other[wire]})"
        level = re.sub(r"\bsign(_sum)?$", r"level\1", wire)
        if level != wire and level in registers:
            zero = 1 << (net.widths[level] - 1)
            differs = f"(and {differs} (distinct {one[level]} (_ bv{zero} {net.widths[level]})))"
        elif wire.removesuffix("_held") in right.outputs:
            differs = f"(and {differs} (= #b1 {one['o_valid']}))"
        found.append(differs)
    return found


def _bounded(right: Design, nets: list[Netlist], seconds: float) -> bool:
    """In every run after a reset, twice as long as the pipeline and two cycles more: by then
    each combination of filled stages has been there, and waiting makes no other."""
    formula = Formula()
    inputs = [{**_shared(formula, nets, f"at {k} "), "i_rst": "#b1" if k == 0 else "#b0"}
              for k in range(2 * (right.latency or 0) + 3)]
    free = {w for net in nets for w in _registers(net)}
    inputs = [{w: term for w, term in step.items() if w not in free} for step in inputs]
    runs = [net.unroll(formula, inputs) for net in nets]
    formula.require(any_of([d for one, other in list(zip(*runs))[1:]
                            for d in _shown(right, one, other)]))
    return solve(formula, seconds).verdict == "proved"


def _rejoined(right: Design, nets: list[Netlist], seconds: float) -> bool:
    """From equal registers, whatever comes in but a reset, both show the same and stay equal;
    a reset may leave some different, but then both show the same until all are equal again,
    which takes no more cycles than words take to their places in an array."""
    registers = _registers(nets[1])
    apart = [w for w in registers if not _same_after(right, nets, [w], "#b1", seconds)]
    if not _same_after(right, nets, registers, "#b0", seconds):
        return False
    cycles = {1, sum(count for count, _ in right.lanes.values())}
    return any(_joined_within(right, nets, apart, n, seconds) for n in sorted(cycles) if n)


def _joined_within(right: Design, nets: list[Netlist], apart, cycles: int, seconds: float) -> bool:
    formula, registers = Formula(), _registers(nets[1])
    first, *later = (_shared(formula, nets, f"at {k} ") for k in range(cycles + 1))
    free = set(_registers(nets[0]))
    inputs = [{w: term for w, term in wires.items() if w not in free} for wires in later]
    _, *one = nets[0].unroll(formula, [{**first, "i_rst": "#b1"}, *inputs, {}])
    state = {w: one[0][w] for w in registers} | _own(formula, nets[1], apart)
    other = nets[1].unroll(formula, [{**inputs[0], **state}, *inputs[1:], {}])
    joined = [w for w in registers if w not in apart]
    wrong, until = [], "true"
    for k in range(cycles):
        reset = f"(= #b1 {one[k]['i_rst']})"
        unlike = any_of(_unlike(right, joined, nets[0], one[k + 1], other[k + 1]))
        wrong.append(f"(and {until} {any_of(_shown(right, one[k], other[k]))})")
        wrong.append(f"(and {until} {reset} {unlike})")
        until = f"(and {until} (not {reset}))"
    unlike = any_of(_unlike(right, registers, nets[0], one[-1], other[-1]))
    formula.require(any_of([*wrong, f"(and {until} {unlike})"]))
    return solve(formula, seconds).verdict == "proved"


def _same_after(right: Design, nets: list[Netlist], registers, reset: str, seconds: float) -> bool:
    """Whether from equal registers both show the same and these registers stay equal."""
    formula = Formula()
    given = {**_shared(formula, nets), "i_rst": reset}
    (one, after), (other, later) = (net.unroll(formula, [given, {}]) for net in nets)
    formula.require(any_of([*_shown(right, one, other),
                            *_unlike(right, registers, nets[0], after, later)]))
    return solve(formula, seconds).verdict == "proved"


def _registers(net: Netlist) -> list[str]:
    return sorted({wire for name, _, wire, _, _ in net.sources if name in net.nexts})


def _own(formula: Formula, net: Netlist, registers) -> dict[str, str]:
    """Declare a constant for each register; return them by wire."""
    formula.lines += [f"(declare-const |own {w}| (_ BitVec {net.widths[w]}))" for w in registers]
    return {w: f"|own {w}|" for w in registers}


def _shared(formula: Formula, nets: list[Netlist], prefix: str = "") -> dict[str, str]:
    """Declare one constant for each input and register; return them by wire."""
    widths: dict[str, int] = {}
    for _, _, wire, high, _ in (source for net in nets for source in net.sources):
        widths[wire] = max(widths.get(wire, 0), high + 1)
    formula.lines += [f"(declare-const |{prefix}same {w}| (_ BitVec {n}))"
                      for w, n in widths.items()]
    return {wire: f"|{prefix}same {wire}|" for wire in widths}


def _shown(right: Design, one, other) -> list[str]:
    """Return the conditions that ready, valid or an answer that is valid differ."""
    data = [f"(distinct {one[k]} {other[k]})" for k in (f"o_{k}" for k in right.outputs)]
    if not right.clocked:
        return data
    return [f"(distinct {one['o_valid']} {other['o_valid']})",
            f"(and (= #b1 {one['i_valid']}) (distinct {one['o_ready']} {other['o_ready']}))",
            f"(and (= #b1 {one['o_valid']}) {any_of(data)})"]
