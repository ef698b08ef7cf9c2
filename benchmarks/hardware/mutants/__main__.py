"""Faults in generated Verilog: how many of them `rtl sim` and `rtl prove` catch.

Each design gets small faults in its text (constants, comparisons, saturation, table words,
handshake, reset, wiring), one at a time, drawn by a seed. Each is simulated as `lnsarith rtl
sim` does and proved as `lnsarith rtl prove` does. What sim does not find has to be shown
equal to the right design for ever, by a solver; else it counts as missed. prove has to
refute the others where it claims a design whole.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.common.options import make_parser
from benchmarks.common.rows import Mark, Results, say
from benchmarks.hardware.mutants.designs import CASES
from benchmarks.hardware.mutants.row import row_of

COLUMNS = {"row": "design", "mutants": "mutants:d", "equal": "equal:d", "simulated": "sim:d",
           "proved": "prove:d", "whole": "whole", "missed_sim": "sim missed:d",
           "missed_prove": "prove missed:d", "seconds": "s:.0f"}
NONE = Mark("<=", 0)


def main(argv: list[str] | None = None) -> int:
    """Count, print the table and return 1 if a fault was missed."""
    parser = _parser()
    options = parser.parse_args(argv)
    if not (cases := [c for c in CASES if options.only in str(c)]):
        parser.error(f"no design has {options.only!r} in its name: {'; '.join(map(str, CASES))}")
    results = Results("hardware/mutants", options.results)
    count = -(-options.count // len(CASES))
    context = get_context("spawn")
    with ProcessPoolExecutor(options.processes, context) as pool:
        jobs = [pool.submit(row_of, CASES.index(c), count, options.seed, options.vectors,
                            options.seconds) for c in cases]
        rows = [_said(job.result()) for job in jobs]
    total = {key: sum(row[key] for row in rows) for key in (
        "mutants", "equal", "simulated", "proved", "missed_sim", "missed_prove", "seconds")}
    for row in (*rows, {"row": "all", "whole": "", **total}):
        results.add({**row, "seed": options.seed, "vectors": options.vectors},
                    row["missed_sim"] + row["missed_prove"], NONE)
    return results.finish(COLUMNS)


def _said(row: dict) -> dict:
    say(f"  {row['row']}: {row['mutants']} mutants in {row['seconds']:.0f} s")
    for line in row["told"]:
        say(f"    {line}")
    return row


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("hardware.mutants", __doc__ or "", dataset=False)
    add = parser.add_argument
    add("--count", type=int, default=120, help="of mutants, of all designs (default 120)")
    add("--seed", type=int, default=0, help="of the faults, the words and the waits")
    add("--vectors", type=int, default=10_000, help="of each simulation (default 10,000)")
    add("--seconds", type=float, default=30, help="for each question to a solver (default 30)")
    add("--only", default="", metavar="TEXT", help="designs with this in their name")
    add("--processes", type=int, default=os.cpu_count() or 1, help="(default: one a core)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
