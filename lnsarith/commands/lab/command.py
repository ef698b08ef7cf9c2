"""lnsarith lab list|run: labs with custom function units on a RISC-V, in simulation."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.common.options import add_data

__all__ = ["options"]

PATIENCE = "2000000000"


def options(parser: ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(metavar="list|run", required=True)
    listed = actions.add_parser("list", help="list the labs and their commands")
    listed.add_argument("--json", action="store_true", help="print one JSON object")
    listed.set_defaults(run=run_list)
    run = actions.add_parser("run", help="run labs on a network and compare them with lab 0")
    run.add_argument("labs", metavar="N", nargs="+", help="0..5, one or more, or all")
    run.add_argument("--run", dest="run_folder", metavar="RUN",
                     help="a folder of quantize, or for lab 5 of train (default: a network that "
                     "is trained on digits)")
    run.add_argument("--arith", metavar="A", help="of the network that is trained if there is "
                     "no RUN (default int8; of lab 5 lns12; or minselect12, fixed16, ...)")
    run.add_argument("--images", metavar="N", default="2",
                     help="test images (default 2); cycles are those of the last")
    run.add_argument("--own", metavar="FILE", help="Verilog of your own module Cfu, in the place "
                     "of the lab's unit")
    run.add_argument("--emulate", action="store_true",
                     help="the unit's emulation in C, in the place of the unit")
    run.add_argument("--no-cost", action="store_true",
                     help="leave out LUTs and MHz, which take the longest")
    run.add_argument("--cycles", metavar="N", default=PATIENCE,
                     help=f"at most, then a program counts as hung (default {PATIENCE})")
    run.add_argument("--plot", metavar="FILE", help="draw cycles by lab and layer")
    add_figure(run)
    run.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(run)
    run.set_defaults(run=run_labs)


def run_list(args: Namespace) -> int:
    """Print a line for each lab, and the commands of its unit."""
    from verilog.soc.labs import LABS

    rows: list[dict[str, Any]] = []
    for lab in LABS.values():
        unit = lab.unit() if lab.unit else None
        rows.append({"lab": lab.number, "title": lab.title, "firmware": lab.source,
                     "unit": unit.design.name if unit else None,
                     "commands": [c.name for c in unit.commands] if unit else []})
    if args.json:
        print(json.dumps({"labs": rows}))
    else:
        for row in rows:
            commands = f"  ({', '.join(row['commands'])})" if row["commands"] else ""
            print(f"{row['lab']}  {row['title']}{commands}")
    return 0


def run_labs(args: Namespace) -> int:
    """Print predictions, cycles and cost of labs; 1 if a word is not the engine's."""
    from lnsarith.commands.lab.run import run

    return run(args)
