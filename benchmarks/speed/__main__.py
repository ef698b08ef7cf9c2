"""Speed, ours against theirs side by side: the same process, in turn, one core.

ratio is ours / theirs: of rates the larger the better, of seconds the smaller. What
has the remark "equal words" was compared first.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.common.options import make_parser, names_of
from benchmarks.common.rows import Results, say
from benchmarks.speed import binary, deltas, fixed, lns, residual, threads, training
from benchmarks.speed.row import COLUMNS

PARTS = {
    "training": training.rows,
    "lenet": training.convolutions,
    "resnet8": residual.rows,
    "matmul": lns.matmuls,
    "haswell": lns.matmuls_on_haswell,
    "add": lns.adds,
    "fixed": fixed.rows,
    "threads": threads.rows,
    "binary": binary.rows,
    "deltas": deltas.rows,
}


def main(argv: list[str] | None = None) -> int:
    """Measure the parts asked for and return the exit code."""
    options = _parser().parse_args(argv)
    from fxp.run import backend as run

    run.set_threads(1)
    results = Results("speed", options.results, judge=not options.tiny)
    for part in options.parts:
        say(f"{part} ...")
        PARTS[part](results, options)
    if options.emit:
        for row in results.rows:
            print(json.dumps(row))
        return 0
    return results.finish(COLUMNS)


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("speed", __doc__)
    add = parser.add_argument
    text = f"which of {', '.join(PARTS)} (default all)"
    add("--parts", type=names_of(PARTS), default=list(PARTS), metavar="A,B", help=text)
    text = "turns of ours and theirs; the median counts (default 5)"
    add("--rounds", type=int, default=5, metavar="N", help=text)
    text = "training images to take, for a trial (default all)"
    add("--images", type=int, metavar="N", help=text)
    add("--tiny", action="store_true", help="tiny operands, for a trial")
    add("--emit", action="store_true", help="print rows as JSON lines")
    return parser


if __name__ == "__main__":
    sys.exit(main())
