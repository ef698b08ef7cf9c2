"""Equality of two large circuits by way of what is equal inside them.

A solver that has to compare only the outputs of deep circuits finds nothing in time. So
values inside that agree on some inputs are proved equal one after another, from the
inputs on, and each equality is given to the solver before the next question. They are
lemmas, proved for all inputs: they cannot change an answer.
"""

from __future__ import annotations

import random

from verilog.prove.solving.limits import Limit
from verilog.prove.solving.reader import read

__all__ = ["solve_by_lemmas"]

VECTORS = 12
LEMMA_SECONDS = 2.5


def solve_by_lemmas(formula, seconds: float):
    """Return (verdict, model, note) of a Formula, whose last line is the question.

    Each of its cells is paired with that one of its terms which has its value.
    """
    *known, last = formula.lines
    bitwuzla, parser = read(known)
    question = parser.parse_term(last.removeprefix("(assert ").removesuffix(")"))
    made = _Session(bitwuzla, parser)
    limit = Limit(seconds)
    free = {k: w for k, w in formula.inputs.items() if k not in formula.shown}
    for term, cell in made.pairs(free, formula.terms, formula.cells):
        if limit():
            return "unknown", {}, f"none within {seconds:g} s"
        different = f"(distinct {term} {cell})"
        if made.ask(parser.parse_term(different), min(limit.left, LEMMA_SECONDS)) == "unsat":
            made.learn(parser.parse_term(f"(= {term} {cell})"))
    answer = made.ask(question, max(0.001, limit.left))
    note = f"by {made.learnt} lemmas"
    if answer == "sat":
        return "refuted", {k: made.value(f"|{k}|") for k in formula.inputs}, note
    return ("proved", {}, note) if answer == "unsat" else (
        "unknown", {}, f"none within {seconds:g} s, {note}")


class _Session:
    """A solver to which lemmas are added; a question limits its own time."""

    def __init__(self, module, parser):
        self._module, self._parser = module, parser
        self._solver = parser.bitwuzla()
        self.learnt = 0

    def ask(self, formula, seconds: float) -> str:
        self._solver.configure_terminator(Limit(seconds))
        return {self._module.Result.SAT: "sat", self._module.Result.UNSAT: "unsat"}.get(
            self._solver.check_sat(formula), "unknown")

    def learn(self, formula):
        self.learnt += 1
        self._solver.assert_formula(formula)

    def value(self, text: str) -> int:
        found = self._solver.get_value(self._parser.parse_term(text)).value(10)
        return int(found)

    def pairs(self, inputs, terms, cells) -> list[tuple[str, str]]:
        """Return (term, cell), the term cut or extended to the cell, where random inputs
        give both one value; in the order of the terms."""
        columns = self._values(inputs, {**terms, **cells})
        found = []
        by_value: dict[int, dict[tuple, str]] = {}
        order = {k: i for i, k in enumerate(terms)}
        for cell, width in cells.items():
            if width not in by_value:
                by_value[width] = {}
                for k, own in terms.items():
                    key = tuple(_as_bits(v, own, width) for v in columns[k])
                    by_value[width].setdefault(key, k)
            term = by_value[width].get(tuple(columns[cell]))
            if term is not None and len(set(columns[cell])) > 1:
                found.append((order[term], _fitted(term, terms[term], width), cell))
        return [(term, cell) for _, term, cell in sorted(found)]

    def _values(self, inputs, widths) -> dict[str, list[int]]:
        """Return what each term is at random inputs: all are asked for as one, whose parts
        are then walked once and not once for each."""
        every = self._parser.parse_term(f"(concat (_ bv0 1) {' '.join(widths)})")
        columns: dict[str, list[int]] = {k: [] for k in widths}
        rng = random.Random(1)
        for _ in range(VECTORS):
            fixed = [self._parser.parse_term(
                f"(= |{k}| (_ bv{rng.randrange(1 << w)} {w}))") for k, w in inputs.items()]
            if self._solver.check_sat(*fixed) != self._module.Result.SAT:
                continue
            value = int(self._solver.get_value(every).value(10))
            for k, width in reversed(widths.items()):
                columns[k].append(value & ((1 << width) - 1))
                value >>= width
        return columns


def _as_bits(value: int, own: int, width: int) -> int:
    signed = value - (1 << own) if value >> (own - 1) else value
    return signed & ((1 << width) - 1)


def _fitted(term: str, own: int, width: int) -> str:
    if width > own:
        return f"((_ sign_extend {width - own}) {term})"
    return term if width == own else f"((_ extract {width - 1} 0) {term})"
