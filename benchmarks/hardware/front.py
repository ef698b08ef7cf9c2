"""Whole networks on an ECP5-85k: the rows of `lnsarith rtl front`, kept with their conditions.

What the command found before is read from its cache; a row without MHz was not placed.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from contextlib import redirect_stdout

from benchmarks.common.options import make_parser
from benchmarks.common.rows import Results

COLUMNS = {"row": "network", "test": "test %:.2f", "lut4": "LUT4:,",
           "lut4_without_multipliers": "without mult.:,", "flip_flops": "FF:,",
           "block_memories": "blocks:d", "multipliers": "mult.:d", "mhz": "MHz:.1f",
           "clocks_image": "cycles an image:,.0f", "images_per_second": "images/s:,"}


def main(argv: list[str] | None = None) -> int:
    """Run the command, print its rows and keep those that have numbers."""
    options = _parser().parse_args(argv)
    results = Results("hardware/front", options.results)
    for row in _rows(options):
        if "failed" not in row:
            results.add({"row": row["name"], "dataset": options.dataset,
                         "test": 100 * row["test_accuracy"],
                         **{k: v for k, v in row.items() if k != "name"}})
    return results.finish(COLUMNS)


def _rows(options: argparse.Namespace) -> list[dict]:
    from lnsarith.cli import main as command

    words = ["rtl", "front", "--dataset", options.dataset, "--json", "--only", options.only,
             *(["--data-dir", options.data_dir] if options.data_dir else []),
             *(["--cache", options.cache] if options.cache else []),
             "--epochs", options.epochs, "--place-seeds", options.place_seeds,
             *(["--no-place"] if options.no_place else []), *(["--kept"] if options.kept else [])]
    with redirect_stdout(io.StringIO()) as said:
        status = command(words)
    if status:
        raise SystemExit(status)
    return json.loads(said.getvalue())["rows"]


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("hardware.front", __doc__ or "")
    add = parser.add_argument
    add("--only", default="", metavar="TEXT", help="rows with this in their name")
    add("--epochs", default="20", metavar="N", help="of the training (default 20)")
    add("--place-seeds", default="1", metavar="N,N", help="(default 1)")
    add("--cache", metavar="DIR", help="that of the command")
    add("--kept", action="store_true", help="only rows that were found before")
    add("--no-place", action="store_true", help="no MHz but of what was placed before")
    return parser


if __name__ == "__main__":
    sys.exit(main())
