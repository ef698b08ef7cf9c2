"""Proofs that the emitted Verilog of a design is its circuit, and keeps its handshake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fxp.trace.circuit import Circuit, evaluate
from verilog.design.design import Design
from verilog.prove.clocked.proofs import prove_clocked
from verilog.prove.mutants import mutants
from verilog.prove.netlist import Netlist, read_netlists
from verilog.prove.proof import Proof, settle
from verilog.prove.smt import Formula
from verilog.prove.steps import MOVES, SHOWN, cfu_names, parts_of, statement_of

__all__ = ["prove_each", "prove_equal"]

def prove_equal(designs: Sequence[Design], seconds: float = 60) -> list[Proof]:
    """Return the proofs for all designs, read by one run of Yosys: one for each that is
    combinational, and what waiting, gaps and resets do for each that has a clock."""
    return [proof for proofs in prove_each(designs, seconds) for proof in proofs]


def prove_each(designs: Sequence[Design], seconds: float = 60) -> list[list[Proof]]:
    """Return the same, the proofs of each design by themselves."""
    every = [parts_of(d) for d in designs]
    netlists = iter(read_netlists([part for parts in every for part in parts.values()]))
    return [_proofs(design, parts, {name: next(netlists) for name in parts}, seconds)
            for design, parts in zip(designs, every)]


def _proofs(design: Design, parts: Mapping[str, Design], nets: Mapping[str, Netlist],
            seconds: float) -> list[Proof]:
    if design.array:
        return [*(_equal(parts[name], nets[name], seconds, "verilog" if name == "pe" else name)
                  for name in parts if name), *prove_clocked(design, nets[""], nets, seconds)]
    found = []
    for name in parts:
        net = nets[name].renamed(cfu_names(design)) if name else nets[""]
        proofs = [_equal(parts[name], net, seconds)]
        proofs += prove_clocked(design, net, {}, seconds) if design.clocked else []
        found += [replace(p, name=f"{name} {p.name}".strip()) for p in proofs]
    return found


def _equal(design: Design, netlist: Netlist, seconds: float, name: str = "verilog") -> Proof:
    differs, statement = statement_of(design, netlist)
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

    return settle(name, statement, design.circuit, ask, replay,
                  mutants(design.circuit), seconds)


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
