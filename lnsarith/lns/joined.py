"""A register's numbers in one word of 16 bits: sums take a third fewer steps so.

    word = scale (level - zero level) + (sign is -1) - 2**15

Greater words are greater numbers, whose sign comes along; saturation at the least word is
underflow to zero; and the difference of two words tells, in its lowest bit, whether their signs
differ, and above it the gap of the levels. A scale of 4 or more keeps a difference of signs, -1,
0 or 1, apart from a gap of one. Less than scale above the least word is zero.

The top of the register is out of reach, and is not looked after: `Joined.fits` says of which
operands that is true. Sums of others are taken as `lnsarith.lns.spec.total` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fxp.trace.bits import Table, known, lookup, maximum, minimum, where
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number

__all__ = ["LEAST", "Joined", "joined_for"]

LEAST = -(1 << 15)
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

    def fits(self, a: int, b: int, init: int) -> bool:
        """Whether the top is out of reach of sums whose operands have at most these levels."""
        product = b + max(0, a - spec.one_level(self.register))
        return max(init, product + self.reach) < 0


def joined_for(register: Lns, delta: Callable) -> Joined | None:
    """Return the words of a register for sums by delta(gap, opposite), None where a level has
    too many bits or some sum of small numbers could grow without end."""
    levels = -spec.zero_level(register)
    room = (-LEAST // levels).bit_length() - 1
    if room < 2:
        return None
    gaps = np.arange(levels)
    shifts = [np.broadcast_to(delta(gaps, np.full(levels, sign)), gaps.shape) for sign in (0, -1)]
    largest = np.maximum(*shifts)
    if largest.max() <= 0 or shifts[0][-1] or shifts[1][-1]:
        return None
    starts = np.flatnonzero(np.diff(shifts[0]))  # of cells of a table, but for the first one
    cell = int(np.gcd.reduce(np.diff(starts))) or 1
    up = min(room, max(2, (CELL // cell).bit_length() - 1))
    word = np.arange(levels << up)
    gap = np.minimum((word + 1) >> up, levels - 1)
    found = np.where(word & 1, shifts[1][gap], shifts[0][gap]) << up
    table = found[: int(np.flatnonzero(found != found[-1])[-1]) + 2]
    reach = int((gaps + largest)[largest > 0].max())  # a larger sum does not grow any more
    return Joined(register, up, Table("joined", table), reach)
