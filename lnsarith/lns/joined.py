"""A register's numbers in one word of 16 bits: sums take a third fewer steps so.

    word = scale (level - zero level) + (sign is -1) - 2**15

Greater words are greater numbers, whose sign comes along; saturation at the least word is
underflow to zero; and the difference of two words tells, in its lowest bit, whether their signs
differ, and above it the gap of the levels. A scale of 4 or more keeps a difference of signs, -1,
0 or 1, apart from a gap of one. Less than scale above the least word is zero.

The top of the register is out of reach, and is not looked after: `Joined.fits` says of which
operands that is true. Sums of others are taken as `lnsarith.lns.spec.total` says.

Where no product is zero either, and no sum falls as low, zero may lie far below all numbers, as in
`lnsarith.lns.apart`: then no step has anything to test or to clamp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fxp.trace.bits import Table, known, lookup, maximum, minimum, where
from fxp.trace.plans import Levels
from lnsarith.lns import spec
from lnsarith.lns.apart import Shifts, window_of, within
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number

__all__ = ["LEAST", "Joined", "JoinedApart", "joined_apart_for", "joined_for"]

LEAST, TOP = -(1 << 15), (1 << 15) - 1
LANE = 1 << 16
CELL = 256  # the best width of a table's cells in words: compilers read such tables by bytes


@dataclass(frozen=True)
class Joined:
    """The words of a register, scale = 2**up; `table` has the shift of a difference, scale times
    as large, the last entry that of all greater differences. `reach` is how far above the
    greatest product, in units of the level, a sum can come."""

    register: Lns
    up: int
    table: Table
    reach: int

    @property
    def first(self) -> int:
        """The least word of a number that is not zero."""
        return LEAST + (1 << self.up)

    @property
    def words(self) -> tuple[int, int]:
        """The range of words."""
        return LEAST, LEAST + ((-1 - spec.zero_level(self.register)) << self.up) + 1

    def join(self, n: Number):
        """Return the word of a number."""
        return ((n.level - spec.zero_level(self.register)) << self.up) + (LEAST - n.sign)

    def number(self, word) -> Number:
        """Return the number of a word; zero has sign 0."""
        level = (word >> self.up) + (spec.zero_level(self.register) - (LEAST >> self.up))
        return Number(level, where(word < self.first, 0, 0 - (word & 1)))

    def step(self, word, b_word, a: Number, above_one: bool):
        """Return the word of word + b a; above_one says that a may be that."""
        moved = (a.level - spec.one_level(self.register)) << self.up
        product = maximum(known(b_word ^ (a.sign & 1), *self.words) + moved, LEAST)
        if above_one:
            product = where(b_word < self.first, LEAST, known(product, *self.words))
        larger, smaller = maximum(word, product), minimum(word, product)
        nothing = len(self.table) - 1  # the difference from which on the larger one stays
        apart = where(smaller < self.first, nothing, larger - smaller)
        shift = lookup(self.table, minimum(apart, nothing))
        return known(maximum(larger + shift, LEAST), *self.words)

    def fits(self, a: Levels, b: Levels, init: Levels) -> bool:
        """Whether the top is out of reach of sums of operands with levels in these ranges."""
        product = b.greatest + max(0, a.greatest - spec.one_level(self.register))
        return max(init.greatest, product + self.reach) < 0


@dataclass(frozen=True)
class JoinedApart:
    """The words of the levels from bottom to top of a register, with zero far below:

        word = scale (level - bottom) + (sign is -1) + first

    All words below `first` are zero; no word, and no difference of words, is above 2**15 - 1.
    """

    register: Lns
    up: int
    table: Table
    shifts: Shifts
    bottom: int
    top: int
    first: int

    def join(self, n: Number):
        """Return the word of a number, of one outside of the window modulo 2**16, signed."""
        word = ((n.level - self.bottom) << self.up) + (self.first - n.sign)
        return ((word + LANE // 2) & (LANE - 1)) - LANE // 2

    def start(self, n: Number):
        """Return the word of a number of the window, or zero."""
        word = ((n.level - self.bottom) << self.up) + (self.first - n.sign)
        return where(n.level == spec.zero_level(self.register), 0, word & TOP)

    def number(self, word) -> Number:
        """Return the number of a word; zero has sign 0."""
        level = ((maximum(word, self.first) - self.first) >> self.up) + self.bottom
        zero = word < self.first
        return Number(where(zero, spec.zero_level(self.register), level),
                      where(zero, 0, 0 - (word & 1)))

    def step(self, word, b_word, a: Number):
        """Return the word of word + b a."""
        moved = (a.level - spec.one_level(self.register)) << self.up
        product = known(((b_word ^ (a.sign & 1)) + moved) & (LANE - 1), 0, TOP)
        larger, smaller = maximum(word, product), minimum(word, product)
        shift = lookup(self.table, minimum(larger - smaller, len(self.table) - 1))
        return known((larger + shift) & (LANE - 1), 0, TOP)

    def fits(self, a: Levels, b: Levels, init: Levels) -> bool:
        """Whether that gives the sums of operands with levels in these ranges."""
        return within(self, a, b, init)


def joined_for(register: Lns, shifts: Shifts) -> Joined | None:
    """Return the words of a register for sums with these shifts, None where a level has too many
    bits."""
    levels = -spec.zero_level(register)
    room = (-LEAST // levels).bit_length() - 1
    if room < 2:
        return None
    up = _scale(shifts, room)
    found = _by_words(shifts, levels, up)
    table = found[: int(np.flatnonzero(found != found[-1])[-1]) + 2]
    return Joined(register, up, Table("joined", table), shifts.rise)


def joined_apart_for(register: Lns, shifts: Shifts) -> JoinedApart | None:
    """Return the words of a window of a register, None where a lane has no room."""
    levels = -spec.zero_level(register)
    if levels << 2 > -LEAST:
        return None
    up = _scale(shifts, 15 - (levels - 1).bit_length())
    far = (shifts.far << up) + 1  # the least difference that the table answers zero for
    room = (TOP + 1 - far) // 2 >> up
    bottom, window = window_of(register, shifts, room)
    if not window:
        return None
    first = TOP + 1 - (window << up)
    found = _by_words(shifts, levels, up)[: far + 1]
    found[found <= -levels << up] = -first  # from all of the window to far below it
    return JoinedApart(register, up, Table("apart", found), shifts, bottom, bottom + window - 1,
                       first)


def _scale(shifts: Shifts, room: int) -> int:
    """Return the power of two, up to room, that makes cells of the best width."""
    starts = np.flatnonzero(np.diff(shifts.same))  # of cells of a table, but for the first one
    cell = int(np.gcd.reduce(np.diff(starts))) or 1
    return min(room, max(2, (CELL // cell).bit_length() - 1))


def _by_words(shifts: Shifts, levels: int, up: int) -> np.ndarray:
    """Return the shift of every difference of words."""
    word = np.arange(levels << up)
    gap = np.minimum((word + 1) >> up, levels - 1)
    return np.where(word & 1, shifts.opposite[gap], shifts.same[gap]) << up
