"""python -m benchmarks.agreement: see the package."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext

import numpy as np

from benchmarks.agreement.cases import Case, cases
from benchmarks.agreement.compare import scalar_differences, vector_differences
from benchmarks.agreement.machine import levels
from benchmarks.agreement.plans import (
    TWO_BLOCKS,
    dots_of_small_parts,
    draw,
    draw_dots,
    parts_of_products,
    plan_differences,
)

CHUNK = 100


def main(argv: list[str] | None = None) -> int:
    """Compare the cases asked for; 1 if any word differs."""
    parser = argparse.ArgumentParser("benchmarks.agreement", description=__doc__)
    parser.add_argument("--covering", action="store_true", help="as the tests do")
    parser.add_argument("--optimise", action="store_true", help="through LLVM's optimiser too")
    parser.add_argument("--operator", metavar="NAME", default="", help="one operator only")
    parser.add_argument("--level", choices=levels(), help="one kind of processor only")
    parser.add_argument("--scalar", action="store_true", help="scalar loops, not vectors")
    parser.add_argument("--plans", type=int, metavar="N", help="sums of products instead: so "
                        "many random plans")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of the first "
                        "random plan (0)")
    options = parser.parse_args(argv)
    wanted = [options.level] if options.level else levels()
    if options.plans is not None:
        return _plans(range(options.first, options.first + options.plans), wanted)
    refused: dict[str, str] = {}
    every = cases(not options.covering, refused, options.operator)
    wrong = 0
    for name, group in itertools.groupby(every, key=lambda case: case.name.split()[0]):
        start, count = time.perf_counter(), 0
        for chunk in _chunks(group):
            count += len(chunk)
            lines = scalar_differences(chunk) if options.scalar else (
                vector_differences(chunk, wanted, optimise=options.optimise))
            for line in lines:
                wrong += 1
                print(line, flush=True)
        without = sum(r.startswith(f"{name} ") for r in refused)
        print(f"{name}: {count} circuits, {without} choices refused, "
              f"{time.perf_counter() - start:.0f} s", flush=True)
    print(f"{wrong} differences on {', '.join(['scalar'] if options.scalar else wanted)}")
    return int(wrong > 0)


def _plans(seeds: range, wanted: list[str]) -> int:
    """Compare the random plans of these seeds on each level; 1 if any word differs."""
    wrong = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        dots = seed % 8 == 6
        drawn = draw_dots(rng) if dots else draw(rng)
        if seed % 8 == 7:
            drawn = drawn._replace(shape=(*drawn.shape[:2], TWO_BLOCKS))
        parts = dots_of_small_parts if dots else parts_of_products if seed % 2 else nullcontext
        with parts():
            for line in plan_differences(drawn, rng, wanted):
                wrong += 1
                print(f"plan {seed}: {line}", flush=True)
    print(f"{wrong} differences in {len(seeds)} plans on {', '.join(wanted)}")
    return int(wrong > 0)


def _chunks(group: Iterable[Case]) -> Iterator[list[Case]]:
    group = iter(group)
    while chunk := list(itertools.islice(group, CHUNK)):
        yield chunk


if __name__ == "__main__":
    sys.exit(main())
