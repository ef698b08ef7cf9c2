"""lnsarith rtl prove: a design's Verilog and an operator's laws, for all inputs."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from lnsarith.commands.rtl.design import add_design, design_of

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the design and how long a solver may take."""
    add_design(parser)
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N",
                        help="limit for each question to a solver, in seconds of the "
                             "processor's work (default 60)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace) -> int:
    """Print what was proved; 1 if a statement is refuted, unknown or without a caught
    mutant."""
    from verilog.prove.design import prove_design
    from verilog.prove.netlist import yosys_version
    from verilog.prove.solving.solvers import versions

    if not 0 <= args.seconds < float("inf"):
        raise ValueError(f"seconds must be 0 or more, got {args.seconds:g}")
    design = design_of(args)
    proofs = prove_design(design, args.seconds) + _laws(args)
    tools = f"{yosys_version()}, {versions()}"
    passed = all(p.passed for p in proofs)
    if args.json:
        print(json.dumps({"design": design.name, "settings": dict(design.settings),
                          "passed": passed, "tools": tools,
                          "proofs": [p.as_dict() for p in proofs]}))
    else:
        print("\n".join(_lines(design, proofs, tools)))
    return 0 if passed else 1


def _laws(args: Namespace) -> list:
    """Return the proofs of an operator's laws; units and wrapped operators have none."""
    from lnsarith.catalogue.operator import FAMILIES, Operator
    from lnsarith.catalogue.operators import parse_format
    from lnsarith.commands.operators.check import given_options
    from verilog.catalogue import find_row
    from verilog.prove.laws import prove_laws

    f = parse_format(args.arith) if args.arith else None
    family = next((k for k, kind in FAMILIES.items() if isinstance(f, kind)), None)
    row = find_row(args.op, family)
    if not isinstance(row, Operator) or args.cfu:
        return []
    return prove_laws(row, f or parse_format(row.usual_format),
                      given_options(args.option, args.delta), args.seconds)


def _told(counterexample) -> list[tuple[str, str]]:
    """Return a label and a text of a counter-example, of a run one for each clock."""
    clocks: dict[str, list[str]] = {}
    for key, value in counterexample.items():
        name, _, clock = key.partition("@")
        clocks.setdefault(f"clock {clock}" if clock else "for", []).append(f"{name}={value}")
    return [(label, " ".join(words)) for label, words in clocks.items()]


def _lines(design, proofs, tools: str) -> list[str]:
    settings = ", ".join(f"{k} {v}" for k, v in design.settings.items())
    wide = max(len(p.name) for p in proofs)
    lines = [f"{design.name}: {design.summary}", f"{settings}; {tools}", ""]
    for proof in proofs:
        verdict = proof.verdict if proof.passed else f"FAILED ({proof.verdict})"
        lines.append(f"{verdict:9} {proof.name:{wide}}  {proof.seconds:6.2f} s  {proof.statement}")
        lines += [f"{'':10}{'':{wide}}            {label} {text}" for label, text in (
            ("caught", proof.mutant), ("note", proof.note),
            *_told(proof.counterexample)) if text]
    failed = sum(not p.passed for p in proofs)
    fallbacks = sum(p.verdict == "fallback" for p in proofs)
    checked = f", {fallbacks} by trying all" if fallbacks else ""
    lines += ["", f"{len(proofs) - failed} of {len(proofs)} hold{checked}"]
    return lines
