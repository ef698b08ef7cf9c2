"""Proofs of what a clocked design does with waiting, gaps and resets.

Every claim is shown by one step from any registers: what goes into the design, what is
inside and what comes out agree before and after a clock, so they agree at every clock.
A fault is reported by a run from a reset that shows it, all its ports clock by clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from verilog.design.design import Design
from verilog.prove.clocked import array_claims, claims
from verilog.prove.clocked.references import Reference, reference_of
from verilog.prove.clocked.streams import Start
from verilog.prove.netlist import Netlist
from verilog.prove.proof import Proof
from verilog.prove.smt import Formula
from verilog.prove.solving.solvers import Answer, solve

__all__ = ["prove_clocked"]

RUN_SECONDS = 4.0  # for a run that shows a fault; where there is one it takes a fraction


@dataclass(frozen=True)
class Claim:
    """A statement, the formula of a fault from any registers, how it can be weakened, and
    what finds a run that shows one, some clocks after a reset."""

    name: str
    statement: str
    ask: Callable[..., Formula]
    weaker: Sequence[str]
    finders: Sequence[Callable[[int, float], Answer]]


def prove_clocked(design: Design, net: Netlist, parts, seconds: float) -> list[Proof]:
    """Return the proofs; net is the design's, or that of its module Cfu, parts those of the
    modules below an array by the last part of their names."""
    reference = reference_of(design, net, parts)
    wrong_answers = _run_finder(partial(claims.sequence_after_reset, reference))
    wanted = _of_array if design.array else _of_flow
    return [_settled(claim, reference, seconds)
            for claim in (*wanted(design, reference, wrong_answers),
                          *_of_any(design, reference, wrong_answers))]


def _of_flow(design: Design, reference: Reference, finder) -> list[Claim]:
    what = "each word taken with done" if design.state else "each word taken"
    stages = [] if design.state else [Claim(
        "room", f"a word is taken whenever fewer than {reference.delay} are inside: gaps between "
        "words close while an answer waits, from any registers",
        partial(claims.room, reference, Start()), ("however many",),
        (_run_finder(partial(_begun, claims.room, reference)),))]
    return [Claim(
        "sequence", f"{what} has one answer, none lost, doubled or invented, in order: from any "
        "registers, what is inside before a clock and what it takes are what it gives and what "
        "is inside after it (by induction for runs of any length)",
        partial(claims.sequence, reference, Start()), ("any word", "bit"), (finder,)), *stages]


def _of_array(design: Design, reference: Reference, finder) -> list[Claim]:
    array = design.array
    assert array is not None
    size = f"{array.rows} x {array.columns} elements"
    return [
        Claim("waiting", "while an answer waits no register moves and no word is taken, from any "
              "registers", partial(array_claims.waiting, reference), ("not waiting",), (finder,)),
        Claim("moving", "while none waits i_ready changes nothing, from any registers",
              partial(array_claims.moving, reference), ("waiting",), (finder,)),
        Claim("wiring", f"without waiting the answers to a word, none lost, doubled, invented or "
              f"out of order, are those of {size} asked in turn, from "
              f"{_clocks(reference.delay)} after it, and sums or weights stay right (by induction "
              "for runs of any length)",
              partial(array_claims.taken, reference), ("bit",), (finder,)),
        Claim("refused", "a word that is not taken changes nothing (by induction likewise)",
              partial(array_claims.refused, reference), ("a word that is taken",), (finder,))]


def _of_any(design: Design, reference: Reference, finder) -> list[Claim]:
    start = array_claims.start_of(reference) if design.array else Start()
    kept = ", the registers set" if reference.keeps else ""
    waits = f" within {_clocks(reference.waits)}" if reference.waits else ""
    begun = "after any words and resets" if reference.spaced else "from any registers"

    def claim(name: str, statement: str, about: Callable, begin: Start, weaker: str) -> Claim:
        own = _run_finder(partial(_begun, about, reference))
        return Claim(name, statement, partial(about, reference, begin), (weaker,),
                     (finder, own) if about is claims.reset else (own,))

    return [
        claim("held", "o_valid stays and the answer does not change until i_ready, both "
              "functions of registers alone, from any registers", claims.held, Start(),
              "not waiting"),
        claim("reset", f"after a clock of reset in any registers nothing old comes out{kept}",
              claims.reset, Start(), "no reset"),
        claim("accepts", f"a word is taken{waits} whenever no answer waits, {begun}",
              claims.accepts, start, "while one waits"),
        claim("progress", f"an answer inside is offered within {_clocks(reference.delay)}, whether "
              f"or not i_ready rises, {begun}", claims.progress, start, "one clock fewer")]


def _clocks(count: int) -> str:
    return f"{count} clock{'s' if count != 1 else ''}"


def _begun(about: Callable, reference: Reference, clocks: int) -> Formula:
    return about(reference, Start(clocks=clocks))


def _run_finder(ask: Callable[[int], Formula]) -> Callable[[int, float], Answer]:
    """Return what looks for a run of some clocks, each length once."""
    @cache
    def find(clocks: int, seconds: float) -> Answer:
        return solve(ask(clocks), seconds, ("bitwuzla",))

    return find


def _settled(claim: Claim, reference: Reference, seconds: float) -> Proof:
    """Return the proof of a claim, which has to fail where it is weakened."""
    answer = solve(claim.ask(), seconds)
    proof = Proof(claim.name, claim.statement, answer.verdict, answer.solver, answer.seconds,
                  note=answer.note)
    if answer.verdict == "refuted":
        return _traced(claim, reference, proof, seconds)
    if answer.verdict != "proved":
        return proof
    spent = answer.seconds
    for weaker in claim.weaker:
        answer = solve(claim.ask(weaker=weaker), seconds)
        spent += answer.seconds
        if answer.verdict != "refuted":
            return replace(proof, verdict="unknown", seconds=spent,
                           note=f"a mutant was not caught ({answer.verdict}): {weaker}")
    return replace(proof, seconds=spent,
                   mutant="; ".join(f"weakened: {text}" for text in claim.weaker))


def _traced(claim: Claim, reference: Reference, proof: Proof, seconds: float) -> Proof:
    """Return the refutation with a run from a reset; unknown if none is found."""
    spent, why = proof.seconds, ""
    for find in claim.finders:
        for clocks in (0, reference.clocks + 2, 2 * reference.clocks + 2):
            answer = find(clocks, min(seconds, RUN_SECONDS))
            spent += answer.seconds
            if answer.verdict == "refuted":
                return replace(proof, seconds=spent, counterexample=_run_of(answer))
            why = answer.note or f"no run of {clocks} clocks after a reset shows it"
            if answer.verdict == "unknown":
                break
    return replace(proof, verdict="unknown", seconds=spent,
                   note=f"a step from some registers breaks it, but {why}")


def _run_of(answer: Answer) -> dict[str, int]:
    """Return the ports clock by clock, as port@clock; one bit is 0 or 1."""
    def place(key: str) -> tuple[int, bool]:
        port, _, clock = key.partition("@")
        return int(clock), port not in ("i_rst", "i_valid", "o_ready", "o_valid", "i_ready")

    flags = [k for k in answer.model if not place(k)[1]]
    words = {**answer.model, **{k: answer.model[k] & 1 for k in flags}}
    return {k: words[k] for k in sorted(words, key=place)}
