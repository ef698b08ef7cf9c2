"""What whoever drives a clocked design relies on, as formulas that must have no model.

Each function returns the formula of a fault, from registers at a `Start`. Its last
argument weakens an assumption, or asks for more than is true: then a model must be found.
"""

from __future__ import annotations

from verilog.prove.clocked.references import Reference
from verilog.prove.clocked.streams import (
    FULL,
    RANK,
    Answers,
    Start,
    Wires,
    gives,
    is_one,
    ranked,
    registers_of,
    show,
    takes,
    unequal,
    word_of,
)
from verilog.prove.netlist import Netlist
from verilog.prove.smt import Formula, any_of

__all__ = ["CONTROL", "accepts", "held", "progress", "reset", "room", "sequence",
           "sequence_after_reset"]

CONTROL = ("o_valid", "o_ready", "i_valid", "i_ready", "i_rst")


def sequence(reference: Reference, start: Start, weaker: str = "") -> Formula:
    """A word is lost, doubled, invented, out of order, or its answer is another's.

    What comes out on the way to empty, clock by clock, is compared before and after a
    clock: answers move up by one, but those that wait with no gap before them stay, and
    the answer to the word taken, if any, comes last; a gap is lost, an answer never.
    weaker: "any word" counts as taken, or the answer has a wrong "bit".
    """
    net, formula = reference.net, Formula()
    now, *after = start.run(formula, net, [{"i_rst": "#b0"}, *[FULL] * (reference.clocks + 1)])
    before = _emptied(formula, reference, now)
    taken = is_one(now["i_valid"]) if weaker == "any word" else takes(formula, now)
    kept = {k: before[-1][k] for k in reference.keeps}
    moved, answers = reference.take(formula, kept, now)
    if weaker == "bit":
        answers = [(given, f"(bvnot {word})") for given, word in answers]
    given, word = answers[0]
    wrong = [f"(distinct {after[-1][k]} (ite {taken} {moved[k]} {kept[k]}))" for k in kept]
    wrong += [f"(distinct {now['o_valid']} {before[0]['o_valid']})",
              f"(and {is_one(now['o_valid'])} "
              f"(distinct {word_of(net, now)} {word_of(net, before[0])}))"]
    wrong += _not_moved_up(formula, now, _seen(reference, before), _seen(reference, after),
                           (f"(and {taken} {given})", word), taken)
    formula.require(any_of(wrong))
    return formula


def _not_moved_up(formula: Formula, now: Wires, before: Answers, after: Answers,
                  new: tuple[str, str], taken: str) -> list[str]:
    """Return the conditions under which what comes out, the last clock of both apart, does
    not move up or stay as `sequence` tells, or anything comes at that last clock."""
    (*inside, rest), (*shown, late) = before, after
    stays = formula.define("Bool", f"(= #b0 {now['i_ready']})")
    wrong = [rest[0], late[0]]
    for (valid, word), old, later in zip(shown, inside, [*inside[1:], new]):
        stays = formula.define("Bool", f"(and {stays} {old[0]})")
        due = formula.define("Bool", f"(ite {stays} {old[0]} {later[0]})")
        wrong += [f"(distinct {valid} {due})",
                  f"(and {due} (distinct {word} (ite {stays} {old[1]} {later[1]})))"]
    return [*wrong, f"(and {stays} {taken})"]


def sequence_after_reset(reference: Reference, clocks: int) -> Formula:
    """The same in one run: a reset, some clocks with any inputs, and out with the rest."""
    net, formula = reference.net, Formula()
    steps = net.unroll(formula, [{"i_rst": "#b1"}, *[{"i_rst": "#b0"}] * clocks,
                                 *[FULL] * (reference.clocks + 1)])
    show(formula, net, steps)
    keeps, right = reference.after_reset(), []
    for step in steps[1:clocks + 1]:
        taken = takes(formula, step)
        moved, answers = reference.take(formula, keeps, step)
        right += [(f"(and {taken} {given})", word) for given, word in answers]
        keeps = {k: _named(formula, net, k, f"(ite {taken} {moved[k]} {keeps[k]})") for k in keeps}
    left = [(gives(formula, step), word_of(net, step)) for step in steps[1:]]
    formula.require(any_of(unequal(formula, left, right)))
    return formula


