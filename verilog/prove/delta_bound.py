"""How far lns-add is from the adder with the exact table: proved, and the bound is tight.

The bound is found by trying every gap of the operands, without a solver; that nothing
exceeds it and that something reaches it is then asked of all pairs of words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fxp.format import FormatError
from fxp.trace.bits import clamp, maximum, minimum, where
from fxp.trace.circuit import Circuit, evaluate, trace
from lnsarith.catalogue.operators import find
from lnsarith.delta import methods
from lnsarith.lns import spec as lns
from verilog.prove.mutants import Mutant
from verilog.prove.proof import Proof, settle
from verilog.prove.smt import Formula, constant

__all__ = ["CASES", "bound", "prove_bounds"]

# Signs, the smallest distance of the logarithms, in words.
CASES = {"same signs": (0, 0, "operands of equal signs"),
         "opposite signs": (-1, 1, "operands of opposite signs, one at least twice the other")}


def prove_bounds(f, options: Mapping, seconds: float) -> list[Proof]:
    """Return the proofs of the error bounds of lns-add; none for the exact table itself,
    for other options than the usual, or where there is no exact table."""
    settings = find("lns-add").settings(options)
    if str(settings["delta"]) == "exact" or settings["underflow"] != "zero":
        return []
    try:
        return [_proof(case, f, settings["delta"], seconds) for case in CASES]
    except FormatError:
        return []


def bound(case: str, f, method) -> int:
    """Return the largest error of a method in units of the last place of the log, over
    every gap, at the highest level and one octave below it."""
    opposite, least, _ = CASES[case]
    gaps = np.arange(least << f.frac, 1 << (f.bits - 1))
    worst = 0
    for level in (-1, -1 - (1 << f.frac)):
        possible = gaps[level - gaps > lns.zero_level(f)]
        ours, exact = (clamp(level + _delta(m, f)(possible, opposite), lns.zero_level(f), -1)
                       for m in (method, methods.Exact()))
        worst = max(worst, int(np.max(np.abs(ours - exact), initial=0)))
    return worst


def _delta(method, f):
    return method.at(f.frac, lns.zero_level(f))


def _proof(case: str, f, method, seconds: float) -> Proof:
    worst = bound(case, f, method)
    opposite, _, words = CASES[case]
    statement = f"the log is within {worst} ulp of the exact table's, for {words}"
    name = f"bound: {case}"
    if worst == 0:
        return Proof(name, statement, "fallback", mutant="none: nothing is below 0",
                     note=f"every gap tried: no error of {method}")
    for kind, make in (("all words", _of_words), ("all levels and gaps", _of_gaps)):
        asked = make(case, f, method, worst)
        tighter = Mutant("bound", f"{worst - 1} ulp instead", make(case, f, method, worst - 1))
        proof = settle(name, statement, asked, _ask, _replay, [tighter], seconds)
        if proof.verdict != "unknown":
            return replace(proof, note=f"asked of {kind}")
    return Proof(name, statement, "fallback", mutant=f"{worst - 1} ulp is exceeded at a gap",
                 note="no solver answered in time; every gap tried at two levels instead")


def _of_words(case: str, f, method, worst: int) -> Circuit:
    """Return the circuit that gives 1 where the error of the sum of two words is allowed."""
    ours, exact = (find("lns-add").circuit(f, delta=m) for m in (method, methods.Exact()))
    opposite, least, _ = CASES[case]

    def holds(x, y):
        p, q = lns.unpack(x, f), lns.unpack(y, f)
        gap = maximum(p.level, q.level) - minimum(p.level, q.level)
        meant = ((p.sign ^ q.sign) == opposite) & (gap >= least << f.frac) & (
            minimum(p.level, q.level) > lns.zero_level(f))
        return where(meant, _within(lns.unpack(evaluate(ours, x=x, y=y), f).level,
                                    lns.unpack(evaluate(exact, x=x, y=y), f).level, worst), 1)

    return trace(holds, {"x": f.words, "y": f.words}, outputs=["holds"])


def _of_gaps(case: str, f, method, worst: int) -> Circuit:
    """Return the same over the larger level and the gap, on which alone a sum depends."""
    opposite, least, _ = CASES[case]
    zero = lns.zero_level(f)

    def holds(level, gap):
        ours, exact = (clamp(level + _delta(m, f)(gap, opposite), zero, -1)
                       for m in (method, methods.Exact()))
        return where(level - gap > zero, _within(ours, exact, worst), 1)

    return trace(holds, {"level": (zero, -1), "gap": (least << f.frac, -1 - zero)},
                 outputs=["holds"])


def _within(a, b, worst: int):
    return (a - b <= worst) & (b - a <= worst)


def _ask(question: Circuit) -> Formula:
    formula = Formula()
    term, width = formula.circuit(question)[0]["holds"]
    formula.require(f"(= {term} {constant(0, width)})")
    return formula


def _replay(question: Circuit, model: Mapping) -> dict:
    inputs = {k: model[k] for k in question.inputs}
    return {} if evaluate(question, **inputs) else inputs
