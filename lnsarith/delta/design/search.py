"""The search: cells of D+ and D- with the least error of sums, at a budget of cells or gates.

Budgets of cells are met by dynamic programming (`partition`) for both sides; then values move
by a unit as long as sums get better, which brings the bias of 2**D+ + 2**D- to naught: it is
what piles up over a long sum. A budget of gates is met by bisection over the cells, and by
values that have moved for numbers of cells around what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from fxp.format import FormatError
from lnsarith.delta.cells import MOST_FRAC, Cells, cells_text
from lnsarith.delta.design.partition import Steps, partitions
from lnsarith.delta.design.sums import ABSENT, OCTAVES, Judge, exact_tables

__all__ = ["LEAST", "MOST", "Designer", "Found"]

LEAST, MOST = 8, 192  # cells of both sides together
ONE_SIDE = 128
PASSES = 3
FINALISTS = (-2, 0, 2, 4)  # cells more than bisection found


@dataclass(frozen=True)
class Found:
    """A design: its method, cells, and the errors of sums on operands that the search did not
    see; gates and depth of a unit with it, 0 where nobody asked."""

    method: Cells
    cells: int
    long: float
    few: float
    gain: float
    loss: float
    gates: int = 0
    depth: int = 0

    def as_dict(self) -> dict:
        """Return the figures alone."""
        return {"cells": self.cells, "error_of_long_sums": round(self.long, 5),
                "error_of_five_terms": round(self.few, 5), "gain": round(self.gain, 4),
                **({"gates": self.gates, "depth": self.depth} if self.gates else {})}


class Designer:
    """Finds designs for words of frac fraction bits and a register with guard more."""

    def __init__(self, frac: int, guard: int, seed: int = 0):
        if not 1 <= frac + guard <= MOST_FRAC:
            raise FormatError(f"a design is for registers of 1..{MOST_FRAC} fraction bits, got "
                              f"{frac + guard}: {frac} of the word and {guard} guard bits")
        self.frac = frac + guard
        self.judge, self.other = Judge(frac, guard, seed), Judge(frac, guard, seed + 1)
        weights = self.judge.weights()
        self.sides = [partitions(weights[side], bool(side), self.frac, ONE_SIDE)
                      for side in (0, 1)]

    def exact(self) -> tuple[float, float, float]:
        """Return the errors and the gain of exact D, as a design's are."""
        return self.other.errors(exact_tables(self.frac))

    def of_cells(self, most: int) -> Found:
        """Return the best design with at most so many cells in both sides together."""
        if not LEAST <= most <= MOST:
            raise FormatError(f"entries must be {LEAST}..{MOST}, cells of D+ and D- together, "
                              f"got {most}")
        return self._judged(self._refined(self._partitioned(most)))

    def _partitioned(self, most: int) -> tuple[Steps, Steps]:
        """Return the best cells of both sides, at most so many together, before values move."""
        errors = [np.minimum.accumulate(e) for e, _ in self.sides]
        _, plus = min((errors[0][n - 1] + errors[1][most - n - 1], n)
                      for n in range(max(2, most - ONE_SIDE), min(ONE_SIDE, most - 2) + 1))
        counts = [int(np.argmin(e[:n])) for (e, _), n in zip(self.sides, (plus, most - plus))]
        plus_cells, minus_cells = (cells[n] for (_, cells), n in zip(self.sides, counts))
        return plus_cells, minus_cells

    def of_gates(self, most: int, gates: Callable[[Cells], tuple[int, int]],
                 tell: Callable[[Found], object] = lambda found: None) -> Found:
        """Return the best design that was found with at most so many gates; gates(method)
        counts them, and the depth. FormatError where the smallest design has more."""
        known: list[Found] = []
        gates = cache(gates)  # cells of one value are joined: other numbers, the same design

        def counted(steps: Sequence[Steps]) -> int:
            found = self._judged(steps)
            number, depth = gates(found.method)
            known.append(replace(found, gates=number, depth=depth))
            tell(known[-1])
            return number

        useful = sum(int(np.argmin(errors)) + 1 for errors, _ in self.sides)
        low, high = LEAST, min(max(useful, LEAST), MOST) + 1
        if counted(self._partitioned(low)) > most:
            raise FormatError(f"no design has at most {most} gates: the smallest one, of {LEAST} "
                              f"cells, has {known[0].gates}")
        while high - low > 1:
            middle = (low + high) // 2
            fits = counted(self._partitioned(middle)) <= most
            low, high = (middle, high) if fits else (low, middle)
        finalists = (low + more for more in FINALISTS)  # more cells: fewer gates now and then
        for steps in dict.fromkeys(self._partitioned(n) for n in finalists if LEAST <= n <= MOST):
            counted(self._refined(steps))
        return min((f for f in known if f.gates <= most), key=lambda f: f.loss)

    def _refined(self, steps: Sequence[Steps]) -> Sequence[Steps]:
        """Return cells whose values no move of one by a unit makes better for sums."""
        best = self.judge.loss(_tables(steps))
        for _ in range(PASSES):
            before = best
            for side, i, by in _moves(steps):
                moved = list(steps)
                value = steps[side][i].value
                assert value is not None
                own = list(steps[side])
                own[i] = replace(own[i], value=value + by)
                moved[side] = tuple(own)
                loss = self.judge.loss(_tables(moved))
                if loss < best:
                    steps, best = moved, loss
            if best == before:
                break
        return steps

    def _judged(self, steps: Sequence[Steps]) -> Found:
        tables = _tables(steps)
        long, few, gain = self.other.errors(tables)
        texts = [cells_text(_joined(side, OCTAVES << self.frac)) for side in steps]
        return Found(Cells(self.frac, *texts), sum(map(len, steps)), long, few, gain,
                     long**2 + few**2)


def _moves(steps: Sequence[Steps]) -> Iterator[tuple[int, int, int]]:
    """Give side, cell and change of each move; D+ stays 0 or more, D- 0 or less."""
    for side, sign in ((0, 1), (1, -1)):
        for i, step in enumerate(steps[side]):
            if step.value is None or (step.value == 0 and i == len(steps[side]) - 1):
                continue
            for by in (sign, -sign):
                if (step.value + by) * sign >= 0:
                    yield side, i, by


def _tables(steps: Sequence[Steps]) -> np.ndarray:
    return np.array([np.concatenate([np.full(s.width, ABSENT if s.value is None else s.value)
                                     for s in side]) for side in steps])


def _joined(steps: Steps, end: int) -> list[tuple[int, int | None]]:
    """Return cells, those beside each other with one value joined, and 0 from the end on."""
    cells: list[tuple[int, int | None]] = []
    for start, value in [*((s.start, s.value) for s in steps), (end, 0)]:
        if not cells or cells[-1][1] != value:
            cells.append((start, value))
    return cells if len(cells) > 1 else [*cells, (end, 0)]
