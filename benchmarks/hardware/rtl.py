"""Hardware: how long Verilog takes to print, to simulate, to try on every word.

Simulations run the command as a user does, in a process of its own; the seconds are
those of the whole process where the mark says so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common.child import run
from benchmarks.common.options import make_parser
from benchmarks.common.rows import Mark, Results, say

PRINTED, RUN = Mark("<", 1), Mark("<", 3)
PAIRS_12, PAIRS_16 = Mark("<", 15), Mark("<", 180)

COLUMNS = {"row": "what", "seconds": "s:.2f", "words_per_second": "words/s:.3g", "mark": "mark",
           "reached": "reached"}


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table and return the exit code."""
    options = _parser().parse_args(argv)
    results = Results("hardware/rtl", options.results)
    seconds = min(_printing() for _ in range(5))
    results.add({"row": "Verilog of an LNS add with 640 cells a table", "seconds": seconds},
                seconds, PRINTED)
    told, _ = _sim("lns-add", "lns16", "--vectors", "10000")
    _add(results, "cocotb and Icarus, 10,000 words of the lns16 add, after start", told,
         told["seconds_run"], RUN)
    with tempfile.TemporaryDirectory() as cache:
        for name in ("first build ever", "later builds"):
            told, whole = _sim("lns-add", "lns12", "--exhaustive", cache=Path(cache))
            _add(results, f"all 2^24 pairs of the lns12 add, whole process, {name}", told, whole,
                 PAIRS_12)
        if not options.quick:
            say("  all 2^32 pairs")
            told, whole = _sim("lns-add", "lns16", "--exhaustive", cache=Path(cache))
            _add(results, "all 2^32 pairs of the lns16 add, whole process", told, whole, PAIRS_16)
    return results.finish(COLUMNS)


def _printing() -> float:
    from verilog.catalogue import design

    start = time.perf_counter()
    design("lns-add", "lns16", {"delta": "lut:r=1/64"})
    return time.perf_counter() - start


def _sim(name: str, arith: str, *more: str, cache: Path | None = None) -> tuple[dict, float]:
    """Return what `lnsarith rtl sim` tells, and the seconds of its process."""
    done = run(["-m", "lnsarith", "rtl", "sim", name, "--arith", arith, *more, "--json"], cache)
    told = json.loads(done.stdout)
    if not told["equal"]:
        raise SystemExit(f"{name} {arith} differs from its kernel: {told['mismatches']}")
    return told, done.seconds


def _add(results: Results, name: str, told: dict, seconds: float, mark: Mark) -> None:
    row = {"row": name, "seconds": seconds, "words": told["vectors"],
           "words_per_second": told["vectors_per_second"], "equal": told["equal"]}
    results.add(row, seconds, mark)


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("hardware.rtl", __doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the 2^32 pairs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
