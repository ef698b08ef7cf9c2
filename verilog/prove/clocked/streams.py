"""Copies of a clocked netlist, and what goes through them as a stream of answers.

A design is empty once it ran for some clocks with no word offered and every answer
taken. What comes out on the way is what it had inside: this is how a state of registers
is read here, whatever the registers are called and however they work together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from verilog.prove.netlist import Netlist
from verilog.prove.smt import Formula

__all__ = ["FULL", "RANK", "Answers", "Start", "Wires", "data_of", "gives", "is_one", "ranked",
           "registers_of", "show", "takes", "unequal", "word_of"]

FULL = {"i_valid": "#b0", "i_ready": "#b1", "i_rst": "#b0"}  # on the way to being empty
HANDSHAKE = ("i_clk", "i_rst", "i_valid", "i_ready", "o_valid", "o_ready")
RANK = 8  # bits that count the answers inside; at most 64 stages or rows and columns

Answers = list[tuple[str, str]]  # (condition, word), the first answer first
Wires = Mapping[str, str]


class Start:
    """Where a run begins: at any registers, at those that begin(formula) returns, the others
    any, or `clocks` after a reset.

    After a reset the ports of all clocks are shown to models, as port@clock; the reset is
    clock 0, and the first one of a run is `clocks` + 1.
    """

    def __init__(self, begin: Callable[[Formula], Wires] | None = None,
                 clocks: int | None = None):
        self.begin = begin
        self.clocks = clocks

    def run(self, formula: Formula, net: Netlist, given: Sequence[Wires]) -> list[dict[str, str]]:
        """Return the wires of a copy for each mapping of wires to terms."""
        if self.clocks is None:
            registers = self.begin(formula) if self.begin else {}
            return net.unroll(formula, [{**registers, **given[0]}, *given[1:]])
        before: list[Wires] = [{"i_rst": "#b1"}, *[{}] * self.clocks]
        steps = net.unroll(formula, [*before, *given])
        show(formula, net, steps)
        return steps[len(before):]


def show(formula: Formula, net: Netlist, steps: Sequence[Wires]):
    """Let models tell the ports of all clocks."""
    for clock, step in enumerate(steps):
        for port in step:
            if port.startswith(("i_", "o_", "cmd_")) and "." not in port and port != "i_clk":
                formula.show(f"{port}@{clock}", step[port], net.widths[port])


def is_one(term: str) -> str:
    return f"(= #b1 {term})"


def takes(formula: Formula, step: Wires) -> str:
    """Return the condition that a word is taken at this clock."""
    return formula.define("Bool", is_one(f"(bvand {step['i_valid']} {step['o_ready']})"))


def gives(formula: Formula, step: Wires) -> str:
    """Return the condition that an answer is taken at this clock."""
    return formula.define("Bool", is_one(f"(bvand {step['o_valid']} {step['i_ready']})"))


def word_of(net: Netlist, step: Wires) -> str:
    """Return all data outputs side by side."""
    ports = [p for p in sorted(net.widths)
             if p.startswith("o_") and "." not in p and p not in HANDSHAKE]
    return f"(concat {' '.join(step[p] for p in ports)})" if len(ports) > 1 else step[ports[0]]


def data_of(net: Netlist, step: Wires) -> dict[str, str]:
    """Return the term of every data input."""
    return {wire: step[wire] for wire in net.inputs if wire not in HANDSHAKE}


def registers_of(net: Netlist, step: Wires) -> dict[str, str]:
    """Return the term of every register."""
    return {wire: step[wire] for wire in net.registers}


def unequal(formula: Formula, left: Answers, right: Answers) -> list[str]:
    """Return the conditions under which two streams differ somewhere or in length."""
    (ranks, count), (others, total) = ranked(formula, left), ranked(formula, right)
    found = [f"(distinct {count} {total})"]
    for (given, word), rank in zip(left, ranks):
        found += [f"(and {given} {due} (= {rank} {other}) (distinct {word} {wanted}))"
                  for (due, wanted), other in zip(right, others)]
    return found


def ranked(formula: Formula, answers: Answers) -> tuple[list[str], str]:
    """Return how many answers are before each one, and how many there are."""
    count, ranks = f"(_ bv0 {RANK})", []
    for given, _ in answers:
        ranks.append(count)
        count = formula.define(f"(_ BitVec {RANK})", f"(bvadd {count} (ite {given} (_ bv1 {RANK}) "
                                                     f"(_ bv0 {RANK})))")
    return ranks, count
