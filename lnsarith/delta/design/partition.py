"""The best cells for D+ or D- alone, of any number: dynamic programming over halvings.

A cell is a range of gaps that begins at a multiple of its width, a power of two: then it is
some bits of the gap in hardware, and no comparator. Of all partitions of 0..16 octaves into n
such cells the one with the least weighted square error is found, for every n at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnsarith.delta.design.sums import OCTAVES

__all__ = ["Step", "Steps", "partitions"]

FINEST = 6  # cells have at least 2**-6 octaves


@dataclass(frozen=True)
class Step:
    """A cell: where it starts and its width in gaps; the mean of 1 -+ 2**-d over it, None where
    operands cancel; its value in units."""

    start: int
    width: int
    mean: float | None
    value: int | None


Steps = tuple[Step, ...]


def partitions(weights: np.ndarray, opposite: bool, frac: int, most: int) -> tuple[
        np.ndarray, list[Steps]]:
    """Return the least error of n = 1..most cells (infinite where there is no such partition)
    and the cells that have it.

    weights say how much the square error of 2**D counts at each gap, shape (16 << frac,).
    """
    unit = max(1, 1 << frac >> FINEST)
    leaves = _Leaves(weights, opposite, frac)
    levels: list[tuple[np.ndarray, np.ndarray]] = []
    count, width = (OCTAVES << frac) // unit, unit
    while True:
        own = leaves.errors(width)
        errors = np.full((count, most + 1), np.inf)
        errors[:, 1] = own
        left = np.zeros((count, most + 1), np.int32)  # cells of the left half; 0 is no half
        if levels:
            _joined(levels[-1][0], errors, left, most)
        levels.append((errors, left))
        if count == 1:
            break
        count, width = count // 2, 2 * width

    def cut(level: int, node: int, n: int) -> Steps:
        first = int(levels[level][1][node, n])
        if not first:
            return (leaves.step(node * (unit << level), unit << level),)
        return cut(level - 1, 2 * node, first) + cut(level - 1, 2 * node + 1, n - first)

    total = levels[-1][0][0, 1:]
    return total, [cut(len(levels) - 1, 0, n) if np.isfinite(total[n - 1]) else ()
                   for n in range(1, most + 1)]


def _joined(halves: np.ndarray, errors: np.ndarray, left: np.ndarray, most: int) -> None:
    """Put in what two halves together have, where it is less."""
    first, second = halves[::2], halves[1::2]
    room = min(most, int(np.isfinite(halves[0]).sum()) * 2)
    for n in range(2, room + 1):
        split = first[:, 1:n] + second[:, n - 1:0:-1]
        best = split.argmin(1)
        least = split[np.arange(len(best)), best]
        better = least < errors[:, n]
        errors[better, n] = least[better]
        left[better, n] = best[better] + 1


class _Leaves:
    """Values of cells and the errors that they have, from sums of weights."""

    def __init__(self, weights: np.ndarray, opposite: bool, frac: int):
        d = np.arange(weights.size) / (1 << frac)
        self.real = 1 + (-1 if opposite else 1) * np.exp2(-d)
        self.weights = weights + 1e-12  # so that every cell has a mean
        self.opposite, self.frac = opposite, frac

    def errors(self, width: int) -> np.ndarray:
        """Return the least error of each cell of a width."""
        w, real = (x.reshape(-1, width) for x in (self.weights, self.real))
        mass = w.sum(1)
        mean = (w * real).sum(1) / mass
        spread = (w * real**2).sum(1) - mass * mean**2
        value = np.exp2(self._value(mean) / (1 << self.frac))
        found = spread + mass * (value - mean) ** 2
        if self.opposite:
            found[0] = (w[0] * real[0] ** 2).sum()  # it holds the gap 0: operands cancel
        return found

    def step(self, start: int, width: int) -> Step:
        """Return a cell with its best value."""
        if self.opposite and start == 0:
            return Step(0, width, None, None)
        part = slice(start, start + width)
        w = self.weights[part]
        mean = float((w * self.real[part]).sum() / w.sum())
        return Step(start, width, mean, int(self._value(np.array([mean]))[0]))

    def _value(self, mean: np.ndarray) -> np.ndarray:
        """Return the log of a mean in whole units, whichever neighbour's power is nearer."""
        scale = 1 << self.frac
        low = np.floor(np.log2(np.maximum(mean, 2.0**-60)) * scale)
        powers = np.exp2(low / scale), np.exp2((low + 1) / scale)
        return low + (powers[1] - mean < mean - powers[0])
