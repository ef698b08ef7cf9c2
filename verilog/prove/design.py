"""Proofs for all inputs, each shown to be able to fail.

`prove` answers for an operator: the emitted Verilog is its circuit, no node of the
circuit leaves its range, and the laws that it is to keep. Every question is put for
mutants too, which have to be refuted by a counter-example that plain integers confirm;
without that, or without an answer in time, a proof has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from fxp.format import FormatError
from fxp.trace.circuit import Circuit, node_values
from verilog.design.design import operator_design
from verilog.prove.equal import prove_each
from verilog.prove.laws import prove_laws
from verilog.prove.mutants import Mutant, narrowed
from verilog.prove.proof import Proof, settle
from verilog.prove.smt import Formula, any_of

__all__ = ["prove", "prove_design", "prove_designs", "prove_ranges"]

def prove(operator, f, options: Mapping | None = None, latency: int = 0, seconds: float = 60,
          with_laws: bool = True) -> list[Proof]:
    """Return every proof of an operator in a format; `seconds` limits each query.

    Raises FormatError for what cannot be, ToolMissing without Yosys or a solver.
    """
    design = operator_design(operator, f, options, latency)
    found = prove_design(design, seconds)
    return found + (prove_laws(operator, f, options or {}, seconds) if with_laws else [])


def prove_design(design, seconds: float = 60) -> list[Proof]:
    """Return the proofs of a design: its Verilog, its clocking, its ranges. Of a unit of
    commands it is what stands within Cfu, which only names its ports."""
    return prove_designs([design], seconds)[0]


def prove_designs(designs, seconds: float = 60) -> list[list[Proof]]:
    """Return the proofs of each of some designs, which one run of Yosys reads."""
    inner = [_within_cfu(design) for design in designs]
    return [[*equal, *_all_ranges(design, seconds)]
            for design, equal in zip(inner, prove_each(inner, seconds))]


def _within_cfu(design):
    if design.commands and design.latency is None:
        if design.array:
            raise FormatError("an array behind commands is simulated, not proved; the array "
                              "itself is: lnsarith rtl prove NAME --option stationary=weight")
        return replace(design, modules=design.modules[:-2], commands=(), places={})
    return design


def _all_ranges(design, seconds: float) -> list[Proof]:
    ends = design.array.ends if design.array else {}
    return [prove_ranges(design.circuit, seconds),
            *(replace(prove_ranges(circuit, seconds), name=f"{name.rpartition('_')[2]} ranges")
              for name, circuit in ends.items())]


def prove_ranges(circuit: Circuit, seconds: float = 60) -> Proof:
    """Return the proof that every node stays in its range, what is `known` included."""
    proof = _ranges(circuit, seconds, free=True)
    if proof.verdict == "proved" or not any(n.op == "mul" for n in circuit.nodes):
        return proof
    return _ranges(circuit, seconds, free=False)


def _ranges(circuit: Circuit, seconds: float, free: bool) -> Proof:
    """Return the proof, with products left free or not."""
    products = sum(n.op == "mul" for n in circuit.nodes)
    said = (f", its {products} products any numbers that their operands' ranges allow"
            if products and free else "")
    claims = f" and all {len(circuit.claims)} claims hold" if circuit.claims else ""

    def ask(asked: Circuit) -> Formula:
        formula = Formula()
        abstract = free and asked is circuit
        formula.require(any_of(formula.circuit(asked, free_products=abstract)[1]))
        return formula

    def replay(asked: Circuit, model: Mapping) -> dict:
        inputs = {k: model[k] for k in asked.inputs}
        values = node_values(asked, inputs)
        for node in asked.nodes:
            if not node.low <= values[node.index] <= node.high:
                return {**inputs, node.name or f"{node.op}{node.index}": int(values[node.index])}
        return {}

    statement = f"no node leaves its range{claims}{said}"
    faults = (Mutant("range", text, other) for text, other, _ in islice(narrowed(circuit), 1))
    shown = settle("ranges", statement, circuit, ask, replay, faults, seconds)
    if not shown.mutant and not any(n.args for n in circuit.nodes):
        return replace(shown, verdict="proved", note="",
                       mutant="none needed: the circuit is a wire")
    return shown
