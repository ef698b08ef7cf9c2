"""What it means that a module is its circuit: at once, after clocks, or step by step.

Each function adds a circuit and copies of the netlist to a formula and asserts that
they differ somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from fxp.circuit import Circuit
from verilog.design import Design
from verilog.netlist import Netlist
from verilog.smt import Formula, any_of, constant, resized

__all__ = ["MOVES", "SHOWN", "is_array", "proved_part", "statement_of"]

SHOWN = "Verilog "  # before the names of outputs in a model
MOVES = "moves "  # likewise: whether a register takes its new value


def is_array(design: Design) -> bool:
    """Whether the circuit of a design is that of an element which it has many of."""
    return design.clocked and not design.state and design.latency is None


def proved_part(design: Design) -> Design:
    """Return the design, or of an array its element."""
    if not is_array(design):
        return design
    element = next(m for m in design.modules if m.name.endswith("_pe"))
    return replace(design, modules=(element,))


def statement_of(design: Design) -> tuple[Callable, str]:
    """Return the function that asserts the difference, and what is proved without one."""
    if is_array(design):
        return _element_differs, ("one clock of a processing element from any state is one step "
                                  "of the circuit (how elements are wired is not proved)")
    if design.state:
        return _machine_differs, ("one clock of the emitted Verilog from any state is one step "
                                  "of the circuit, or none if there is no word to take")
    if design.clocked:
        clocks = f"{design.latency} clock{'s' if design.latency != 1 else ''}"
        return _pipeline_differs, (f"{clocks} after the emitted Verilog takes "
                                   "any words, in any state, it answers as the circuit")
    return _wires_differ, "the emitted Verilog answers as the circuit for all inputs"


def _wires_differ(formula: Formula, circuit: Circuit, design: Design, netlist: Netlist):
    outputs, _ = formula.circuit(circuit)
    step = netlist.unroll(formula, [_inputs(formula, design, netlist)])[0]
    formula.require(any_of(_unequal(formula, outputs, step, netlist)))


def _pipeline_differs(formula: Formula, circuit: Circuit, design: Design, netlist: Netlist):
    outputs, _ = formula.circuit(circuit)
    flowing = {"i_ready": "#b1", "i_rst": "#b0"}
    first = {**_inputs(formula, design, netlist), **flowing, "i_valid": "#b1"}
    steps = netlist.unroll(formula, [first, *[flowing] * (design.latency or 0)])
    formula.require(any_of([f"(= #b0 {steps[0]['o_ready']})", f"(= #b0 {steps[-1]['o_valid']})",
                            *_unequal(formula, outputs, steps[-1], netlist)]))


def _machine_differs(formula: Formula, circuit: Circuit, design: Design, netlist: Netlist):
    outputs, _ = formula.circuit(circuit)
    before, after = netlist.unroll(
        formula, [{**_inputs(formula, design, netlist), "i_rst": "#b0"}, {}])
    takes = f"(= #b1 (bvand {before['i_valid']} {before['o_ready']}))"
    done = f"(and {takes} (distinct {outputs['done'][0]} {constant(0, outputs['done'][1])}))"
    moves = {name: (name.removeprefix("next_"), takes) if name.startswith("next_") else (
        f"o_{name}", done) for name in outputs if name != "done"}
    valid = f"(ite {done} #b1 (bvand {before['o_valid']} (bvnot {before['i_ready']})))"
    formula.require(any_of([*_unmoved(formula, outputs, moves, before, after, netlist),
                            f"(distinct {after['o_valid']} {valid})"]))


def _element_differs(formula: Formula, circuit: Circuit, design: Design, netlist: Netlist):
    outputs, _ = formula.circuit(circuit)
    before, after = netlist.unroll(
        formula, [{**_inputs(formula, design, netlist), "i_rst": "#b0"}, {}])

    def when(*ports: str) -> str:
        return f"(and true {' '.join(f'(= #b1 {before[p]})' for p in ('i_enable', *ports))})"

    passed = {p: (f"i_{p[2:]}", when()) for p in after
              if p.startswith("o_") and f"i_{p[2:]}" in before}
    if "weight" in outputs:
        sums = {name: f"o_{name.removeprefix('next_')}" for name in outputs if name != "weight"}
        moves = {**{name: (wire, when()) for name, wire in sums.items()},
                 "weight": ("active", when("i_swap"))}
        passed = {p: rule for p, rule in passed.items() if p not in sums.values()}
        passed |= {"shadow": ("i_w", when("i_load")), "o_w": ("shadow", when("i_load"))}
    else:
        moves = {name: (name.removeprefix("next_"), when("i_valid")) if name != "out" else (
            "o_out", when("i_valid", "i_last")) for name in outputs}
    moved = [f"(distinct {after[wire]} (ite {condition} {before[source]} {before[wire]}))"
             for wire, (source, condition) in passed.items()]
    formula.require(any_of([*moved, *_unmoved(formula, outputs, moves, before, after, netlist)]))


def _unmoved(formula: Formula, outputs: Mapping, moves: Mapping, before, after,
             netlist: Netlist) -> list[str]:
    """Return the conditions that a wire does not take an output when it has to, or moves
    when it has not to."""
    wrong = []
    for name, (wire, condition) in moves.items():
        if wire in after:
            term, own = outputs[name]
            width = netlist.widths[wire]
            formula.show(SHOWN + name, after[wire], width)
            formula.show(MOVES + name, f"(ite {condition} #b1 #b0)", 1)
            wrong.append(f"(distinct {after[wire]} (ite {condition} "
                         f"{resized(term, own, width)} {before[wire]}))")
    return wrong


def _unequal(formula: Formula, outputs: Mapping, step: Mapping[str, str], netlist: Netlist
             ) -> list[str]:
    conditions = []
    for name, (term, own) in outputs.items():
        width = netlist.widths[f"o_{name}"]
        formula.show(SHOWN + name, step[f"o_{name}"], width)
        conditions.append(f"(distinct {step[f'o_{name}']} {resized(term, own, width)})")
    return conditions


def _inputs(formula: Formula, design: Design, netlist: Netlist) -> dict[str, str]:
    """Return the term of every wire that holds inputs of the circuit."""
    lanes = {} if is_array(design) else design.lanes
    terms: dict[str, str] = {}
    for name, node in design.circuit.inputs.items():
        wire = name if name in netlist.widths else f"i_{name}"
        if wire in netlist.widths:
            term = formula.input(name, node.low, node.high)
            terms[wire] = resized(term, formula.inputs[name], netlist.widths[wire])
    for port, (count, width) in lanes.items():
        names = [f"{port}_{k}" for k in range(count)]
        if names[0] in design.circuit.inputs:
            parts = []
            for name in names:
                node = design.circuit.inputs[name]
                term = formula.input(name, node.low, node.high)
                parts.append(resized(term, formula.inputs[name], width))
            terms[f"i_{port}"] = parts[0] if count == 1 else f"(concat {' '.join(parts[::-1])})"
    return terms
