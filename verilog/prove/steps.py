"""What it means that a module is its circuit: at once, after clocks, or step by step.

Each function adds a circuit and copies of the netlist to a formula and asserts that
they differ somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from fxp.trace.circuit import Circuit
from verilog.design.design import Design
from verilog.prove.netlist import Netlist
from verilog.prove.smt import Formula, any_of, constant, resized

__all__ = ["MOVES", "SHOWN", "cfu_names", "parts_of", "statement_of"]

SHOWN = "Verilog "  # before the names of outputs in a model
REGISTER = "cmd_payload_inputs_"  # of a custom function unit, its two operands
MOVES = "moves "  # likewise: whether a register takes its new value


def parts_of(design: Design) -> dict[str, Design]:
    """Return what is proved of a design: itself, of an array also the modules below it, of a
    custom function unit also its module Cfu, by the last part of their names."""
    if design.array:
        below = {m.name.rpartition("_")[2]: m for m in design.modules[:-1]}
        return {"": design, **{k: replace(
            design, modules=(m,), circuit=design.array.ends.get(m.name, design.circuit))
            for k, m in below.items()}}
    inner = {"Cfu": replace(design, modules=design.modules[:-1])} if design.places else {}
    return {"": design, **inner}


def cfu_names(design: Design) -> dict[str, str]:
    """Return the names that ports of Cfu have in other designs."""
    return {"cmd_valid": "i_valid", "cmd_ready": "o_ready", "rsp_valid": "o_valid",
            "rsp_ready": "i_ready", "reset": "i_rst", "clk": "i_clk",
            "rsp_payload_outputs_0": f"o_{next(iter(design.outputs))}"}


def statement_of(design: Design, netlist: Netlist) -> tuple[Callable, str]:
    """Return the function that asserts the difference, and what is proved without one."""
    if "i_enable" in netlist.widths:
        return _element_differs, ("one clock of a processing element from any state is one step "
                                  "of the circuit")
    if design.array:
        return _wires_differ, f"the emitted {design.top.name} answers as its circuit"
    if design.state:
        return _machine_differs, ("one clock of the emitted Verilog from any state is one step "
                                  "of the circuit, or none if there is no word to take")
    if design.clocked:
        clocks = f"{design.latency} clock{'s' if design.latency != 1 else ''}"
        what = ("Cfu takes any operands, in any state and whatever the function id and unused "
                "bits are, its 32 bits are the circuit's word, extended"
                if REGISTER + "0" in netlist.widths else
                "the emitted Verilog takes any words, in any state, it answers as the circuit")
        return _pipeline_differs, f"{clocks} after {what}"
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
    lanes = {} if design.array else design.lanes
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
    for register in (0, 1):
        if f"{REGISTER}{register}" in netlist.widths:
            terms[f"{REGISTER}{register}"] = _register(formula, design, register)
    return terms


def _register(formula: Formula, design: Design, register: int) -> str:
    """Return the 32 bits that hold some operands, any bits around them."""
    parts, filled = [], 0
    held = [(low, width, name) for name, (where, low, width) in design.places.items()
            if where == register]
    for low, width, name in [*sorted(held), (32, 0, "")]:
        if low > filled:
            half = 1 << (low - filled - 1)
            parts.append(formula.input(f"unused {register} {filled}", -half, half - 1))
        if width:
            node = design.circuit.inputs[name]
            term = formula.input(name, node.low, node.high)
            parts.append(resized(term, formula.inputs[name], width))
        filled = low + width
    return f"(concat {' '.join(parts[::-1])})" if len(parts) > 1 else parts[0]
