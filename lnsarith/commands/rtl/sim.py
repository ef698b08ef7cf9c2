"""lnsarith rtl sim: a design in a simulator against the compiled kernel."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from fxp.format import FormatError, check_integer
from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.rtl.design import add_design, design_of
from lnsarith.commands.rtl.layer import add_layer, layer_design

if TYPE_CHECKING:
    from verilog.design.design import Design
    from verilog.simulate.exhaustive import SweepReport
    from verilog.simulate.icarus import SimReport

__all__ = ["options", "run"]

VECTORS = 10_000


def options(parser: ArgumentParser) -> None:
    """Add the options of rtl sim."""
    add_design(parser)
    parser.add_argument("--vectors", type=int, metavar="N",
                        help=f"words to try (default {VECTORS:,}; with --exhaustive 2^24)")
    parser.add_argument("--seed", type=int, default=0, metavar="N",
                        help="of the random words and waits")
    parser.add_argument("--waves", metavar="FILE", help="write the waves: .vcd or .fst")
    parser.add_argument("--picture", metavar="FILE",
                        help="draw the ports over a few cycles: .png, .svg or .pdf")
    add_figure(parser)
    parser.add_argument("--exhaustive", action="store_true",
                        help="all combinations of up to 32 bits of operands, in Verilator")
    parser.add_argument("--threads", type=int, default=2, metavar="N",
                        help="of --exhaustive (default 2)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_layer(parser)


def run(args: Namespace) -> int:
    """Print how a design answers; 1 if any answer is wrong.

    Raises FormatError, ToolMissing or ToolError.
    """
    check_integer("seed", args.seed, 0, 2**31)
    check_integer("threads", args.threads, 1, 256)
    design = layer_design(args) if args.run_folder else design_of(args)
    compare: Callable[..., tuple[list[str], SimReport | SweepReport]]
    compare = _run_layer if args.run_folder else _sweep if args.exhaustive else _simulate
    lines, report = compare(design, args)
    files = [f for f in (args.waves, args.picture) if f]
    if args.json:
        print(json.dumps({**report.as_dict(), "waves": args.waves, "picture": args.picture}))
    else:
        lines += [f"written: {', '.join(files)}"] if files else []
        print("\n".join([*lines, *_wrong(report)]))
    return 0 if report.equal else 1


def _simulate(design: Design, args: Namespace) -> tuple[list[str], SimReport]:
    from verilog.simulate.icarus import simulate

    vectors = VECTORS if args.vectors is None else args.vectors
    report = simulate(design, vectors, args.seed, args.waves, picture=args.picture)
    phases = ", ".join(f"{name} {count:,}" for name, count in report.phases.items())
    cycles = f" in {report.cycles:,} cycles ({phases})" if design.clocked else ""
    return [f"{design.name}: Icarus Verilog under cocotb against the compiled kernel",
            f"{report.vectors:,} words, corners first (seed {args.seed}); "
            f"{report.compared:,} answers compared{cycles}: {_verdict(report)}",
            f"{report.vectors_per_second:,.0f} words/s; {report.seconds_start:.2f} s to start, "
            f"{report.seconds_run:.2f} s to run"], report


def _run_layer(design: Design, args: Namespace) -> tuple[list[str], SimReport]:
    from verilog.simulate.icarus import run_phases
    from verilog.simulate.waves import PICTURES, WAVES, draw_run, require_writable

    if args.exhaustive or args.vectors is not None:
        raise FormatError("--run tries the words of its layer: leave out --exhaustive and "
                          "--vectors")
    for path, suffixes in ((args.waves, WAVES), (args.picture, PICTURES)):
        if path:
            require_writable(path, suffixes)
    report = run_phases(design, {"stalls": design.stimulus(0, 0)}, args.seed, args.waves)
    if args.picture:
        draw_run(design, args.picture, run_phases, args.seed)
    return [f"{design.name}: Icarus Verilog under cocotb against the engine that trained "
            f"{args.run_folder}",
            f"dense layer {args.layer}, {args.images} test images: {report.vectors:,} words, "
            f"{report.compared:,} answers compared in {report.cycles:,} cycles: "
            f"{_verdict(report)}"], report


def _sweep(design: Design, args: Namespace) -> tuple[list[str], SweepReport]:
    from verilog.simulate.exhaustive import combinations, samples, sweep

    if args.waves or args.picture:
        raise FormatError("--exhaustive writes no waves and no picture: leave it out for them")
    possible = combinations(design)
    if possible and args.vectors is not None:
        raise FormatError(f"--exhaustive tries all {possible:,} combinations: "
                          "leave out --vectors, or --exhaustive")
    total = possible or args.vectors or samples(design)
    with _bar(total, args.json) as bar:
        report = sweep(design, args.vectors, args.seed, args.threads, bar and bar.update)
    tried = (f"all {report.vectors:,} combinations of words" if report.exhaustive else
             f"{report.vectors:,} words, corners and random (seed {args.seed}), "
             f"not exhaustive: {_why(design)}")
    return [f"{design.name}: Verilator against the compiled kernel",
            f"{tried}; {report.compared:,} answers compared: {_verdict(report)}",
            f"{report.vectors_per_second:,.0f} words/s on {_threads(report.threads)}; "
            f"{report.seconds_build:.2f} s to build, {report.seconds_run:.2f} s to run"], report


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _why(design: Design) -> str:
    if design.latency is None:
        return "it has a state"
    return "its operands have more than 32 bits"


def _bar(total: int, quiet: bool):
    """Return a progress bar on a terminal, else nothing."""
    if quiet or not sys.stderr.isatty():
        return nullcontext()
    from tqdm import tqdm

    return tqdm(total=total, unit="words", unit_scale=True, leave=False, file=sys.stderr)


def _verdict(report: SimReport | SweepReport) -> str:
    if report.equal:
        return "equal"
    return " and ".join(([f"{report.wrong:,} wrong"] if report.wrong else [])
                        + (["faults of the handshake"] if report.faults else []))


def _wrong(report: SimReport | SweepReport) -> list[str]:
    """Return the first mismatches and faults, a line each."""
    lines = []
    for each in report.mismatches:
        where = each.get("phase") or f"chunk {each['chunk']}"
        inputs = " ".join(f"{k}={word}" for k, word in each["inputs"].items())
        expected, got = (" ".join(f"{k}={word}" for k, word in each[key].items())
                         for key in ("expected", "got"))
        lines.append(f"  {where}, answer {each['index']}: {inputs}{' gives' if inputs else ''} "
                     f"{got}, expected {expected}")
    return [*lines, *(f"  {fault}" for fault in report.faults)]
