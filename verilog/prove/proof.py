"""One proof: what it says, what became of it, and the faults that it caught."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

from fxp.trace.circuit import Circuit
from verilog.prove.mutants import Mutant
from verilog.prove.smt import Formula, constant
from verilog.prove.solving.solvers import Answer, solve

__all__ = ["Proof", "settle"]

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
        answer = _asked(fault, ask, seconds)
        spent += answer.seconds
        if answer.verdict != "refuted" or not replay(fault.circuit, answer.model):
            why = "not replayed" if answer.verdict == "refuted" else answer.verdict
            return replace(proof, verdict="unknown", seconds=spent,
                            note=f"a mutant was not caught ({why}): {fault.text}")
        caught.append(f"{fault.kind}: {fault.text}")
    if not caught:
        return replace(proof, verdict="unknown", note="no mutant to catch")
    return replace(proof, seconds=spent, mutant="; ".join(caught))


def _asked(fault: Mutant, ask: Callable[[Circuit], Formula], seconds: float) -> Answer:
    """Return the answer for a mutant: first for the words that are known to show it, which is
    the same question with fewer answers."""
    formula = ask(fault.circuit)
    known = [f"(assert (= |{k}| {constant(word, formula.inputs[k])}))"
             for k, word in fault.words.items() if k in formula.inputs]
    if known:
        formula.lines[-1:-1] = known
        answer = solve(formula, seconds, ("bitwuzla",))
        if answer.verdict == "refuted":
            return answer
        formula = ask(fault.circuit)
    return solve(formula, seconds)


def _confirmed(found: dict, answer: Answer) -> dict:
    if found:
        return {"counterexample": found}
    return {"verdict": "unknown", "counterexample": dict(answer.model),
            "note": "the solver's counter-example is none for plain integers"}
