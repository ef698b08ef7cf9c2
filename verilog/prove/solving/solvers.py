"""The solvers that answer a formula for all inputs at once: bitwuzla, then z3."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from verilog.prove.smt import Formula
from verilog.prove.solving.lemmas import solve_by_lemmas
from verilog.prove.solving.limits import Limit, interrupted
from verilog.prove.solving.reader import read
from verilog.tools import ToolMissing

__all__ = ["Answer", "excluded", "solve", "versions"]


@dataclass(frozen=True)
class Answer:
    """What a solver said: proved (no inputs satisfy the formula), refuted, with the
    inputs that do, or unknown, with a note."""

    verdict: str
    solver: str
    seconds: float
    model: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


SOLVERS = ("bitwuzla", "bitwuzla by lemmas", "z3")
AT_ONCE = 1.0  # seconds after which lemmas are tried, where there are two sides to compare
SOON = 1.0  # seconds
LONG, LONG_AT_ONCE = 5000, 30.0  # lines: with large tables each lemma is slow


def solve(formula: Formula, seconds: float, solvers=SOLVERS) -> Answer:
    """Return the first definite answer of the solvers, each given the whole time, which is
    that of the processor.

    Raises ToolMissing if none is installed.
    """
    missing, spent, answer = [], 0.0, None
    for name, limit in _turns(formula, seconds, solvers):
        start = time.perf_counter()
        try:
            verdict, words, note = _asked(name, formula, limit)
        except ImportError:
            missing.append(name)
            continue
        spent += time.perf_counter() - start
        model = {k: _signed(v, formula.inputs[k]) for k, v in words.items()}
        answer = Answer(verdict, name, spent, model, note)
        if verdict != "unknown":
            return answer
    if answer is None:
        raise _missing(missing)
    return answer


def excluded(formula: Formula, questions: Sequence[str], seconds: float) -> Iterator[bool]:
    """Yield whether no inputs satisfy the formula together with each question, a term, in turn;
    False too where that is not shown in so many seconds of the processor.

    The formula is read once. Raises ToolMissing without bitwuzla.
    """
    try:
        bitwuzla, parser = read(formula.lines)
    except ImportError:
        raise _missing(["bitwuzla"]) from None
    solver = parser.bitwuzla()
    for question in questions:
        solver.configure_terminator(Limit(seconds))
        yield solver.check_sat(parser.parse_term(question)) == bitwuzla.Result.UNSAT


def _missing(names: Sequence[str]) -> ToolMissing:
    return ToolMissing(f"no solver is installed ({' or '.join(names)}): "
                       "pip install 'lnsarith[rtl]'")


def _turns(formula: Formula, seconds: float, solvers) -> list[tuple[str, float]]:
    """Return who is asked in turn, and for how long: z3 for a second before bitwuzla searches
    for lemmas, or goes on, as what one cannot do the other may do at once."""
    lemmas = bool(formula.cells and formula.terms)
    turns = [(name, seconds) for name in solvers if lemmas or name != "bitwuzla by lemmas"]
    if lemmas and "bitwuzla by lemmas" in solvers:
        at_once = LONG_AT_ONCE if len(formula.lines) > LONG else AT_ONCE
        turns = [(n, min(seconds, at_once) if n == "bitwuzla" else s) for n, s in turns]
    if len(turns) < 2 or seconds <= SOON or "z3" not in solvers:
        return turns
    first = [("bitwuzla", max(SOON, turns[0][1]) if lemmas else SOON), ("z3", SOON)]
    return first + (turns[1:] if lemmas else turns)


def _asked(name: str, formula: Formula, seconds: float):
    if seconds <= 0:
        return "unknown", {}, "no time"
    if name == "bitwuzla by lemmas":
        return solve_by_lemmas(formula, seconds)
    if name == "z3":
        return _z3("\n".join(formula.lines), formula.inputs, seconds)
    return _bitwuzla(formula.lines, formula.inputs, seconds)


def versions() -> str:
    """Return the names and versions of the installed solvers."""
    from importlib import metadata

    found = []
    for package, name in (("bitwuzla", "bitwuzla"), ("z3-solver", "z3")):
        try:
            found.append(f"{name} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def _bitwuzla(lines: Sequence[str], inputs, seconds: float):
    bitwuzla, parser = read(lines)
    solver = parser.bitwuzla()
    solver.configure_terminator(Limit(seconds))
    result = solver.check_sat()
    if result == bitwuzla.Result.UNSAT:
        return "proved", {}, ""
    if result != bitwuzla.Result.SAT:
        return "unknown", {}, f"none within {seconds:g} s"
    return "refuted", {k: int(solver.get_value(parser.parse_term(f"|{k}|")).value(10))
                       for k in inputs}, ""


def _z3(text: str, inputs, seconds: float):
    import z3

    context = z3.Context()
    solver = z3.SolverFor("QF_BV", ctx=context)
    solver.from_string(text)
    with interrupted(seconds, context.interrupt):
        result = solver.check()
    if result == z3.unsat:
        return "proved", {}, ""
    if result != z3.sat:
        return "unknown", {}, f"none within {seconds:g} s: {solver.reason_unknown()}"
    model = solver.model()
    return "refuted", {k: model.eval(z3.BitVec(k, w, context), model_completion=True).as_long()
                       for k, w in inputs.items()}, ""


def _signed(word: int, width: int) -> int:
    return word - (1 << width) if word >> (width - 1) else word
