"""How tables of experiments are asked for and printed: text, CSV, LaTeX or JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

__all__ = ["add_forms", "percent", "print_table"]


def add_forms(parser: ArgumentParser) -> None:
    """Add --csv, --latex and --json, of which one may be given."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="print comma-separated values")
    forms.add_argument("--latex", action="store_true", help="print a tabular of LaTeX (booktabs)")
    forms.add_argument("--json", action="store_true", help="print one JSON object")


def print_table(args: Namespace, head: Sequence[str], rows: Sequence[Sequence[str]],
                plain: dict, notes: Sequence[str] = ()) -> None:
    """Print rows as asked for, in JSON the plain data; notes as lines or comments below."""
    from nets.experiments.results.table import as_csv, as_latex, as_text

    if args.json:
        print(json.dumps(plain, allow_nan=False))
    elif args.csv:
        print(as_csv(head, rows))
    elif args.latex:
        print("\n".join([as_latex(head, rows), *(f"% {note}" for note in notes)]))
    else:
        print("\n".join([as_text(head, rows), *notes]))


def percent(value: float | None, signed: bool = False) -> str:
    """Return a share as a percentage with two digits, "-" for none."""
    if value is None:
        return "-"
    return f"{100 * value:+.2f}" if signed else f"{100 * value:.2f}"
