"""Proofs of the laws of an operator, with mutants that break them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from fxp.trace.circuit import Circuit, evaluate, trace
from fxp.trace.graph import SpecError
from verilog.prove.law import Law, laws_of
from verilog.prove.mutants import KINDS, Mutant, mutants, samples
from verilog.prove.proof import Proof, settle
from verilog.prove.smt import Formula, constant

__all__ = ["law_circuit", "prove_laws"]


def prove_laws(operator, f, options: Mapping, seconds: float = 60) -> list[Proof]:
    """Return a proof of every law of an operator, and for lns-add the bounds of its error
    against the exact table."""
    from verilog.prove.delta_bound import prove_bounds

    circuit = operator.circuit(f, **options)
    ports = operator.ports(f, **options)
    found = [_proof(law, circuit, ports, f, seconds) for law in laws_of(operator, f, options)]
    return found + (prove_bounds(f, options, seconds) if operator.name == "lns-add" else [])


def law_circuit(law: Law, ports: Mapping[str, tuple[int, int]], f,
                operators: Callable[[int], Circuit]) -> Circuit:
    """Return the circuit that gives 1 where the law holds; operators(n) is the operator
    as the law calls it for the n-th time."""
    calls = iter(range(1 << 30))

    def op(**words):
        found = evaluate(operators(next(calls)), **words)
        return found

    def holds(**words):
        return law.holds(op, _Named(words), f)

    every = {**ports, **{k: ports[other] for k, other in law.more.items()}}
    return trace(holds, every, outputs=["holds"], name=law.name)


class _Named(dict):
    """Words by name, as attributes too."""

    __getattr__ = dict.__getitem__


def _proof(law: Law, circuit: Circuit, ports, f, seconds: float) -> Proof:
    asked = law_circuit(law, ports, f, lambda n: circuit)

    def ask(question: Circuit) -> Formula:
        formula = Formula()
        term, width = formula.circuit(question)[0]["holds"]
        formula.require(f"(= {term} {constant(0, width)})")
        return formula

    def replay(question: Circuit, model: Mapping) -> dict:
        inputs = {k: model[k] for k in question.inputs}
        return {} if evaluate(question, **inputs) else inputs

    return settle(f"law: {law.name}", law.statement, asked, ask, replay,
                  _breaking(law, circuit, ports, f, asked), seconds)


def _breaking(law: Law, circuit: Circuit, ports, f, asked: Circuit) -> Iterator[Mutant]:
    """Yield one fault of the operator that breaks the law, wherever the law calls it, or
    else only where it calls it first."""
    words = samples(asked)
    for everywhere in (True, False):
        made: list[Circuit] = []

        def breaks(mutated: Circuit, made=made, everywhere=everywhere) -> bool:
            try:
                question = law_circuit(law, ports, f, lambda n: (
                    mutated if everywhere or n == 0 else circuit))
            except SpecError:
                return False
            made.append(question)
            return bool((np.asarray(evaluate(question, **words)) == 0).any())

        for kind in KINDS:
            for mutant in mutants(circuit, (kind,), breaks):
                place = "" if everywhere else ", in one place"
                yield replace(mutant, circuit=made[-1], text=mutant.text + place)
                return
