"""lnsarith rtl synth: what a design costs in gates, LUTs and MHz."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from fxp.format import FormatError
from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.rtl.design import add_design, design_of

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the design and the target; with --all there is no design."""
    add_design(parser)
    for action in parser._actions:
        if action.dest == "op":
            action.nargs, action.required = "?", False
    parser.add_argument("--target", choices=("gates", "ice40", "ecp5", "xilinx"),
                        default="gates", help="what to map to (default gates)")
    parser.add_argument("--flow", default="best", metavar="FLOW",
                        help="plain, booth, area, booth-area, the best of them (default best), or "
                        "unswept, for what these do not end on")
    parser.add_argument("--place", action="store_true",
                        help="place ice40 or ecp5 too, with three seeds: MHz")
    parser.add_argument("--all", action="store_true",
                        help="compare LNS with fixed-point multiply-accumulate, and all operators")
    parser.add_argument("--plot", metavar="FILE", help="draw the comparison (with --all)")
    add_figure(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace) -> int:
    """Print the cost of a design, or of all."""
    if args.all == bool(args.op):
        raise FormatError("give a design, or --all" + (", not both" if args.all else ""))
    if args.plot and not args.all:
        raise FormatError("--plot draws the comparison: give --all too")
    return _run_all(args) if args.all else _run_one(args)


def _run_one(args: Namespace) -> int:
    from verilog.cost.synth import synthesise

    cost = synthesise(design_of(args), args.target, args.place, flow=args.flow)
    if args.json:
        print(json.dumps(cost.as_dict()))
        return 0
    rows = [("gates", cost.gates), ("inverters", cost.inverters), ("LUTs", cost.luts),
            ("carry cells", cost.carries), ("flip-flops", cost.flip_flops),
            ("depth", cost.depth)]
    print(f"{cost.design} for {cost.target} ({cost.tools}, flow {cost.flow})")
    print("\n".join(f"  {label:12} {count:8,}" for label, count in rows if count))
    if cost.mhz is not None:
        seeds = ", ".join(f"{m:g}" for m in cost.mhz_by_seed.values())
        print(f"  {'MHz':12} {cost.mhz:8g}  median of {seeds}; registered in and out")
    print("  " + ", ".join(f"{n} {name.strip('$_')}" for name, n in sorted(cost.cells.items())))
    return 0


def _run_all(args: Namespace) -> int:
    """Print the rows as they come; what is done is kept if the rest is interrupted."""
    from verilog.cost.compare import compare, rows_of_macs, rows_of_operators

    if args.plot:
        from lnsarith.catalogue.bench.plot import require_writable

        require_writable(args.plot)
    wanted, rows = [*rows_of_macs(), *rows_of_operators()], []
    if not args.json:
        print(_head(), flush=True)
    try:
        for row in compare(wanted):
            rows.append(row)
            if args.json:
                print(f"{row.label} {row.bits}", file=sys.stderr, flush=True)
            else:
                print(_line(row, rows), flush=True)
    except KeyboardInterrupt:
        if args.json:
            print(json.dumps({"rows": [r.as_dict() for r in rows], "plot": None}), flush=True)
        raise KeyboardInterrupt(f"; {len(rows)} of {len(wanted)} rows are done") from None
    if args.plot:
        from verilog.cost.plot import draw

        draw(args.plot, rows)
    if args.json:
        print(json.dumps({"rows": [r.as_dict() for r in rows], "plot": args.plot}))
    elif args.plot:
        print(f"\ndrawn in {args.plot}")
    return 0


def _head() -> str:
    from verilog.prove.netlist import yosys_version

    return (f"gates: AND, OR, XOR, MUX of {yosys_version()}; depth counts inverters\n\n"
            f"{'operator':28}{'bits':>5}{'gates':>8}{'inverters':>11}{'depth':>7}"
            f"  {'flow':12}{'plain flow':>10}{'/ fixed':>9}")


def _line(row, before) -> str:
    """Return the line of a row; a MAC is compared with the fixed-point one before it."""
    if not row.best or not row.plain:
        return f"{row.label:28}{row.bits:>5}  {row.failed}"
    fixed = [r.best.gates for r in before if r.operator == "fixed-mac" and r.bits == row.bits
             and r.best]
    share = f"{row.best.gates / fixed[0]:.2f}" if fixed and "-mac" in row.operator else ""
    return (f"{row.label:28}{row.bits:>5}{row.best.gates:>8,}{row.best.inverters:>11,}"
            f"{row.best.depth:>7,}  {row.best.flow:12}{row.plain.gates:>10,}{share:>9}")
