"""lnsarith ops: the list of operators."""

from __future__ import annotations

import json
from argparse import Namespace

from lnsarith.catalogue.operator import Operator
from lnsarith.catalogue.operators import OPERATORS

__all__ = ["run"]

HEADER = ("operator", "operands", "computes", "options and their defaults")


def run(args: Namespace) -> int:
    """Print a line for each operator, or with args.json {"operators": [rows]}."""
    if args.json:
        print(json.dumps({"operators": [_row(o) for o in OPERATORS.values()]}))
    else:
        lines = [HEADER, *map(_cells, OPERATORS.values())]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print("  ".join(map(str.ljust, line, widths)).rstrip())
    return 0


def _cells(operator: Operator) -> tuple[str, ...]:
    options = " ".join(f"{o.name}={o.default}" for o in operator.options)
    return operator.name, " ".join(operator.operands), operator.summary, options


def _row(operator: Operator) -> dict:
    return {
        "name": operator.name,
        "family": operator.family,
        "operands": list(operator.operands),
        "computes": operator.summary,
        "returns": operator.doc,
        "options": [{"name": o.name, "default": o.default, "choices": list(o.choices),
                     "summary": o.summary} for o in operator.options],
    }
