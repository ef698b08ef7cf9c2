"""Between logarithmic and fixed-point words, by table: 2**x and log2 x, bit by bit.

Results are within 0.6 units in the last place of the real ones (for formats of up
to 24 bits; wider ones are limited by the 12-bit tables to 24 good bits).
"""

from __future__ import annotations

import decimal
import math
from fractions import Fraction
from functools import lru_cache

from fxp.format import Fixed
from fxp.spec import round_nearest_even
from fxp.trace.bits import Table, clamp, lookup, maximum, minimum, where
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number, one_level, pack, unpack, zero_level

__all__ = ["LOG2_E", "antilog", "from_fixed", "log2_of", "shift_right", "to_fixed"]

EXTRA = 3  # bits of an antilogarithm's mantissa beyond those of the largest result
INDEX_BITS = 12  # leading bits of a fraction that address a table

with decimal.localcontext() as _context:
    _context.prec = 50
    LOG2_E = Fraction(1 / decimal.Decimal(2).ln())


def to_fixed(word, f: Lns, to: Fixed):
    """Return a logarithmic word as a word of `to`, within 0.6 units, saturated."""
    return antilog(unpack(word, f), f, to)


def from_fixed(word, f: Fixed, to: Lns):
    """Return the logarithmic word of a fixed-point word, log within 0.6 units."""
    return pack(log2_of(word, f, to), to)


def antilog(n: Number, f: Lns, to: Fixed, scale: Fraction = Fraction(1)):
    """Return scale times the value of n as a word of `to` (1 <= scale < 2).

    The fraction of the log addresses a table of mantissas with some more bits
    than `to` has; the mantissa is shifted by the integer part and rounded half up.
    Beyond 12 bits, the rest of the fraction moves the mantissa along its tangent.
    """
    rest = max(0, f.frac - INDEX_BITS)
    table = _mantissas(f.frac - rest, to.bits - to.signed + EXTRA, scale)
    log = n.level - one_level(f)
    mantissa = lookup(table, (log & ((1 << f.frac) - 1)) >> rest)
    if rest:
        rise = (log & ((1 << rest) - 1)) * round(math.log(2) * (1 << 10))
        mantissa = mantissa + ((mantissa * rise) >> (f.frac + 10))
    top = to.bits - to.signed - to.frac  # 2**top is out of reach
    whole = log >> f.frac
    right = clamp(top - whole, 0, to.bits + EXTRA + 1)
    doubled = shift_right(mantissa << 1, right, to.bits + EXTRA + 1)
    magnitude = (doubled + (1 << EXTRA)) >> (EXTRA + 1)
    magnitude = where(whole >= top, to.high + 1, magnitude)
    magnitude = where(n.level == zero_level(f), 0, magnitude)
    return clamp(where(n.sign != 0, 0 - magnitude, magnitude), to.low, to.high)


def log2_of(word, f: Fixed, to: Lns) -> Number:
    """Return a fixed-point word as a number of `to`.

    The leading one is shifted to the top; up to 12 bits behind it address a
    table of log2(1 + m) with 8 spare bits, others follow its tangent.
    """
    magnitude = maximum(word, 0 - word)
    width = f.bits  # magnitudes are below 2**width: the lowest signed word included
    shifted, exponent = magnitude, width - 1
    for stage in reversed(range((width - 1).bit_length())):
        short = shifted < (1 << (width - (1 << stage)))
        shifted = where(short, shifted << (1 << stage), shifted)
        shifted = minimum(shifted, (1 << width) - 1)
        exponent = exponent - where(short, 1 << stage, 0)
    rest = max(0, width - 1 - INDEX_BITS)
    index = (shifted >> rest) & ((1 << (width - 1 - rest)) - 1)
    fraction = lookup(_logarithms(width - 1 - rest, to.frac + 8), index)
    if rest:
        slope = lookup(_slopes(width - 1 - rest, to.frac + 8), index)
        fraction = fraction + ((slope * (shifted & ((1 << rest) - 1))) >> (width - 1))
    fraction = (fraction + (1 << 7)) >> 8
    log = ((exponent - f.frac) << to.frac) + fraction
    level = clamp(log + one_level(to), zero_level(to), -1)
    sign = where(word < 0, -1, 0)
    return Number(where(word == 0, zero_level(to), level), sign)


def shift_right(x, count, most: int):
    """Return x >> count for a count of 0..most that is data: a barrel shifter."""
    for stage in range(most.bit_length()):
        x = where((count >> stage) & 1, x >> (1 << stage), x)
    return x


@lru_cache(maxsize=32)
def _mantissas(index_bits: int, bits: int, scale: Fraction) -> Table:
    """Return scale * 2**(k / 2**index_bits) for every k, with `bits` fraction bits."""
    size = 1 << index_bits
    return Table("mantissa", [_nearest(float(scale) * 2.0 ** (k / size), bits)
                              for k in range(size)])


@lru_cache(maxsize=32)
def _logarithms(index_bits: int, frac: int) -> Table:
    """Return log2(1 + m) in units of 2**-frac for every index of m."""
    size = 1 << index_bits
    return Table("log2", [_nearest(math.log2(1 + i / size), frac) for i in range(size)])


@lru_cache(maxsize=32)
def _slopes(index_bits: int, frac: int) -> Table:
    """Return the slope of log2(1 + m), at the middle of each cell, in units of 2**-frac."""
    size = 1 << index_bits
    return Table("slope", [_nearest(1 / (math.log(2) * (1 + (i + 0.5) / size)), frac)
                           for i in range(size)])


def _nearest(value: float, bits: int) -> int:
    """Return value * 2**bits to nearest even; float64 has 50 good bits for values < 4."""
    return round_nearest_even(int(math.ldexp(value, bits + 8)), 8)
