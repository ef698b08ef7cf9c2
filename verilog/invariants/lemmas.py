"""What holds between a core's registers at every clock: written by hand, shown by induction.

A lemma names registers inside the parts of the core (`order.flight`) as well as its own. All
are shown together: where all hold at a clock, each holds at the next, and after a reset. So
the size of memories and counts does not matter, as it does to a search.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verilog.emit.module import Module
from verilog.prove.clocked.streams import is_one
from verilog.prove.netlist import Netlist
from verilog.prove.smt import Formula
from verilog.prove.solving.solvers import excluded

__all__ = ["Lemma", "assume", "fallen", "inductive", "opened", "port_of"]

INSIDE = re.compile(r"\b([a-z]\w*)\.([a-z]\w*)\b")


@dataclass(frozen=True)
class Lemma:
    """A relation between registers, as Verilog, that holds at every clock after a reset."""

    name: str
    holds: str


def port_of(lemma: Lemma) -> str:
    """Return the output that tells whether a lemma holds."""
    return f"lemma_{lemma.name}"


def opened(texts: Sequence[str], modules: Sequence[Module]) -> tuple[list[str], list[str]]:
    """Return texts in which part.register stands as Yosys names it where parts are dissolved,
    and the lines that declare these wires; modules are a core's, the top one last."""
    names = sorted({found for text in texts for found in INSIDE.findall(text)})
    lines = [f"(* hierconn *) wire {_span(modules, part, register)}\\{part}.{register} ;"
             for part, register in names]
    return [INSIDE.sub(r"\\\1.\2 ", text) for text in texts], lines


def _span(modules: Sequence[Module], part: str, register: str) -> str:
    """Return the range with which a part declares a register or a wire."""
    made = re.search(rf"^\s*(\w+)\s+{part}\s*\(", modules[-1].text, re.M)
    text = next(m.text for m in modules if made and m.name == made[1])
    found = re.search(rf"^\s*(?:reg|wire|output wire|input wire) (\[\d+:\d+\] ?)?"
                      rf"(?:[\w, ]+, )?{register}\b", text, re.M)
    assert found, f"{part} has no {register}"
    return found[1] or ""


def inductive(net: Netlist, lemmas: Sequence[Lemma], seconds: float) -> list[Lemma]:
    """Return those lemmas that hold at every clock after a reset, by induction: one that does
    not follow from the others is left out, and the others are shown anew."""
    kept = list(lemmas)
    while True:
        lost = fallen(net, kept, kept, seconds)
        if not lost:
            return kept
        kept = [x for x in kept if x not in lost]


def fallen(net: Netlist, lemmas: Sequence[Lemma], asked: Sequence[Lemma], seconds: float
           ) -> list[Lemma]:
    """Return those lemmas that are not shown to hold a clock after all hold; seconds limits
    each question."""
    formula = Formula()
    own = net.part(*map(port_of, lemmas))
    now, after = own.unroll(formula, [{}, {}])
    assume(formula, lemmas, now)
    broken = [f"(not {is_one(after[port_of(lemma)])})" for lemma in asked]
    return [lemma for lemma, shown in zip(asked, excluded(formula, broken, seconds)) if not shown]


def assume(formula: Formula, lemmas: Sequence[Lemma], step: Mapping[str, str]) -> None:
    """Require all lemmas at a clock."""
    for lemma in lemmas:
        formula.require(is_one(step[port_of(lemma)]))
