"""A register whose zero lies far below its numbers, for sums that neither vanish nor overflow.

    height = level + base        modulo 2**16, all heights below `first` are zero

A table answers zero for gaps from `far` on, so a zero that lies at least as far below every
number is passed by without a test; and where no product is zero and no sum leaves the window of
heights, as `Apart.fits` says of operands, nothing has to be clamped. Differences of opposite signs
read the table from its end: an address is turned over by the signs themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fxp.trace.bits import Table, lookup, maximum, minimum, where
from fxp.trace.plans import Levels
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number

__all__ = ["Apart", "Shifts", "apart_for", "shifts_of", "window_of", "within"]

LANE = 1 << 16
MOST_CELLS = 32
BELOW = 3  # octaves of the register that a window leaves out at its bottom, where it has to


class Shifts(NamedTuple):
    """What a sum's table answers for each gap, for equal and for opposite signs; how far a sum
    can come above the greatest product and fall below the least, and from which gap on the
    answer is zero."""

    same: np.ndarray
    opposite: np.ndarray
    rise: int
    fall: int
    far: int


def shifts_of(register: Lns, delta: Callable) -> Shifts | None:
    """Return the answers of delta(gap, opposite), None where the sums of small numbers could
    grow without end."""
    levels = -spec.zero_level(register)
    gaps = np.arange(levels)
    same, opposite = (np.broadcast_to(delta(gaps, np.full(levels, sign)), gaps.shape)
                      for sign in (0, -1))
    largest = np.maximum(same, opposite)
    if largest.max() <= 0 or same[-1] or opposite[-1]:
        return None
    left = opposite[opposite > -levels]  # what is lower than any number is exactly zero
    far = int(np.flatnonzero((same != 0) | (opposite != 0))[-1]) + 1
    return Shifts(same, opposite, int((gaps + largest)[largest > 0].max()), -int(left.min()), far)


@dataclass(frozen=True)
class Apart:
    """The heights of a register: cell (gap + offset) >> shift of the table is that of a gap, for
    opposite signs counted from the end. The window has the levels from `bottom` to `top`."""

    register: Lns
    table: Table
    offset: int
    shift: int
    shifts: Shifts
    bottom: int
    top: int

    @property
    def first(self) -> int:
        """The least height of a number that is not zero."""
        return LANE - (self.top - self.bottom + 1)

    @property
    def base(self) -> int:
        """What a height is above a level, modulo the lane."""
        return (self.first - self.bottom) % LANE

    def put(self, n: Number) -> Number:
        """Return a number of the window, or zero, with its height in the level's place."""
        zero = spec.zero_level(self.register)
        return Number(where(n.level == zero, 0, (n.level + self.base) & (LANE - 1)), n.sign)

    def number(self, n: Number) -> Number:
        """Return the number of a height."""
        level = (maximum(n.level, self.first) - self.first) + self.bottom
        return Number(where(n.level < self.first, spec.zero_level(self.register), level), n.sign)

    def step(self, n: Number, b: Number, a: Number) -> Number:
        """Return n + b a, where n is a height, and b and a are none."""
        moved = a.level + (self.base - spec.one_level(self.register)) % LANE
        product = Number((b.level + moved) & (LANE - 1), b.sign ^ a.sign)
        larger, smaller = maximum(n.level, product.level), minimum(n.level, product.level)
        cell = (minimum(larger - smaller, self.shifts.far) + self.offset) >> self.shift
        shift = lookup(self.table, (cell ^ n.sign ^ product.sign) & (len(self.table) - 1))
        sign = where(product.level > n.level, product.sign, n.sign)
        return Number((larger + shift) & (LANE - 1), sign)

    def fits(self, a: Levels, b: Levels, init: Levels) -> bool:
        """Whether that gives the sums of operands with levels in these ranges."""
        return within(self, a, b, init)


def within(form, a: Levels, b: Levels, init: Levels) -> bool:
    """Whether sums, and products of which none is zero, stay in the window of a form."""
    one, shifts = spec.one_level(form.register), form.shifts
    least = min(b.least + a.least - one - shifts.fall, init.least)
    greatest = max(b.greatest + a.greatest - one + shifts.rise, init.greatest)
    return not b.zeros and form.bottom <= least and greatest <= form.top


def window_of(register: Lns, shifts: Shifts, room: int) -> tuple[int, int]:
    """Return the lowest level of a window, and of how many levels it is: up to room, none where
    hardly a product would fit."""
    levels = -spec.zero_level(register) - 1
    window = min(room, levels)
    bottom = -levels + min(levels - window, BELOW << register.frac)
    return bottom, window if window > shifts.rise + shifts.fall else 0


def apart_for(register: Lns, shifts: Shifts) -> Apart | None:
    """Return the heights of a register for sums with these shifts, None where they do not go by
    few cells of one width, or where a lane has no room."""
    starts = [int(s) for both in shifts[:2] for s in np.flatnonzero(np.diff(both)) + 1]
    cell = np.gcd.reduce([s - starts[0] for s in starts])
    shift = int(cell & -cell or 1).bit_length() - 1
    offset = -starts[0] % (1 << shift)
    cells = (shifts.far + offset >> shift) + 1
    levels = -spec.zero_level(register)
    bottom, window = window_of(register, shifts, (LANE + 1 - shifts.far) // 2)
    if (cells > MOST_CELLS or (shifts.far + offset) % (1 << shift) or levels > 1 << 15
            or not window):
        return None
    size = 2 << (cells - 1).bit_length()
    entries = [0] * size
    for i in range(cells):
        gap = max(0, (i << shift) - offset)
        entries[i] = int(shifts.same[gap])
        entries[size - 1 - i] = max(int(shifts.opposite[gap]), -levels)
    # A difference that is zero moves every height of the window to one far below it.
    entries = [window if v <= -levels else v for v in entries]
    return Apart(register, Table("apart", entries), offset, shift, shifts, bottom,
                 bottom + window - 1)
