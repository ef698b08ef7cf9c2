"""Proofs that the emitted Verilog of a design is its circuit, and keeps its handshake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fxp.circuit import Circuit, evaluate
from verilog.design import Design
from verilog.mutants import mutants
from verilog.netlist import Netlist, read_netlists
from verilog.prove import Proof, settle
from verilog.smt import Formula, any_of, constant
from verilog.solvers import solve
from verilog.steps import MOVES, SHOWN, is_array, proved_part, statement_of

__all__ = ["prove_equal"]

def prove_equal(designs: Sequence[Design], seconds: float = 60) -> list[Proof]:
    """Return the proofs for all designs, read by one run of Yosys: one for each that is
    combinational, two for each that has a clock."""
    proofs = []
    netlists = read_netlists([proved_part(d) for d in designs])
    for design, netlist in zip(designs, netlists):
        proofs.append(_equal(design, netlist, seconds))
        if design.clocked and not is_array(design):
            proofs.append(_handshake(design, netlist, seconds))
    return proofs


def _equal(design: Design, netlist: Netlist, seconds: float) -> Proof:
    differs, statement = statement_of(design)
    widths = _widths(design, netlist)

    def ask(circuit: Circuit) -> Formula:
        formula = Formula()
        differs(formula, circuit, design, netlist)
        return formula

    def replay(circuit: Circuit, model: Mapping) -> dict:
        inputs = {k: model[k] for k in circuit.inputs}
        given = _answers(circuit, inputs)
        true = _answers(design.circuit, inputs)
        verilog = {k: model[SHOWN + k] for k in given
                   if SHOWN + k in model and model.get(MOVES + k, 1)}
        found = {**inputs, **{f"circuit {k}": given[k] for k in verilog},
                 **{SHOWN + k: word for k, word in verilog.items()}}
        if circuit is design.circuit:
            return found
        if given.get("done") != true.get("done"):
            return {**found, "circuit done": given["done"]}
        right = all((word - true[k]) % (1 << widths[k]) == 0 for k, word in verilog.items())
        wrong = any((word - given[k]) % (1 << widths[k]) for k, word in verilog.items())
        return found if right and wrong else {}

    return settle("verilog", statement, design.circuit, ask, replay,
                  mutants(design.circuit), seconds)


def _handshake(design: Design, netlist: Netlist, seconds: float) -> Proof:
    """Return the proof of what waiting and reset do; a mutant asks without one of them."""
    outputs = [f"o_{k}" for k in design.outputs]

    def ask(circuit: Circuit, waits: str = "i_ready", resets: str = "i_rst") -> Formula:
        formula = Formula()
        formula.circuit(design.circuit)
        before, after = netlist.unroll(formula, [{}, {}])
        for k in (waits, resets, "o_valid"):
            if k != "any":
                formula.show(k, before[k], 1)
        held = [f"(distinct {before[k]} {after[k]})" for k in outputs]
        held.append(f"(= #b0 {after['o_valid']})")
        waiting = "true" if waits == "any" else f"(= #b0 {before['i_ready']})"
        reset = "true" if resets == "any" else f"(= #b1 {before['i_rst']})"
        cleared = [f"(= #b1 {after['o_valid']})"]
        for register, value in design.state.items():
            if register in after:
                word = constant(value, netlist.widths[register])
                cleared.append(f"(distinct {after[register]} {word})")
        formula.require(
            f"(or (and (= #b1 {before['o_valid']}) (= #b0 {before['i_rst']}) {waiting} "
            f"{any_of(held)}) (and {reset} {any_of(cleared)}))")
        return formula

    statement = "an answer is held until it is taken; a reset clears the answer"
    statement += " and sets the registers" if design.state else ""
    answer = solve(ask(design.circuit), seconds)
    proof = Proof("handshake", statement, answer.verdict, answer.solver, answer.seconds,
                  counterexample=answer.model, note=answer.note)
    if answer.verdict != "proved":
        return proof
    caught = [text for text, relaxed in (("not waiting", {"waits": "any"}),
                                         ("no reset", {"resets": "any"}))
              if solve(ask(design.circuit, **relaxed), seconds).verdict == "refuted"]
    if len(caught) < 2:
        return Proof("handshake", statement, "unknown", note="a mutant was not caught")
    return Proof("handshake", statement, "proved", answer.solver, answer.seconds,
                 "; ".join(f"assumption: {text}" for text in caught))


def _answers(circuit: Circuit, inputs: Mapping[str, int]) -> dict[str, int]:
    found = evaluate(circuit, **inputs)
    return {k: int(v) for k, v in zip(
        circuit.outputs, found if isinstance(found, tuple) else (found,))}


def _widths(design: Design, netlist: Netlist) -> dict[str, int]:
    """Return the bits of the wire that holds each output."""
    found = {}
    for name in design.circuit.outputs:
        plain = name.removeprefix("next_")
        wires = [w for w in (plain, f"o_{plain}", "active") if w in netlist.widths]
        found[name] = netlist.widths[wires[0]] if wires else 1
    return found
