"""A design in Verilator against its model: all combinations of words, or very many.

    report = sweep(operator_design(find("lns-add"), Lns(12, 6)))
    report.exhaustive, report.equal, report.mismatches

Designs with up to 32 bits of operands are tried on every combination; wider ones, and
those with a state, on corners and random words. Clocked designs get gaps and waiting.
Inputs that no answer may depend on are random beside all combinations of the others.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fxp.format import check_integer
from lnsarith.host.files.whole import scratch
from verilog.design.design import Design, Words
from verilog.simulate.exhaustive_build import KEPT, Dut, build
from verilog.simulate.report import Comparison

__all__ = ["SweepReport", "combinations", "samples", "sweep"]

CHUNK = 1 << 17  # vectors at a time: a few MB
SAMPLES = 1 << 24
STATE_CHUNK, STATE_SAMPLES = 1 << 12, 1 << 15  # models with a state are slower by far
MOST_BITS = 32  # of operands, to try all of their combinations

Chunk = tuple[int, Words]  # number and words


@dataclass(frozen=True)
class SweepReport(Comparison):
    """What a sweep found.

    exhaustive: every combination of words was tried, once; combinations counts
    them, 0 for a design with a state. A mismatch tells its chunk and index too.
    """

    combinations: int
    exhaustive: bool
    seconds_build: float
    threads: int


def combinations(design: Design) -> int:
    """Return how many combinations of words there are, 0 if they are too many to try
    or a state makes them meaningless."""
    sizes = [high - low + 1 for low, high in _operands(design).values()]
    if design.latency is None or any(name in design.lanes for name in design.inputs):
        return 0
    return math.prod(sizes) if sum((s - 1).bit_length() for s in sizes) <= MOST_BITS else 0


def samples(design: Design) -> int:
    """Return how many vectors are tried by default where not all can be."""
    return STATE_SAMPLES if design.latency is None else SAMPLES


def sweep(design: Design, count: int | None = None, seed: int = 0, threads: int = 2,
          progress: Callable[[int], object] | None = None) -> SweepReport:
    """Return how a design answers every combination of words, or `count` others.

    Without a count these are 2**24 where not all can be tried, 2**15 of a design with
    a state. progress is called with the number of vectors after each chunk of them, in
    any thread. Raises ToolMissing, ToolError, FormatError.
    """
    check_integer("seed", seed, 0, 2**31)
    check_integer("threads", threads, 1, 256)
    possible = combinations(design)
    exhaustive = possible > 0 and count is None
    wanted = count or possible or samples(design)
    check_integer("count", wanted if count is None else count, 1, 2**40)
    size = STATE_CHUNK if design.latency is None else CHUNK
    chunks = _grid(design, wanted, seed) if exhaustive else _sampled(design, wanted, seed, size)
    began = time.perf_counter()
    with scratch() as folder:
        library = build(design, Path(folder))
        built = time.perf_counter()
        tally = _Tally(design, chunks, seed, progress)
        threads = min(threads, -(-wanted // size))
        with ThreadPoolExecutor(threads) as pool:
            workers = [pool.submit(tally.work, Dut(library, design)) for _ in range(threads)]
            try:
                for worker in workers:
                    worker.result()
            finally:
                tally.stop.set()
    return SweepReport(
        design=design.name, simulator="verilator", vectors=wanted, combinations=possible,
        exhaustive=exhaustive, compared=tally.compared, wrong=tally.wrong,
        mismatches=tuple(sorted(tally.mismatches,
                                key=lambda m: (m["chunk"], m["index"]))[:KEPT]),
        faults=tuple(tally.faults[:KEPT]), seconds_build=round(built - began, 3),
        seconds_run=round(time.perf_counter() - built, 3), seed=seed, threads=threads)


def _operands(design: Design) -> dict[str, tuple[int, int]]:
    """Return the ranges of the inputs that answers depend on."""
    return {name: span for name, span in design.inputs.items() if name not in design.ignored}


def _grid(design: Design, total: int, seed: int) -> Iterator[Chunk]:
    """Yield every combination once, the last port running fastest."""
    rng = np.random.default_rng(seed)
    for number, first in enumerate(range(0, total, CHUNK)):
        index = np.arange(first, min(first + CHUNK, total))
        words: Words = {name: rng.integers(*design.inputs[name], index.size, endpoint=True)
                        for name in sorted(design.ignored)}
        for name, (low, high) in reversed(list(_operands(design).items())):
            size = high - low + 1
            if index[0] == index[-1]:
                words[name] = np.broadcast_to(np.int64(low + index[0] % size), index.size)
                index = np.broadcast_to(index[:1] // size, index.size)
            elif size & (size - 1):
                index, rest = np.divmod(index, size)
                words[name] = rest + low
            else:
                words[name] = (index & (size - 1)) + low
                index = index >> (size.bit_length() - 1)
        yield number, {name: words[name] for name in design.inputs}


def _sampled(design: Design, total: int, seed: int, size: int) -> Iterator[Chunk]:
    """Yield corners and random words, other ones in each chunk."""
    for number, first in enumerate(range(0, total, size)):
        yield number, design.stimulus(min(size, total - first), seed + number)


class _Tally:
    """Chunks shared out to threads, and what they found."""

    def __init__(self, design: Design, chunks: Iterator[Chunk], seed: int, progress):
        self.design, self.chunks, self.seed, self.progress = design, chunks, seed, progress
        self.lock, self.stop = threading.Lock(), threading.Event()
        # A model with a state may meet a kernel that is yet to be compiled, at any time.
        stateless = design.latency is not None
        self.modelling: AbstractContextManager = nullcontext() if stateless else threading.Lock()
        design.model(design.stimulus(2, seed))
        self.compared = self.wrong = 0
        self.mismatches: list[dict] = []
        self.faults: list[str] = []

    def work(self, dut: Dut) -> None:
        """Try chunks until there are none."""
        try:
            while not self.stop.is_set():
                with self.lock:
                    chunk = next(self.chunks, None)
                if chunk is None:
                    return
                number, words = chunk
                with self.modelling:
                    answers = self.design.model(words)
                wrong, found = dut.run(words, answers, self.seed + number)
                self._add(number, words, answers, wrong, found, dut)
        except BaseException:
            self.stop.set()
            raise
        finally:
            dut.close()

    def _add(self, number: int, words: Words, answers: Words, wrong: int, found, dut: Dut):
        given, expected = (len(next(iter(w.values()))) for w in (words, answers))
        with self.lock:
            self.compared += expected
            self.wrong += wrong
            self.mismatches += [
                {"chunk": number, "index": i, "got": got,
                 "inputs": {k: c[i].tolist() for k, c in words.items()} if given == expected
                 else {}, "expected": {k: c[i].tolist() for k, c in answers.items()}}
                for i, got in found] if len(self.mismatches) < 64 * KEPT else []
            if dut.stuck:
                self.faults.append(f"chunk {number}: stuck")
            elif dut.odd:
                self.faults.append(f"chunk {number}: answers too many or withdrawn "
                                   f"in {dut.odd} cycles")
            if self.progress:
                self.progress(given)
