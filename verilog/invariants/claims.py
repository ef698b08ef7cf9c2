"""A claim about a core, and what becomes of it: it follows from lemmas, or is proved by an
invariant that was searched, or refuted by a run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from verilog.emit.module import Module
from verilog.invariants.cut import stub, watched
from verilog.invariants.lemmas import Lemma, assume, inductive, opened, port_of
from verilog.invariants.search import Cube, read_control, search
from verilog.prove.clocked.streams import is_one
from verilog.prove.netlist import Netlist
from verilog.prove.proof import Proof
from verilog.prove.smt import Formula, any_of
from verilog.prove.solving.solvers import Answer, solve

__all__ = ["Claim", "Control", "follows", "prove_claims"]

# Whether there was a reset; all other registers begin with any values.
ARMED = ("reg armed;", "always @(posedge i_clk) if (i_rst) armed <= 1'd1;")
UNARMED = "initial armed = 1'd0;"
LONGEST = 100  # clocks of a run that a solver is asked for


@dataclass(frozen=True)
class Claim:
    """A claim: broken is the Verilog of a bit that is never 1 after a reset; happens one that is
    at some clock, without which the claim would say nothing; watch are registers that both
    read, and what drives them; given are the names of claims that stand before it and help: it
    is shown of runs in which they hold, which are all, once they are proved."""

    name: str
    statement: str
    broken: str
    happens: str
    watch: Sequence[str] = ()
    given: Sequence[str] = ()


@dataclass(frozen=True)
class Control:
    """A core's modules, the top the last; kept are the names of those that stay, the others
    answer anything. clocks is how long a run is at most that shows something; lemmas are what
    claims may follow from, watch declares what they read beside registers and what claims
    watch."""

    modules: Sequence[Module]
    kept: frozenset[str]
    clocks: int
    claims: Sequence[Claim]
    lemmas: Sequence[Lemma] = ()
    watch: Sequence[str] = ()

    @property
    def top(self) -> str:
        return self.modules[-1].name

    @property
    def longest(self) -> int:
        """The clocks of the longest run that a solver is asked for; cores with lemmas may be
        larger than those whose runs it unrolls."""
        return min(self.clocks, LONGEST) if self.lemmas else self.clocks

    def text(self, first: bool = False) -> str:
        """Return all modules, the top with three outputs for each claim; first tells the search
        where runs begin."""
        told = {}
        for claim in self.claims:
            helps = "".join(f" & ~broken_{n} & ~before_{n}" for n in claim.given)
            told[f"broken_{claim.name}"] = f"armed & ({claim.broken}){helps}"
            told[f"alone_{claim.name}"] = f"armed & ({claim.broken})"
            told[f"happens_{claim.name}"] = f"armed & ({claim.happens})"
        before = [line for n in sorted({n for c in self.claims for n in c.given}) for line in (
            f"reg before_{n};",
            f"always @(posedge i_clk) before_{n} <= before_{n} | broken_{n};")]
        told |= {port_of(x): f"~armed | ({x.holds})" for x in self.lemmas}
        (*values, watch), inside = opened(
            [*told.values(), "\n".join(dict.fromkeys(
                [w for c in self.claims for w in c.watch] + [*self.watch]))], self.modules)
        told = dict(zip(told, values))
        lines = [*ARMED, *([UNARMED] if first else []), *inside, *before, *watch.split("\n")]
        parts = [m.text if m.name in self.kept else stub(m) for m in self.modules[:-1]]
        return "".join([*parts, watched(self.modules[-1].text, told, lines)])


def prove_claims(control: Control, seconds: float) -> list[Proof]:
    """Return the proof of every claim; seconds limits each search and each question."""
    net = read_control(control.text(), control.top)
    control = replace(control, lemmas=inductive(net, control.lemmas, seconds))
    text = replace(control, lemmas=()).text(True)
    proofs: dict[str, Proof] = {}
    for claim in control.claims:
        missing = [n for n in claim.given if not proofs[n].passed]
        proofs[claim.name] = _proof(control, claim, text, net, seconds) if not missing else Proof(
            claim.name, claim.statement, "unknown", note=f"{missing[0]} is not proved")
    return list(proofs.values())


def _proof(control: Control, claim: Claim, text: str, net: Netlist, seconds: float) -> Proof:
    begin = time.perf_counter()
    port = f"broken_{claim.name}"
    own, lemmas = net.part(port), control.lemmas

    def told(verdict: str, **more) -> Proof:
        return Proof(claim.name, claim.statement, verdict, seconds=time.perf_counter() - begin,
                     **more)

    answer, note = _within_lemmas(net, lemmas, port, seconds), (
        f"it follows from {len(lemmas)} lemmas")
    cubes: Sequence[Cube] | None = ()
    if answer.verdict != "proved":
        cubes = search(text, control.top, port, own.registers, seconds)
        if cubes is None:
            run = _run(control, net, port, seconds)
            if run.verdict == "refuted":
                return told("refuted", solver=run.solver, counterexample=run.model)
            return told("unknown", note=f"no invariant within {seconds:g} s, and no run of "
                        f"{control.longest} clocks breaks it")
        note = (f"an invariant of {len(cubes)} clauses, found by ABC in "
                f"{time.perf_counter() - begin:.1f} s")
        answer = solve(_unjustified(own, cubes, port), seconds)
        if answer.verdict != "proved":
            return told("unknown", note=f"the invariant that was found is none ({answer.verdict})")
    alone = f"alone_{claim.name}"
    without = solve(_unjustified(net.part(alone), (), alone), seconds)
    shown = _happens(control, net, f"happens_{claim.name}", seconds)
    if without.verdict != "refuted" or shown.verdict != "refuted":
        return told("unknown", note="a mutant was not caught: "
                    + ("it holds in any registers" if without.verdict != "refuted" else
                       f"no run of {control.longest} clocks has what the claim is about"))
    helped = f", of runs in which {' and '.join(claim.given)} holds" if claim.given else ""
    return told("proved", solver=answer.solver, note=note + helped,
                mutant="left out: the invariant; left out: what keeps it from being so")


def follows(net: Netlist, lemmas: Sequence[Lemma], port: str, seconds: float) -> bool:
    """Return whether an output is never 1 where lemmas hold."""
    return _within_lemmas(net, lemmas, port, seconds).verdict == "proved"


def _within_lemmas(net: Netlist, lemmas: Sequence[Lemma], port: str, seconds: float) -> Answer:
    """Return registers that lemmas allow and in which an output is 1."""
    formula = Formula()
    (now,) = net.part(port, *map(port_of, lemmas)).unroll(formula, [{}])
    assume(formula, lemmas, now)
    formula.require(is_one(now[port]))
    return solve(formula, seconds, ("bitwuzla",))


def _happens(control: Control, net: Netlist, port: str, seconds: float) -> Answer:
    """Return a run in which an output is 1, or, where runs are too long for a solver, registers
    that lemmas allow."""
    if control.clocks == control.longest or not control.lemmas:
        return _run(control, net, port, seconds)
    return _within_lemmas(net, control.lemmas, port, seconds)


def _unjustified(net: Netlist, cubes: Sequence[Cube], port: str) -> Formula:
    """Return the formula that cubes are no invariant: from registers without them, or after
    a clock of reset in any registers, there is one a clock later; or there is none, and the
    output is 1."""
    formula = Formula()
    now, after = net.unroll(formula, [{}, {}])
    holds, later = (_within(formula, cubes, step) for step in (now, after))
    started = f"(or {holds} {is_one(now['i_rst'])})" if "i_rst" in now else holds
    formula.require(f"(or (and {started} (not {later})) (and {holds} {is_one(now[port])}))")
    return formula


def _within(formula: Formula, cubes: Sequence[Cube], step: Mapping[str, str]) -> str:
    """Return the condition that registers have no cube."""
    bits: dict[tuple[str, int], str] = {}
    for name, bit, _ in {literal for cube in cubes for literal in cube}:
        bits[name, bit] = formula.define(
            "Bool", f"(= #b1 ((_ extract {bit} {bit}) {step[name]}))")
    literals = [[bits[n, b] if value else f"(not {bits[n, b]})" for n, b, value in cube]
                for cube in cubes]
    return formula.define("Bool", f"(not {any_of(map(_all_of, literals))})")


def _all_of(conditions: Sequence[str]) -> str:
    return f"(and true {' '.join(conditions)})"


def _run(control: Control, net: Netlist, port: str, seconds: float) -> Answer:
    """Return a run from a reset in which an output is 1 at some clock, as a model of what comes
    in, port@clock."""
    own = net.part(port)
    answer = Answer("unknown", "", 0.0)
    for clocks in (control.longest // 4, control.longest):
        formula = Formula()
        resets = [{"i_rst": "#b1"}, *[{"i_rst": "#b0"}] * clocks]
        given = [{k: v for k, v in step.items() if k in own.inputs} for step in resets]
        steps = own.unroll(formula, given)
        for clock, step in enumerate(steps):
            for name in own.inputs:
                if name.startswith("i_") and "." not in name and name != "i_clk":
                    formula.show(f"{name}@{clock}", step[name], own.widths[name])
        formula.require(any_of(is_one(step[port]) for step in steps[1:]))
        answer = solve(formula, seconds, ("bitwuzla",))
        if answer.verdict == "refuted":
            return answer
    return answer
