"""Which design a command line means: OP, --arith, --delta, --option, --latency."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verilog.design.design import Design

__all__ = ["add_design", "design_of"]


def add_design(parser: ArgumentParser) -> None:
    """Add the operator or unit and its settings."""
    parser.add_argument("op", metavar="OP", help="a design's name, see lnsarith rtl list")
    parser.add_argument("--arith", metavar="FORMAT", help="such as lns16, lns9.4 or fixed12.7")
    parser.add_argument("--delta", metavar="METHOD", help="short for --option delta=METHOD")
    parser.add_argument("--option", metavar="NAME=VALUE", action="append", default=[],
                        help="an option of the design; may be repeated")
    parser.add_argument("--latency", type=int, metavar="N",
                        help="registers from input to output (default 0: combinational)")
    parser.add_argument("--target-ns", type=float, metavar="T",
                        help="as many registers as keep every stage below T ns, as estimated")
    parser.add_argument("--memh", action="store_true",
                        help="read tables from hex files ($readmemh), not case statements")
    parser.add_argument("--cfu", action="store_true",
                        help="wrap an operator as a custom function unit of CFU Playground")
    parser.add_argument("--name", metavar="NAME",
                        help="of the top module, the core and the folder (default: what the "
                        "design is); with --cfu the unit is NAME_Cfu, not Cfu")


def design_of(args: Namespace) -> Design:
    """Return the design; FormatError for what cannot be."""
    from lnsarith.commands.operators.check import given_options
    from verilog.catalogue import design

    return design(args.op, args.arith, given_options(args.option, args.delta), args.latency or 0,
                  args.target_ns, args.memh, args.cfu, args.name)
