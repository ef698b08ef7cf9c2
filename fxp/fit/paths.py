"""Cheapest paths of straight pieces through a corridor of integers.

A path goes from knee to knee i = 0..n with an integer slope; from one to the next its
level rises by the slope. At a knee the slope may change by powers of two, each of
which costs 1, at most two at a time. The path begins and ends flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FAR", "Changes", "Corridor", "costs", "walk"]

FAR = 200  # the cost of what cannot be


@dataclass(frozen=True)
class Corridor:
    """The levels low[i]..high[i] that a path may have at knee i."""

    low: np.ndarray
    high: np.ndarray

    @property
    def width(self) -> int:
        """The largest number of levels at a knee."""
        return int((self.high - self.low).max()) + 1

    def states(self, changes: Changes) -> int:
        """Return how many costs there are."""
        return len(self.low) * changes.count * self.width


@dataclass(frozen=True)
class Changes:
    """The slopes lowest..highest, and what a change between two of them costs."""

    lowest: int
    highest: int

    @property
    def count(self) -> int:
        """How many slopes there are."""
        return self.highest - self.lowest + 1

    @property
    def flat(self) -> int:
        """The index of slope 0."""
        return -self.lowest

    @property
    def powers(self) -> list[int]:
        """The single changes upwards."""
        return [1 << j for j in range((self.count - 1).bit_length()) if 1 << j < self.count]

    def split(self, change: int) -> tuple[int, ...] | None:
        """Return a change as at most two powers of two with signs, None if it takes more."""
        signed = [s * p for p in self.powers for s in (1, -1)]
        if change == 0:
            return ()
        if change in signed:
            return (change,)
        return next(((p, change - p) for p in signed if change - p in signed), None)

    def relax(self, cost: np.ndarray) -> np.ndarray:
        """Return the costs (slope, level) if the slope may first change once."""
        least, more = cost.copy(), cost + np.uint8(1)
        for p in self.powers:
            np.minimum(least[p:], more[:-p], out=least[p:])
            np.minimum(least[:-p], more[p:], out=least[:-p])
        return least


def costs(corridor: Corridor, changes: Changes) -> np.ndarray:
    """Return the least cost to the end by (knee, slope before it, level), uint8.

    Levels count from corridor.low; FAR stands for no way.
    """
    count, width = len(corridor.low), corridor.width
    table = np.empty((count, changes.count, width), np.uint8)
    after = np.full((changes.count, width), FAR, np.uint8)
    after[changes.flat] = 0
    for i in reversed(range(count)):
        if i < count - 1:
            after = _onward(table[i + 1], corridor, changes, i, np.arange(width))
        table[i] = changes.relax(changes.relax(after))
        table[i, :, corridor.high[i] - corridor.low[i] + 1:] = FAR
    return table


def walk(corridor: Corridor, changes: Changes,
         table: np.ndarray) -> tuple[int, list[tuple[int, int]]]:
    """Return a cheapest path: its first level, the one of most factors two, and its
    changes (knee, power of two with its sign), as late as they may be."""
    first = table[0, changes.flat]
    starts = np.flatnonzero(first == first.min()) + corridor.low[0]
    level = start = max(map(int, starts), key=lambda v: (v & -v or 1 << 62))
    slope, made = changes.flat, []
    options = _options(changes)
    for i in range(len(table)):
        at = level - int(corridor.low[i])
        left = table[i, slope, at]
        if i < len(table) - 1:
            after = _onward(table[i + 1], corridor, changes, i, np.array([at]))[:, 0]
        else:
            after = np.where(np.arange(changes.count) == changes.flat, 0, FAR)
        split = next(s for s in options if 0 <= slope + sum(s) < changes.count
                     and after[slope + sum(s)] + len(s) == left)
        made += [(i, change) for change in split]
        slope += sum(split)
        level += slope + changes.lowest
    return start, made


def _options(changes: Changes) -> list[tuple[int, ...]]:
    """Return all that can happen to the slope at a knee, the cheapest first."""
    span = range(1 - changes.count, changes.count)
    return sorted((s for s in map(changes.split, span) if s is not None), key=len)


def _onward(table: np.ndarray, corridor: Corridor, changes: Changes, i: int,
            levels: np.ndarray) -> np.ndarray:
    """Return the cost at knee i by (slope after it, level), from the next knee's table."""
    width = table.shape[1]
    slopes = np.arange(changes.lowest, changes.highest + 1)
    rise = (slopes + corridor.low[i] - corridor.low[i + 1])[:, None]
    to = levels + rise
    inside = (to >= 0) & (to < width)
    return np.where(inside, np.take_along_axis(table, np.clip(to, 0, width - 1), 1),
                    np.uint8(FAR))
