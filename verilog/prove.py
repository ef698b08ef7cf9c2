"""Proofs for all inputs, each shown to be able to fail.

`prove` answers for an operator: the emitted Verilog is its circuit, no node of the
circuit leaves its range, and the laws that it is to keep. Every question is put for
mutants too, which have to be refuted by a counter-example that plain integers confirm;
without that, or without an answer in time, a proof has failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import islice

from fxp.circuit import Circuit
from verilog.mutants import Mutant, all_values, narrowed
from verilog.smt import Formula, any_of
from verilog.solvers import Answer, solve

__all__ = ["Proof", "prove", "prove_ranges", "settle"]

PASSED = ("proved", "fallback")


@dataclass(frozen=True)
class Proof:
    """One statement and what became of it.

    verdict is proved, refuted, unknown, or fallback: checked on all inputs in another
    way, which the note tells. mutant tells the faults that were caught.
    """

    name: str
    statement: str
    verdict: str
    solver: str = ""
    seconds: float = 0.0
    mutant: str = ""
    counterexample: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the statement holds and its proof was seen to be able to fail."""
        return self.verdict in PASSED and bool(self.mutant)

    def as_dict(self) -> dict:
        return {**asdict(self), "passed": self.passed}


def prove(operator, f, options: Mapping | None = None, latency: int = 0, seconds: float = 60,
          with_laws: bool = True) -> list[Proof]:
    """Return every proof of an operator in a format; `seconds` limits each query.

    Raises FormatError for what cannot be, ToolMissing without Yosys or a solver.
    """
    from verilog.design import operator_design
    from verilog.prove_laws import prove_laws

    design = operator_design(operator, f, options, latency)
    found = prove_design(design, seconds)
    return found + (prove_laws(operator, f, options or {}, seconds) if with_laws else [])


def prove_design(design, seconds: float = 60) -> list[Proof]:
    """Return the proofs of a design: its Verilog, its clocking, its ranges."""
    from verilog.prove_equal import prove_equal

    ends = design.array.ends if design.array else {}
    return [*prove_equal([design], seconds), prove_ranges(design.circuit, seconds),
            *(replace(prove_ranges(circuit, seconds), name=f"{name.rpartition('_')[2]} ranges")
              for name, circuit in ends.items())]


def settle(name: str, statement: str, circuit: Circuit, ask: Callable[[Circuit], Formula],
           replay: Callable[[Circuit, Mapping], dict], faults: Iterable[Mutant],
           seconds: float) -> Proof:
    """Return the proof that no inputs satisfy ask(circuit), and that some do for mutants.

    replay(circuit, model) returns the counter-example with what plain integers make of
    it, or nothing if they do not confirm it.
    """
    answer = solve(ask(circuit), seconds)
    proof = Proof(name, statement, answer.verdict, answer.solver, answer.seconds,
                  note=answer.note)
    if answer.verdict == "refuted":
        return replace(proof, **_confirmed(replay(circuit, answer.model), answer))
    if answer.verdict != "proved":
        return proof
    caught, spent = [], answer.seconds
    for fault in faults:
        answer = solve(ask(fault.circuit), seconds)
        spent += answer.seconds
        if answer.verdict != "refuted" or not replay(fault.circuit, answer.model):
            why = "not replayed" if answer.verdict == "refuted" else answer.verdict
            return replace(proof, verdict="unknown", seconds=spent,
                            note=f"a mutant was not caught ({why}): {fault.text}")
        caught.append(f"{fault.kind}: {fault.text}")
    if not caught:
        return replace(proof, verdict="unknown", note="no mutant to catch")
    return replace(proof, seconds=spent, mutant="; ".join(caught))


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
        values = all_values(asked, inputs)
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


def _confirmed(found: dict, answer: Answer) -> dict:
    if found:
        return {"counterexample": found}
    return {"verdict": "unknown", "counterexample": dict(answer.model),
            "note": "the solver's counter-example is none for plain integers"}
