"""The Verilog of an operator of one's own: read by three programs, simulated, proved."""

from __future__ import annotations

from collections.abc import Mapping

from lnsarith.catalogue.operators import find, parse_format
from lnsarith.testing.report import Report, given
from verilog.catalogue import design
from verilog.design.lint import lint
from verilog.prove.design import prove_design
from verilog.prove.laws import prove_laws
from verilog.simulate.icarus import simulate

__all__ = ["check_hardware"]

WORDS = 500  # that are simulated
SECONDS = 60.0  # for each question to a solver


def check_hardware(report: Report, operator: str, text: str, options: Mapping[str, str]) -> None:
    """Add to a report the design of an operator in a format of that name; AssertionError for
    complaints, wrong answers, and what is refuted or not proved."""
    made = design(operator, text, options)
    place = f"{made.name} ({text}{given(options)})"
    if complaints := lint(made):
        raise AssertionError(f"{place}: {'; '.join(complaints)}")
    simulated = simulate(made, vectors=WORDS)
    if not simulated.equal or not simulated.compared:
        raise AssertionError(f"{place}, simulated: {simulated.mismatches[:3] or simulated.faults}")
    proofs = prove_design(made, SECONDS)
    proofs += prove_laws(find(operator), parse_format(text), options, SECONDS)
    for proof in proofs:
        if not proof.passed:
            raise AssertionError(f"{place}: {proof.name} is {proof.verdict} ({proof.statement}) "
                                 f"{dict(proof.counterexample) or proof.note}")
    report.designs.append(made.name)
    report.proofs += [f"{p.name}: {p.statement}" for p in proofs]
