"""Between logarithmic and fixed-point words, by table: 2**x and log2 x, bit by bit."""

from __future__ import annotations

import decimal
import math
from fractions import Fraction
from functools import lru_cache

from fxp.bits import Table, clamp, lookup, maximum, minimum, where
from fxp.format import Fixed, FormatError
from fxp.spec import round_nearest_even
from lnsarith.format import Lns
from lnsarith.spec import Number, one_level, pack, unpack, zero_level

__all__ = ["LOG2_E", "antilog", "from_fixed", "log2_of", "shift_right", "to_fixed"]

EXTRA = 3  # bits of an antilogarithm's mantissa beyond those of the largest result
INDEX_BITS = 12  # leading bits of a mantissa that address the table of log2

with decimal.localcontext() as _context:
    _context.prec = 50
    LOG2_E = Fraction(1 / decimal.Decimal(2).ln())


def to_fixed(word, f: Lns, to: Fixed):
    """Return the word of `to` nearest to the value of a logarithmic word, saturated."""
    return antilog(unpack(word, f), f, to)


def from_fixed(word, f: Fixed, to: Lns):
    """Return the logarithmic word of a fixed-point word; log rounded to nearest."""
    return pack(log2_of(word, f, to), to)


def antilog(n: Number, f: Lns, to: Fixed, scale: Fraction = Fraction(1)):
    """Return scale times the value of n as a word of `to` (1 <= scale < 2).

    The fraction of the log addresses a table of mantissas with some more bits
    than `to` has; the mantissa is shifted by the integer part and rounded half up.
    """
    table = _mantissas(f.frac, to.bits - to.signed + EXTRA, scale)
    log = n.level - one_level(f)
    mantissa = lookup(table, log & ((1 << f.frac) - 1))
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
    table of log2(1 + m), sampled at the mid-point where bits are left over.
    """
    magnitude = maximum(word, 0 - word)
    width = f.bits  # magnitudes are below 2**width: the lowest signed word included
    shifted, exponent = magnitude, width - 1
    for stage in reversed(range((width - 1).bit_length())):
        short = shifted < (1 << (width - (1 << stage)))
        shifted = where(short, shifted << (1 << stage), shifted)
        shifted = minimum(shifted, (1 << width) - 1)
        exponent = exponent - where(short, 1 << stage, 0)
    index_bits = min(width - 1, INDEX_BITS)
    index = (shifted >> (width - 1 - index_bits)) & ((1 << index_bits) - 1)
    fraction = lookup(_logarithms(index_bits, to.frac, width - 1 > index_bits), index)
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
def _mantissas(frac: int, bits: int, scale: Fraction) -> Table:
    """Return scale * 2**(k / 2**frac), k = 0..2**frac - 1, with `bits` fraction bits."""
    _limit(frac)
    values = [float(scale) * 2.0 ** (k / (1 << frac)) for k in range(1 << frac)]
    return Table("mantissa", [_nearest(v, bits) for v in values])


@lru_cache(maxsize=32)
def _logarithms(index_bits: int, frac: int, middle: bool) -> Table:
    """Return log2(1 + m) in units of 2**-frac for every index of m."""
    _limit(min(frac, 14))
    offset = 0.5 if middle else 0.0
    values = [math.log2(1 + (i + offset) / (1 << index_bits)) for i in range(1 << index_bits)]
    return Table("log2", [_nearest(v, frac) for v in values])


def _nearest(value: float, bits: int) -> int:
    """Return value * 2**bits to nearest even; float64 has 50 good bits for values < 4."""
    return round_nearest_even(int(Fraction(value) * (1 << (bits + 8))), 8)


def _limit(frac: int):
    if frac > 14:
        raise FormatError(f"the table of 2**x for {frac} fraction bits is too large; "
                          "conversions take formats of at most 14 fraction bits")
