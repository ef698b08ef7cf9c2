"""The options that the scripts share."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path

from benchmarks.common.rows import RESULTS

__all__ = ["add_results", "make_parser", "names_of"]


def make_parser(name: str, doc: str, dataset: bool = True) -> argparse.ArgumentParser:
    """Return a parser with --data-dir, --record, --results and, unless rows name theirs,
    --dataset."""
    parser = argparse.ArgumentParser(
        f"python -m benchmarks.{name}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    if dataset:
        add("--dataset", default="mnist", help="(default mnist)")
    add("--data-dir", metavar="DIR", help="folder of the data sets")
    add_results(parser)
    return parser


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add --record and --results: without either, rows are printed and not kept."""
    add = parser.add_mutually_exclusive_group().add_argument
    add("--record", action="store_const", const=RESULTS, dest="results",
        help="add the rows to the recorded ones in benchmarks/results")
    add("--results", type=Path, metavar="DIR", help="add the rows, as JSON lines, to files here")


def names_of(known: Collection[str]):
    """Return what reads a,b,c as a list of known names."""

    def names(text: str) -> list[str]:
        for name in (found := text.split(",")):
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"there is no {name!r}; there are {', '.join(known)}"
                )
        return found

    return names
