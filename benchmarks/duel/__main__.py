"""python -m benchmarks.duel: see the package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import benchmarks.duel
from benchmarks.common.machine import ROOT
from benchmarks.common.options import make_parser
from benchmarks.common.rows import Results, say
from benchmarks.duel.rows import HASWELL, Row, Work, rows

COLUMNS = {"row": "what", "ours": "ours, s:.4f", "theirs": "theirs, s:.4f", "kind": "ratio of",
           "ratio": "ratio:.2f", "mark": "mark", "reached": "reached"}
SIDE = Path(__file__).with_name("side.py")


def main(argv: list[str] | None = None) -> int:
    """Measure the rows that are asked for, print the table and return the exit code."""
    options = _parser().parse_args(argv)
    results = Results("duel", options.results)
    chosen = [row for row in rows(options.images, options.data_dir)
              if not options.rows or any(part in row.name for part in options.rows.split(","))]
    with tempfile.TemporaryDirectory() as folder:
        sides = _Sides(options, options.cache or Path(folder))
        try:
            pairs = [_made(sides, row) for row in chosen]  # compiled before any time is taken
            for row, pair in zip(chosen, pairs):
                _measure(results, sides, row, pair, options.rounds)
        finally:
            sides.close()
    return results.finish(COLUMNS)


class _Sides:
    """The processes of a duel, by name, started when first needed."""

    def __init__(self, options, cache: Path):
        self.options = options
        self.cache = cache
        self.running: dict[str, subprocess.Popen] = {}
        self.works: dict[str, int] = {}

    def make(self, work: Work) -> int:
        """Return the number of a piece of work, made once."""
        key = json.dumps(work)
        if key not in self.works:
            self.works[key] = self.ask(work.side, work.order)
        return self.works[key]

    def ask(self, name: str, order: dict):
        """Return a side's answer; RuntimeError where it gives none."""
        side = self.running.get(name) or self._start(name)
        side.stdin.write(json.dumps(order) + "\n")
        side.stdin.flush()
        answer = side.stdout.readline()
        if not answer:
            raise RuntimeError(f"the side {name} has ended, asked for {order}")
        return json.loads(answer)

    def close(self) -> None:
        """End the processes."""
        for side in self.running.values():
            side.stdin.close()
            side.wait()

    def _start(self, name: str) -> subprocess.Popen:
        tree = self.options.old.resolve() if name.startswith("old") else ROOT
        cache = (self.cache / name.replace(" ", "-")).resolve()
        environment = {**os.environ, "PYTHONPATH": str(tree), "LNSARITH_CACHE": str(cache)}
        environment |= {"NUMBA_CPU_NAME": "haswell"} if name.endswith(HASWELL) else {}
        python = self.options.torch if name == "torch" else sys.executable
        self.running[name] = subprocess.Popen(
            [python, SIDE], cwd=tree, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        return self.running[name]


def _made(sides: _Sides, row: Row) -> tuple[int, int]:
    """Make both sides' work and run it once; RuntimeError where words differ."""
    say(f"  {row.name} ...")
    pair = sides.make(row.ours), sides.make(row.theirs)
    if row.same:
        digests = []
        for work, number in zip((row.ours, row.theirs), pair):
            sides.ask(work.side, {"run": number})
            digests.append(sides.ask(work.side, {"words": number}))
        if digests[0] != digests[1]:
            raise RuntimeError(f"{row.name}: the words differ")
    return pair


def _measure(results: Results, sides: _Sides, row: Row, pair: tuple[int, int], rounds: int):
    turns = [tuple(sides.ask(work.side, {"run": number})
                   for work, number in zip((row.ours, row.theirs), pair)) for _ in range(rounds)]
    ours, theirs = (median(side) for side in zip(*turns))
    speed = median(t / o for o, t in turns)
    ratio = speed if row.ratio == "speed" else 1 / speed
    say(f"  {row.name}: {row.ratio} {ratio:.2f}")
    results.add({"row": row.name, "ours": ours, "theirs": theirs, "kind": row.ratio,
                 "ratio": ratio}, ratio, row.mark)


def _parser():
    parser = make_parser("duel", benchmarks.duel.__doc__, dataset=False)
    add = parser.add_argument
    add("--old", type=Path, required=True, metavar="DIR", help="checkout of the earlier build")
    add("--torch", default=sys.executable, metavar="PYTHON", help="one that has PyTorch")
    add("--rows", metavar="A,B", help="rows whose names hold one of these (all)")
    add("--rounds", type=int, default=3, metavar="N", help="turns of both sides (3)")
    add("--images", type=int, default=6400, metavar="N", help="of an epoch (6400)")
    add("--cache", type=Path, metavar="DIR", help="where kernels are kept until the next duel")
    return parser


if __name__ == "__main__":
    sys.exit(main())
