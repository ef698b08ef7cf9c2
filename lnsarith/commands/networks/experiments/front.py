"""lnsarith front: accuracy of the runs of a store against the gates of their MAC units."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.common.options import integer
from lnsarith.commands.networks.experiments.sweep import STORE
from lnsarith.commands.networks.experiments.tables import add_forms, print_table

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--bits", metavar="8,12", help="only words of so many bits")
    parser.add_argument("--datasets", metavar="A,B", help="only these data sets")
    parser.add_argument("--where", action="append", default=[], metavar="NAME=VALUE",
                        help="only runs whose setting or fact is so, as in lnsarith runs")
    parser.add_argument("--store", metavar="FILE", help=f"store of runs (default {STORE})")
    parser.add_argument("--plot", metavar="FILE", help="draw the front (.png, .pdf, .svg), and "
                        "put its points beside it as .csv")
    add_forms(parser)


def run(args: Namespace) -> int:
    """Print a line for each group of runs, the front first; draw it with --plot."""
    from lnsarith.commands.networks.experiments.gates import costs_of
    from lnsarith.host import picture
    from lnsarith.host.files.whole import write_whole
    from nets.experiments.jobs.store import Store
    from nets.experiments.results.choose import chosen
    from nets.experiments.results.front import draw, points
    from nets.experiments.results.table import as_csv

    if args.plot:
        picture.require_writable(args.plot)
    bits = [integer("bits", b) for b in args.bits.split(",")] if args.bits else []
    sets = args.datasets.split(",") if args.datasets else []
    with Store(Path(args.store or STORE), create=False) as store:
        rows = chosen(store.rows(), args.where)
        found = points(rows, costs_of(store), bits, sets)
    if not found:
        raise ValueError(f"none of the {len(rows)} runs has {_wanted(args)}a MAC unit: lnsarith "
                         "runs list shows them")
    head = ["dataset", "runs of", "bits", "gates", "depth", "test %", "±", "seeds", "front"]
    lines = [[p.dataset, p.name, str(p.bits), str(p.gates), str(p.depth), f"{p.accuracy:.2f}",
              "-" if p.deviation is None else f"{p.deviation:.2f}", str(p.runs),
              "yes" if p.best else "no"] for p in found]
    if args.plot:
        draw(args.plot, found, "Accuracy against gates of the multiply-accumulate unit")
        beside = Path(args.plot).with_suffix(".csv")
        write_whole(beside, lambda part: part.write_text(as_csv(head, lines) + "\n"))
    print_table(args, head, lines, {"points": [p.as_dict() for p in found], "plot": args.plot},
                ["", f"drawn in {args.plot}, points in {beside}"] if args.plot else [])
    return 0


def _wanted(args: Namespace) -> str:
    given = [f"--{name} {getattr(args, name)}" for name in ("bits", "datasets")
             if getattr(args, name)]
    return f"{' and '.join(given)}, and " if given else ""
