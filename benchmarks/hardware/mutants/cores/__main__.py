"""Faults in cores of whole networks, inference and training: how many their benches see.

Each core gets small faults in the Verilog of its sequencers and memories, one at a time, of
eight kinds. Its own bench runs with unknown and with random registers and memories. A fault
that no run sees has to be one of those that are known to change no answer; else it is missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.common.options import make_parser
from benchmarks.common.rows import Mark, Results, say
from benchmarks.hardware.mutants.cores.rules import KINDS
from benchmarks.hardware.mutants.cores.subjects import SUBJECTS
from benchmarks.hardware.mutants.cores.sweep import row_of, swept

COLUMNS = {"core": "core", "row": "fault", "mutants": "mutants:d", "caught": "caught:d",
           "random": "by random start:d", "equal": "change nothing:d", "missed": "missed:d"}
NONE = Mark("<=", 0)


def main(argv: list[str] | None = None) -> int:
    """Count, print the table and return 1 if a fault was missed."""
    parser = _parser()
    options = parser.parse_args(argv)
    if not (subjects := [s for s in SUBJECTS if options.only in s.name]):
        parser.error(f"no core has {options.only!r} in its name: "
                     + "; ".join(s.name for s in SUBJECTS))
    results = Results("hardware/core_mutants", options.results)
    for subject in subjects:
        say(subject.name)
        found = swept(subject, options.step, say, options.jobs)
        for kind in KINDS:
            row = row_of(subject, kind, found)
            results.add({**row, "step": options.step}, row["missed"], NONE)
    return results.finish(COLUMNS)


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("hardware.mutants.cores", __doc__ or "", dataset=False)
    add = parser.add_argument
    add("--only", default="", metavar="TEXT", help="cores with this in their name")
    add("--step", type=int, default=1, metavar="N", help="every N-th fault of a kind (default 1)")
    add("--jobs", type=int, default=1, metavar="N", help="benches at a time (default 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
