"""The arithmetic of LNS words, bit by bit: the one truth of lnsarith.

A word is unpacked into a `Number`: its sign (0, or -1 = all ones if negative)
and its level, the log shifted so that every word lies below 0:

    level = log - 2**(bits-2)          zero = -2**(bits-1) ... -1 = the largest

So the level of zero is the smallest number of `bits` bits: a product that falls
below it saturates there and *is* zero. A register with guard bits is the same
format with more fraction bits (`Lns.widened`); `resize` goes between the two.

Nothing here knows of kernels: the functions run on ints, on int64 arrays and
in a trace.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fxp.spec import round_nearest_even, round_shift
from fxp.trace.bits import clamp, maximum, minimum, possible, where
from lnsarith.lns.format import Lns

__all__ = ["Number", "absolute", "add", "compare", "div", "greatest", "leaky_relu", "least",
           "level_range", "mac", "mul", "neg", "one_level", "pack", "power", "product", "resize",
           "sqrt", "sub", "total", "unpack", "zero_level"]


class Number(NamedTuple):
    """An unpacked word or accumulator."""

    level: Any
    sign: Any


def zero_level(f: Lns) -> int:
    """Return the level of zero."""
    return -(1 << (f.bits - 1))


def one_level(f: Lns) -> int:
    """Return the level of one (log 0)."""
    return -(1 << (f.bits - 2))


def level_range(f: Lns) -> tuple[int, int]:
    """Return the range of levels."""
    return zero_level(f), -1


def unpack(word, f: Lns) -> Number:
    """Return the level and sign of a word."""
    height = (word & ((1 << (f.bits - 1)) - 1)) ^ f.zero
    return Number(height + zero_level(f), word >> (f.bits - 1))


def pack(n: Number, f: Lns):
    """Return the word of n; zero is written with sign 0."""
    magnitude = (n.level - zero_level(f)) ^ f.zero
    sign_bit = n.sign & zero_level(f)
    return where(n.level == zero_level(f), f.zero, magnitude | sign_bit)


def resize(n: Number, f: Lns, to: Lns, underflow: str = "zero", random=None) -> Number:
    """Return n of format f in the format `to`.

    Dropped fraction bits of the log are rounded to nearest, ties to even, or, with
    random bits given, stochastically. The range is cut at the top; below it
    becomes zero or the smallest number.
    """
    if f == to:
        return n
    zero = zero_level(to)
    drop = f.frac - to.frac
    log = round_shift(n.level - one_level(f), drop,
                      "nearest-even" if random is None else "stochastic", random)
    level = clamp(log + one_level(to), floor(zero, underflow), -1)
    if underflow != "zero" or zero_level(f) << max(-drop, 0) > zero << max(drop, 0):
        level = where(n.level == zero_level(f), zero, level)
    return Number(level, n.sign)


def product(x: Number, y: Number, f: Lns, underflow: str = "zero") -> Number:
    """Return x * y; the logs add. Saturates at the top; see `floor` for the bottom.

    Where the log of y is not above 0, a zero x stays zero by saturation alone: it
    needs a test only where log y > 0 is possible.
    """
    zero = zero_level(f)
    log_y = y.level - one_level(f)
    unsafe = possible(log_y > 0) | (underflow != "zero")
    nothing = ((x.level == zero) & unsafe) | (y.level == zero)
    level = clamp(x.level + log_y, floor(zero, underflow), -1)
    return Number(where(nothing, zero, level), x.sign ^ y.sign)


def total(a: Number, b: Number, delta, f: Lns, underflow: str = "zero") -> Number:
    """Return a + b: the larger, moved by delta(gap, opposite).

    A zero operand is bypassed. delta answers the level of zero for exact
    cancellation. The sign is that of the larger magnitude.
    """
    zero = zero_level(f)
    larger = maximum(a.level, b.level)
    smaller = minimum(a.level, b.level)
    gap = larger - smaller
    opposite = a.sign ^ b.sign
    shift = delta(gap, opposite)
    level = clamp(larger + shift, floor(zero, underflow), -1)
    if underflow == "smallest":
        level = where(shift == zero, zero, level)
    level = where(smaller == zero, larger, level)
    return Number(level, where(b.level > a.level, a.sign ^ opposite, a.sign))


def floor(zero: int, underflow: str) -> int:
    """Return the level to which a non-zero result falls: zero, or the smallest."""
    return zero + (underflow == "smallest")


def mul(x, y, f: Lns, underflow="zero"):
    """Return the word of x * y: logs add, signs multiply, saturates at the top."""
    return pack(product(unpack(x, f), unpack(y, f), f, underflow), f)


def add(x, y, f: Lns, delta, underflow="zero"):
    """Return the word of x + y; zero operands are bypassed, x + (-x) is zero."""
    return pack(total(unpack(x, f), unpack(y, f), delta, f, underflow), f)


def sub(x, y, f: Lns, delta, underflow="zero"):
    """Return the word of x - y."""
    return add(x, neg(y, f), f, delta, underflow)


def mac(acc, x, y, f: Lns, delta, underflow="zero"):
    """Return the word of acc + x * y; the product saturates as a word does."""
    xy = product(unpack(x, f), unpack(y, f), f, underflow)
    return pack(total(unpack(acc, f), xy, delta, f, underflow), f)


def neg(x, f: Lns):
    """Return the word of -x; zero stays zero."""
    n = unpack(x, f)
    return pack(Number(n.level, -1 - n.sign), f)


def absolute(x, f: Lns):
    """Return the word of |x|."""
    return x & ((1 << (f.bits - 1)) - 1)


def div(x, y, f: Lns, underflow="zero"):
    """Return the word of x / y: logs subtract. x / 0 is the largest number with the
    sign of x, 0 / 0 is zero."""
    p, q = unpack(x, f), unpack(y, f)
    zero = zero_level(f)
    level = clamp(p.level - q.level + one_level(f), floor(zero, underflow), -1)
    level = where(q.level == zero, -1, level)
    sign = where(q.level == zero, p.sign, p.sign ^ q.sign)
    return pack(Number(where(p.level == zero, zero, level), sign), f)


def order_key(x, f: Lns):
    """Return an integer that orders words as their values are ordered."""
    n = unpack(x, f)
    height = n.level - zero_level(f)
    return where(n.sign != 0, 0 - height, height)


def compare(x, y, f: Lns):
    """Return -1, 0 or 1 as x is less than, equal to or greater than y."""
    p, q = order_key(x, f), order_key(y, f)
    return (p > q) * 1 - (p < q) * 1


def least(x, y, f: Lns):
    """Return the word of the smaller value."""
    return where(order_key(y, f) < order_key(x, f), y, x)


def greatest(x, y, f: Lns):
    """Return the word of the larger value."""
    return where(order_key(y, f) > order_key(x, f), y, x)


def sqrt(x, f: Lns):
    """Return the word of the square root: the log halved, to nearest even. Of a
    negative number it is zero."""
    n = unpack(x, f)
    log = n.level - one_level(f)
    level = round_nearest_even(log, 1) + one_level(f)
    nothing = (n.sign != 0) | (n.level == zero_level(f))
    return pack(Number(where(nothing, zero_level(f), level), 0), f)


def power(x, y, f: Lns, frac: int, underflow="zero"):
    """Return the word of |x| ** y, y a fixed-point exponent with frac fraction bits.

    The log is multiplied and rounded to nearest even. 0 ** y is zero, one or the
    largest number for y > 0, y = 0, y < 0.
    """
    n = unpack(x, f)
    zero = zero_level(f)
    log = round_nearest_even((n.level - one_level(f)) * y, frac)
    level = clamp(log + one_level(f), floor(zero, underflow), -1)
    of_zero = where(y > 0, zero, where(y == 0, one_level(f), -1))
    return pack(Number(where(n.level == zero, of_zero, level), 0 * n.sign), f)


def leaky_relu(n: Number, f: Lns, beta: int) -> Number:
    """Return n, scaled by 2**beta if negative (beta <= 0): its log moves by beta."""
    lowered = maximum(n.level + (beta << f.frac), zero_level(f))
    return Number(where(n.sign != 0, lowered, n.level), n.sign)