def held(reference: Reference, start: Start, weaker: str = "") -> Formula:
    """An answer that waits goes or changes, or depends on more than registers; weaker: it
    is taken ("not waiting")."""
    net, formula = reference.net, Formula()
    now, after = start.run(formula, net, [{"i_rst": "#b0"}, {}])
    other = net.unroll(formula, [registers_of(net, now)])[0]
    word = word_of(net, now)
    waits = "" if weaker else f"(= #b0 {now['i_ready']})"
    changed = any_of([f"(= #b0 {after['o_valid']})", f"(distinct {word} {word_of(net, after)})"])
    formula.require(any_of([
        f"(and {is_one(now['o_valid'])} {waits} {changed})",
        f"(distinct {now['o_valid']} {other['o_valid']})",
        f"(and {is_one(now['o_valid'])} (distinct {word} {word_of(net, other)}))"]))
    return formula


def reset(reference: Reference, start: Start, weaker: str = "") -> Formula:
    """Something of before is left after a reset; weaker: "no reset"."""
    net, formula = reference.net, Formula()
    wires: Wires = {} if weaker else {"i_rst": "#b1"}
    _, after = start.run(formula, net, [wires, FULL])
    control = net.part(*CONTROL)
    rest = control.unroll(formula, [{**registers_of(control, after), **FULL},
                                    *[FULL] * reference.clocks])
    left = [f"(distinct {after[k]} {word})" for k, word in reference.after_reset().items()]
    formula.require(any_of([*left, *(is_one(step["o_valid"]) for step in rest)]))
    return formula


def accepts(reference: Reference, start: Start, weaker: str = "") -> Formula:
    """No word would be taken though no answer waits; weaker: also "while one waits"."""
    net, formula = _control(reference, start), Formula()
    steps = start.run(formula, net, [{"i_rst": "#b0"}] * (reference.waits + 1))
    for step in steps:
        formula.require(f"(= #b0 {step['o_ready']})")
        if not weaker:
            formula.require(f"(not {_waiting(step)})")
    return formula


def room(reference: Reference, start: Start, weaker: str = "") -> Formula:
    """A word would not be taken though there are fewer inside than the pipeline has stages:
    a gap between words is not closed; weaker: "however many"."""
    net, formula = _control(reference, start), Formula()
    now = start.run(formula, net, [{"i_rst": "#b0"}])[0]
    rest = net.unroll(formula, [{**registers_of(net, now), **FULL},
                                *[FULL] * reference.clocks])
    _, inside = ranked(formula, [(is_one(step["o_valid"]), "") for step in rest])
    formula.require(f"(= #b0 {now['o_ready']})")
    if not weaker:
        formula.require(f"(bvult {inside} (_ bv{reference.delay} {RANK}))")
    return formula


def progress(reference: Reference, start: Start, weaker: str = "") -> Formula:
    """An answer that is inside does not come in `delay` clocks, whatever i_ready is;
    weaker: in "one clock fewer"."""
    net, formula = _control(reference, start), Formula()
    steps = start.run(formula, net, [{"i_rst": "#b0"}] * reference.delay)
    rest = net.unroll(formula, [{**registers_of(net, steps[0]), **FULL},
                                *[FULL] * reference.clocks])
    formula.require(any_of(is_one(step["o_valid"]) for step in rest))
    for step in steps[:-1] if weaker else steps:
        formula.require(f"(= #b0 {step['o_valid']})")
    return formula


def _control(reference: Reference, start: Start) -> Netlist:
    """Return what o_valid and o_ready depend on; all, where a run is shown."""
    return reference.net.part(*CONTROL) if start.clocks is None else reference.net


def _emptied(formula: Formula, reference: Reference, step: Wires) -> list[dict[str, str]]:
    """Return the clocks in which the registers of a step run empty."""
    return reference.net.unroll(formula, [
        {**registers_of(reference.net, step), **FULL}, *[FULL] * reference.clocks])


def _seen(reference: Reference, steps) -> Answers:
    return [(is_one(step["o_valid"]), word_of(reference.net, step)) for step in steps]


def _waiting(step: Wires) -> str:
    return f"(and {is_one(step['o_valid'])} (= #b0 {step['i_ready']}))"


def _named(formula: Formula, net, wire: str, term: str) -> str:
    return formula.define(f"(_ BitVec {net.widths[wire]})", term)
