"""How long one waits: for the help, and for the first training step.

The time of a first step runs from the start of the process to the end of the first
batches of an epoch, the data set on disk. A first run finds no compiled kernels, a
second run finds those of the first.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.common.child import run
from benchmarks.common.options import make_parser
from benchmarks.common.rows import Mark, Results, say

HELP, FIRST, SECOND = Mark("<", 0.5), Mark("<", 15), Mark("<", 5)

COLUMNS = {
    "row": "what",
    "seconds": "s:.2f",
    "min": "min:.2f",
    "max": "max:.2f",
    "mark": "mark",
    "reached": "reached",
}


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table and return the exit code."""
    options = _parser().parse_args(argv)
    if options.first_step:
        return first_step(options)
    results = Results("startup", options.results)
    command = ["-m", "lnsarith", "--help"]
    run(command)  # writes the bytecode
    _add(results, "lnsarith --help", [run(command).seconds for _ in range(10)], HELP)
    step = ["-m", "benchmarks.startup", "--first-step", "--dataset", options.dataset]
    step += ["--data-dir", options.data_dir] if options.data_dir else []
    first: list[float] = []
    second: list[float] = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as cache:
            for times in (first, second):
                times.append(run(step, Path(cache)).seconds)
        say(f"  first step after {first[-1]:.2f} s, then {second[-1]:.2f} s")
    name = f"first step, lns16 lut, {options.dataset}"
    _add(results, f"{name}: first run", first, FIRST)
    _add(results, f"{name}: second run", second, SECOND)
    return results.finish(COLUMNS)


def first_step(options) -> int:
    """Train until the first report, after 64 batches of five, and end the process."""
    from nets.data.sets import load
    from nets.settings.suited import settings_for
    from nets.train.trainer import Trainer

    settings = settings_for({"dataset": options.dataset})
    trainer = Trainer(settings, load(options.dataset, options.data_dir))
    trainer.train_epoch(lambda *_: os._exit(0))
    return 0


def _add(results: Results, name: str, times: list[float], mark: Mark) -> None:
    value = median(times)
    row = {"row": name, "seconds": value, "min": min(times), "max": max(times)}
    results.add({**row, "runs": len(times)}, value, mark)


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("startup", __doc__)
    add = parser.add_argument
    text = "first runs, each with its second (default 3)"
    add("--rounds", type=int, default=3, metavar="N", help=text)
    add("--first-step", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
