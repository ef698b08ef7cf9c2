"""The fewest shifted ReLUs for a function, by exact dynamic programming.

    fit_spindle(TARGETS["logistic"], 0.01)    10 units
    best_spindle(TARGETS["logistic"], 8)      the least error of eight

Exact means: no spindle with knees and gains of the grid, flat at both ends of the
interval, has fewer units. The optimum over all real knees is not searched for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fxp.fit.functions import Target, largest_error
from fxp.fit.paths import FAR, Changes, Corridor, costs, walk
from fxp.format import FormatError
from fxp.operators.spindle import MOST_UNITS, Spindle, Unit

__all__ = ["Grid", "best_spindle", "fit_spindle", "grid_for"]

MOST_STATES = 1 << 30  # a byte each
FINER = (1 / 40, 1 / 500, 1 / 2500)  # of the function's range: below each, a finer grid
NOISE = 1e-9  # relative slope of what is flat but for rounding
TOLERANCE = 1.01  # to which the least error is found


@dataclass(frozen=True)
class Grid:
    """Knees are multiples of 2**step from low to high (in these units), slopes of
    2**finest; steepest is the largest slope in those units, falling: whether slopes
    may be negative."""

    step: int
    low: int
    high: int
    finest: int
    steepest: int
    falling: bool

    @property
    def knees(self) -> np.ndarray:
        """The x of every knee."""
        return np.arange(self.low, self.high + 1) * 2.0**self.step

    @property
    def level(self) -> int:
        """log2 of the unit of y: a slope of one unit climbs so much from knee to knee."""
        return self.step + self.finest


def grid_for(target: Target, error: float, step: int | None = None,
             finest: int | None = None) -> Grid:
    """Return the grid for an error: some 1400 knees, slopes to 2**-7 of the largest.

    Errors below 1/500 and 1/2500 of the function's range have grids twice and four
    times as fine, those above 1/40 one half as fine. step and finest, if given, are
    taken instead. Slopes reach at least twice the function's largest.
    """
    x = np.linspace(target.low, target.high, 4097)
    y = target(x)
    slopes = np.diff(y) / np.diff(x)
    if not slopes.any():
        raise FormatError(f"{target.name} is constant from {target.low:g} to {target.high:g}")
    finer = sum(error < share * float(np.ptp(y)) for share in FINER) - 1
    if step is None:
        step = math.ceil(math.log2((target.high - target.low) / 2048)) - finer
    top = math.ceil(math.log2(2 * float(np.abs(slopes).max())))
    finest = top - 7 - finer if finest is None else finest
    falls = bool((slopes < -NOISE * np.abs(slopes).max()).any())
    return Grid(step, math.floor(target.low / 2.0**step), math.ceil(target.high / 2.0**step),
                finest, max(1, 1 << max(top - finest, 0)), falls)


def fit_spindle(target: Target, error: float, grid: Grid | None = None) -> Spindle:
    """Return the fewest units of the grid with at most this error on the interval.

    Outside the interval the sum is flat. Raises FormatError if no spindle of the grid,
    or none of at most 64 units, does.
    """
    if not error > 0:
        raise FormatError(f"error must be above 0, got {error:g}")
    grid = grid or grid_for(target, error)
    if error >= np.ptp(target(grid.knees)) / 2:
        raise FormatError(f"a constant is within {error:g} of {target.name}; allow less error")
    found = _search(target, error, grid)
    if found is None:
        raise FormatError(f"no {MOST_UNITS} units with knees {2.0**grid.step:g} apart and gains of "
                          f"{2.0**grid.finest:g} or more come as near as {error:g} to "
                          f"{target.name}; allow more error or a finer grid")
    return found


def best_spindle(target: Target, units: int, step: int | None = None,
                 finest: int | None = None) -> tuple[Spindle, float]:
    """Return a spindle of at most so many units, and its largest error.

    The error is the least of the grid, to within 1 %.
    """
    if not 2 <= units <= MOST_UNITS:
        raise FormatError(f"units must be 2..{MOST_UNITS}, got {units}")
    size = float(np.ptp(target(np.linspace(target.low, target.high, 4097))))
    high, found = size / 2, None
    low = high / 4096
    for coarse in (True, False):
        grid = grid_for(target, size if coarse else high, step, finest)
        within = 1.1 if coarse else TOLERANCE
        low, high = (low, high) if coarse else (high / 1.5, high * 1.02)
        while high / low > within:
            middle = math.sqrt(low * high)
            one = _search(target, middle, grid, units)
            low, high, found = (low, middle, one) if one else (middle, high, found)
    if found is None:
        raise FormatError(f"no {units} units of the grid come near {target.name}")
    return found, largest_error(found.real, target)


def _search(target: Target, error: float, grid: Grid, most: int = MOST_UNITS) -> Spindle | None:
    """Return the fewest units, None if there are none or more than `most`."""
    corridor = _corridor(target, error, grid)
    if corridor is None:
        return None
    changes = Changes(-grid.steepest if grid.falling else 0, grid.steepest)
    if corridor.states(changes) > MOST_STATES:
        raise FormatError(f"the grid for {target.name} at error {error:g} takes "
                          f"{corridor.states(changes) >> 20} MiB, more than "
                          f"{MOST_STATES >> 20}; use a coarser one")
    table = costs(corridor, changes)
    if table[0, changes.flat].min() > min(most, FAR - 1):
        return None
    start, knees = walk(corridor, changes, table)
    units = tuple(Unit(Fraction(grid.low + at) * Fraction(2) ** grid.step,
                       abs(change).bit_length() - 1 + grid.finest, 1 if change > 0 else -1)
                  for at, change in knees)
    return Spindle(units, start * Fraction(2) ** grid.level)


def _corridor(target: Target, error: float, grid: Grid) -> Corridor | None:
    """Return the levels within the error at every knee, less what the function bends
    away from its chords between knees; None where there are none."""
    x = np.clip(grid.knees, target.low, target.high)
    y = target(x)
    share = np.arange(1, 8)[:, None] / 8
    between = target(x[:-1] + share * np.diff(x)) - (y[:-1] + share * np.diff(y))
    room = error - 1.05 * float(np.abs(between).max())
    unit = 2.0**grid.level
    base, top = np.ceil((y - room) / unit).astype(int), np.floor((y + room) / unit).astype(int)
    return Corridor(base, top) if room > 0 and (base <= top).all() else None
