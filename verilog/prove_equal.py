"""Proofs that the emitted Verilog of a design is its circuit, and keeps its handshake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fxp.circuit import Circuit, evaluate
from verilog.design import Design
from verilog.mutants import mutants
from verilog.netlist import Netlist, read_netlists
from verilog.prove import Proof, settle
from verilog.smt import Formula, any_of, constant, resized, solve

__all__ = ["prove_equal"]

SHOWN = "Verilog "  # before the names of outputs in a model


def prove_equal(designs: Sequence[Design], seconds: float = 60) -> list[Proof]:
    """Return the proofs for all designs, read by one run of Yosys: one for each that is
    combinational, two for each that has a clock."""
    proofs = []
    for design, netlist in zip(designs, read_netlists(designs)):
        proofs.append(_equal(design, netlist, seconds))
        if design.clocked:
            proofs.append(_handshake(design, netlist, seconds))
    return proofs


def _equal(design: Design, netlist: Netlist, seconds: float) -> Proof:
    differs, statement = _statement(design)
    widths = _widths(design, netlist)

    def ask(circuit: Circuit) -> Formula:
        formula = Formula()
        differs(formula, circuit, design, netlist)
        return formula

    def replay(circuit: Circuit, model: Mapping) -> dict:
        inputs = {k: model[k] for k in circuit.inputs}
        given = _answers(circuit, inputs)
        true = _answers(design.circuit, inputs)
        verilog = {k: model[SHOWN + k] for k in given if SHOWN + k in model}
        wrong = [k for k, word in verilog.items() if (word - given[k]) % (1 << widths[k])]
        if circuit is not design.circuit and any(
                (word - true[k]) % (1 << widths[k]) for k, word in verilog.items()):
            return {}  # the Verilog was proved to be the circuit, and here it is not
        if not wrong and circuit is not design.circuit:
            return {}
        return {**inputs, **{f"circuit {k}": given[k] for k in verilog},
                **{SHOWN + k: word for k, word in verilog.items()}}

    return settle("verilog", statement, design.circuit, ask, replay,
                  mutants(design.circuit), seconds)


def _statement(design: Design) -> tuple[Callable, str]:
    if design.state:
        return _machine_differs, ("one clock of the emitted Verilog from any state is one step "
                                  "of the circuit, or none if there is no word to take")
    if design.clocked:
        return _pipeline_differs, (f"{design.latency} clocks after the emitted Verilog takes "
                                   "any words, in any state, it answers as the circuit")
    return _wires_differ, "the emitted Verilog answers as the circuit for all inputs"


def _wires_differ(formula: Formula, circuit: Circuit, design: Design, netlist: Netlist):
    outputs, _ = formula.circuit(circuit)
    step = netlist.unroll(formula, [_inputs(formula, design, netlist)])[0]
    formula.require(any_of(_unequal(formula, outputs, step, design, netlist)))


def _pipeline_differs(formula: Formula, circuit: Circuit, design: Design, netlist: Netlist):
    outputs, _ = formula.circuit(circuit)
    flowing = {"i_ready": "#b1", "i_rst": "#b0"}
    first = {**_inputs(formula, design, netlist), **flowing, "i_valid": "#b1"}
    steps = netlist.unroll(formula, [first, *[flowing] * (design.latency or 0)])
    formula.require(any_of([f"(= #b0 {steps[0]['o_ready']})", f"(= #b0 {steps[-1]['o_valid']})",
                            *_unequal(formula, outputs, steps[-1], design, netlist)]))


def _machine_differs(formula: Formula, circuit: Circuit, design: Design, netlist: Netlist):
    outputs, _ = formula.circuit(circuit)
    before, after = netlist.unroll(
        formula, [{**_inputs(formula, design, netlist), "i_rst": "#b0"}, {}])
    takes = f"(= #b1 (bvand {before['i_valid']} {before['o_ready']}))"
    done = f"(and {takes} (distinct {outputs['done'][0]} {constant(0, outputs['done'][1])}))"
    wrong: list[str] = []
    for name, (term, own) in outputs.items():
        wire = name.removeprefix("next_") if name.startswith("next_") else f"o_{name}"
        if name == "done" or wire not in after:
            continue
        width = netlist.widths[wire]
        formula.show(SHOWN + name, after[wire], width)
        old = before[wire] if name.startswith("next_") else after[wire]
        moves = takes if name.startswith("next_") else done
        wrong.append(f"(distinct {after[wire]} (ite {moves} {resized(term, own, width)} {old}))")
    valid = (f"(ite {done} #b1 (bvand {before['o_valid']} (bvnot {before['i_ready']})))")
    formula.require(any_of([*wrong, f"(distinct {after['o_valid']} {valid})"]))


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


def _inputs(formula: Formula, design: Design, netlist: Netlist) -> dict[str, str]:
    """Return the term of every wire that holds an input of the circuit."""
    terms = {}
    for name, node in design.circuit.inputs.items():
        wire = name if name in design.state else f"i_{name}"
        if wire in netlist.widths:
            term = formula.input(name, node.low, node.high)
            terms[wire] = resized(term, formula.inputs[name], netlist.widths[wire])
    return terms


def _unequal(formula: Formula, outputs: Mapping, step: Mapping[str, str], design: Design,
             netlist: Netlist) -> list[str]:
    conditions = []
    for name, (term, own) in outputs.items():
        width = netlist.widths[f"o_{name}"]
        formula.show(SHOWN + name, step[f"o_{name}"], width)
        conditions.append(f"(distinct {step[f'o_{name}']} {resized(term, own, width)})")
    return conditions


def _answers(circuit: Circuit, inputs: Mapping[str, int]) -> dict[str, int]:
    found = evaluate(circuit, **inputs)
    return {k: int(v) for k, v in zip(
        circuit.outputs, found if isinstance(found, tuple) else (found,))}


def _widths(design: Design, netlist: Netlist) -> dict[str, int]:
    return {name: netlist.widths.get(f"o_{name}") or netlist.widths.get(
        name.removeprefix("next_"), 1) for name in design.circuit.outputs}
