"""lnsarith ops: the list of operators."""

from __future__ import annotations

import json
from argparse import Namespace

from fxp.format import FormatError
from lnsarith.catalogue.operator import Operator
from lnsarith.catalogue.operators import OPERATORS, find, operator_for

__all__ = ["run"]

HEADER = ("operator", "operands", "computes", "options and their defaults")


def run(args: Namespace) -> int:
    """Print a line for each operator, or with args.json {"operators": [rows]}; of args.op
    alone if that is given, with args.c its function in C99."""
    if args.c:
        return _print_c(args)
    if args.arith or args.delta or args.option:
        raise FormatError("--arith, --delta and --option are for an operator in C: give --c")
    rows = [find(args.op)] if args.op else list(OPERATORS.values())
    if args.json:
        print(json.dumps({"operators": [_row(o) for o in rows]}))
    else:
        lines = [HEADER, *map(_cells, rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print("  ".join(map(str.ljust, line, widths)).rstrip())
    return 0


def _print_c(args: Namespace) -> int:
    from lnsarith.commands.operators.check import given_options
    from verilog.c99.design import design_c
    from verilog.design.design import operator_design

    if not args.op:
        raise FormatError("--c prints one operator: name it, as in lnsarith ops lns-add --c")
    operator, f = operator_for(args.op, args.arith)
    design = operator_design(operator, f, given_options(args.option, args.delta))
    text = design_c(design)
    print(json.dumps({"operator": operator.name, "circuit": design.circuit.digest, "c": text})
          if args.json else text, end="\n" if args.json else "")
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
