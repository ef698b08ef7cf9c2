"""The claims of `sequence` for an array, in parts that a solver takes at any format.

All registers of an array move together or not at all, so a run with waiting is one
without it, some clocks repeated (`waiting`, `moving`). Without waiting every answer comes a fixed
number of clocks after its word (`taken`), and a word that is refused or not offered
leaves no trace (`refused`).
"""

from __future__ import annotations

from functools import partial

from verilog.prove.clocked.claims import CONTROL
from verilog.prove.clocked.references import Reference
from verilog.prove.clocked.streams import FULL, Start, Wires, is_one, registers_of, takes, word_of
from verilog.prove.smt import Formula, any_of

__all__ = ["after_any_words", "moving", "refused", "start_of", "taken", "waiting"]


def after_any_words(reference: Reference, formula: Formula) -> Wires:
    """Return the registers after `clocks` clocks of words or resets, from any registers.

    What is looked at is only what o_valid and o_ready depend on, all else is left free.
    While there is a reset the state before it is any: so runs that begin later are among
    them. But for resets i_ready is 1, which is enough where `waiting` and `moving` hold.
    """
    net = reference.net.part(*CONTROL)
    registers = registers_of(net, net.unroll(formula, [{}])[0])
    for _ in range(reference.clocks):
        free = net.unroll(formula, [{}])[0]
        resets = free["i_rst"]
        registers = {k: f"(ite {is_one(resets)} {free[k]} {term})"
                     for k, term in registers.items()}
        wires = {**registers, "i_rst": resets,
                 "i_ready": f"(bvor {free['i_ready']} (bvnot {resets}))"}
        registers = registers_of(net, net.unroll(formula, [wires, {}])[1])
    return registers


def start_of(reference: Reference) -> Start:
    """Return the start of a claim about an array: any registers, if they need not fit."""
    return Start(partial(after_any_words, reference)) if reference.spaced else Start()


def waiting(reference: Reference, weaker: str = "") -> Formula:
    """A register moves or a word is taken while an answer waits; weaker: "not waiting"."""
    net, formula = reference.net, Formula()
    now, after = net.unroll(formula, [{"i_rst": "#b0", "i_ready": "#b1" if weaker else "#b0"}, {}])
    formula.require(is_one(now["o_valid"]))
    formula.require(any_of([is_one(now["o_ready"]),
                            *(f"(distinct {now[k]} {after[k]})" for k in net.registers)]))
    return formula


def moving(reference: Reference, weaker: str = "") -> Formula:
    """i_ready does something though no answer waits; weaker: or while one does ("waiting")."""
    net, formula = reference.net, Formula()
    now, after = net.unroll(formula, [{"i_rst": "#b0", "i_ready": "#b0"}, {}])
    same = {**registers_of(net, now), **{k: now[k] for k in net.inputs}, "i_ready": "#b1"}
    flows, later = net.unroll(formula, [same, {}])
    if not weaker:
        formula.require(f"(= #b0 {now['o_valid']})")
    formula.require(any_of([f"(distinct {now['o_ready']} {flows['o_ready']})",
                            *(f"(distinct {later[k]} {after[k]})" for k in net.registers)]))
    return formula


def taken(reference: Reference, weaker: str = "") -> Formula:
    """At full speed a word that is taken does not have its answers, `delay` clocks later
    and all at once or one a clock, after those of the words before, or they change.

    weaker: answers with a wrong "bit".
    """
    net, formula = reference.net, Formula()
    now, after, kept = _two_runs(formula, reference, {**FULL, "i_valid": "#b1"})
    formula.require(is_one(now["o_ready"]))
    moved, answers = reference.take(formula, {k: kept[-1][k] for k in reference.keeps}, now)
    wrong = [f"(distinct {after[-1][k]} {moved[k]})" for k in moved]
    for clock, (new, old) in enumerate(zip([now, *after], kept)):
        place = clock - reference.delay
        given, word = answers[place] if 0 <= place < len(answers) else ("false", None)
        wrong += [f"(distinct {is_one(new['o_valid'])} (or {is_one(old['o_valid'])} {given}))",
                  _another(net, old, new)]
        if word is not None:
            word = f"(bvnot {word})" if weaker else word
            wrong.append(f"(and {given} (distinct {word} {word_of(net, new)}))")
        if place >= 0:
            wrong.append(f"(and {answers[0][0]} {is_one(old['o_valid'])})")
    formula.require(any_of(wrong))
    return formula


def refused(reference: Reference, weaker: str = "") -> Formula:
    """At full speed a word that is not taken changes answers or what is kept; weaker: "a
    word that is taken"."""
    net, formula = reference.net, Formula()
    now, after, kept = _two_runs(formula, reference, {"i_ready": "#b1", "i_rst": "#b0"})
    if not weaker:
        formula.require(f"(not {takes(formula, now)})")
    wrong = [f"(distinct {after[-1][k]} {kept[-1][k]})" for k in reference.keeps]
    for new, old in zip([now, *after], kept):
        wrong += [f"(distinct {new['o_valid']} {old['o_valid']})", _another(net, old, new)]
    formula.require(any_of(wrong))
    return formula


def _two_runs(formula: Formula, reference: Reference, first: Wires):
    """Return a clock, those after it until nothing is inside, and the same clocks from the
    same registers without the word of the first."""
    net, clocks = reference.net, reference.clocks + 1
    start = start_of(reference)
    now, *after = start.run(formula, net, [first, *[FULL] * clocks])
    kept = net.unroll(formula, [{**registers_of(net, now), **FULL}, *[FULL] * clocks])
    return now, after, kept


def _another(net, old: Wires, new: Wires) -> str:
    return f"(and {is_one(old['o_valid'])} (distinct {word_of(net, old)} {word_of(net, new)}))"
