"""The truth of logarithmic words: signs and logs as plain ints, reals as decimals.

A word is the signed int its bits spell: a sign bit, then the log in two's
complement, the most negative log standing for zero. Where frac is not among the
arguments the answer does not depend on it.

A sum takes its D as delta(gap, opposite), all in units of the log; None stands
for exact cancellation. With guard bits the sum runs on words with that many more
fraction bits, so give it a delta of frac + guard bits.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from math import floor

from oracles.delta import DIGITS


def lns_decode(word, bits):
    """Return (sign, log): sign 1 or -1, log None for zero (whose sign is 1)."""
    digits = f"{word % 2**bits:0{bits}b}"
    sign, first, rest = digits[0], digits[1], digits[2:]
    log = int(rest, 2) - int(first) * 2 ** (bits - 2)
    if log == -(2 ** (bits - 2)):
        return 1, None
    return (-1 if sign == "1" else 1), log


def lns_encode(sign, log, bits, underflow="zero"):
    """Return the word; a log too high saturates, one too low underflows."""
    top, zero = 2 ** (bits - 2) - 1, -(2 ** (bits - 2))
    assert underflow in ("zero", "smallest"), underflow
    if log is not None and log <= zero:
        log = None if underflow == "zero" else zero + 1
    if log is None:
        sign, log = 1, zero
    unsigned = min(log, top) % 2 ** (bits - 1)
    return unsigned - 2 ** (bits - 1) if sign < 0 else unsigned


def lns_to_real(word, bits, frac) -> Decimal:
    """Return the real number that a word means."""
    sign, log = lns_decode(word, bits)
    with localcontext(DIGITS):
        return Decimal(0) if log is None else sign * 2 ** (Decimal(log) / 2**frac)


def lns_from_real(x, bits, frac):
    """Return the word with the log nearest to that of x; too small is zero."""
    x = Fraction(x)
    if x == 0:
        return lns_encode(1, None, bits)
    with localcontext(DIGITS):
        ln = Decimal(abs(x.numerator)).ln() - Decimal(x.denominator).ln()
        log = (ln / Decimal(2).ln() * 2**frac).to_integral_value(ROUND_HALF_EVEN)
    return lns_encode(-1 if x < 0 else 1, int(log), bits)


def lns_neg(x, bits):
    """Return -x."""
    sign, log = lns_decode(x, bits)
    return lns_encode(-sign, log, bits)


def lns_abs(x, bits):
    """Return |x|."""
    return lns_encode(1, lns_decode(x, bits)[1], bits)


def lns_compare(x, y, bits, frac):
    """Return -1, 0 or 1 as x is below, at or above y."""
    a, b = lns_to_real(x, bits, frac), lns_to_real(y, bits, frac)
    return (a > b) - (a < b)


def lns_mul(x, y, bits, underflow="zero"):
    """Return x * y."""
    (s, p), (t, q) = lns_decode(x, bits), lns_decode(y, bits)
    log = None if p is None or q is None else p + q
    return lns_encode(s * t, log, bits, underflow)


def lns_div(x, y, bits, underflow="zero"):
    """Return x / y; x / 0 is the largest number with the sign of x, 0 / 0 is 0."""
    (s, p), (t, q) = lns_decode(x, bits), lns_decode(y, bits)
    if p is None:
        return lns_encode(1, None, bits)
    if q is None:
        return lns_encode(s, 2**bits, bits)
    return lns_encode(s * t, p - q, bits, underflow)


def lns_sqrt(x, bits):
    """Return the square root, its log rounded to even; of a negative number 0."""
    sign, log = lns_decode(x, bits)
    if log is None or sign < 0:
        return lns_encode(1, None, bits)
    return lns_encode(1, round(Fraction(log, 2)), bits)


def lns_power(x, y, bits, exponent_frac, underflow="zero"):
    """Return |x| ** y, y an exponent in units of 2**-exponent_frac.

    The log is rounded to even. 0 ** y is 0, 1 or the largest for y > 0, = 0, < 0.
    """
    log = lns_decode(x, bits)[1]
    if log is None:
        log_of_zero = 0 if y == 0 else 2**bits
        return lns_encode(1, None if y > 0 else log_of_zero, bits)
    log = round(Fraction(log * y, 2**exponent_frac))
    return lns_encode(1, log, bits, underflow)


def lns_add(x, y, bits, delta, underflow="zero"):
    """Return x + y: the larger log moved by delta; a zero operand is bypassed."""
    (s, p), (t, q) = lns_decode(x, bits), lns_decode(y, bits)
    if p is None or q is None:
        return lns_encode(t, q, bits) if p is None else lns_encode(s, p, bits)
    if p == q and s != t:
        return lns_encode(1, None, bits)
    shift = delta(abs(p - q), s != t)
    log = None if shift is None else max(p, q) + shift
    return lns_encode(s if p >= q else t, log, bits, underflow)


def lns_sub(x, y, bits, delta, underflow="zero"):
    """Return x - y."""
    return lns_add(x, lns_neg(y, bits), bits, delta, underflow)


def lns_mac(acc, x, y, bits, delta, underflow="zero"):
    """Return acc + x * y; the product saturates and underflows as a word."""
    return lns_add(acc, lns_mul(x, y, bits, underflow), bits, delta, underflow)


def lns_resize(x, bits, frac, to_bits, to_frac, underflow="zero", random=None):
    """Return the word of another format for x, its log rounded to even.

    With random, its low bits are added below the last bit kept, the rest is cut.
    """
    sign, log = lns_decode(x, bits)
    if log is None:
        return lns_encode(1, None, to_bits)
    scaled = Fraction(log * 2**to_frac, 2**frac)
    if random is None:
        return lns_encode(sign, round(scaled), to_bits, underflow)
    part = 2 ** max(frac - to_frac, 0)
    return lns_encode(sign, floor(scaled + Fraction(random % part, part)), to_bits,
                      underflow)


def lns_sum(words, bits, delta, underflow="zero", tree=False):
    """Return the sum from the left, or by a tree: neighbours in pairs, an odd last
    one waits for the next round. No words give zero.
    """
    words = list(words) or [lns_encode(1, None, bits)]
    while len(words) > 1:
        pairs = len(words) // 2 if tree else 1
        sums = [lns_add(words[2 * i], words[2 * i + 1], bits, delta, underflow)
                for i in range(pairs)]
        words = sums + words[2 * pairs:]
    return words[0]


def lns_dot(xs, ys, init, bits, delta, guard=0, underflow="zero", tree=False):
    """Return init + the sum of x * y, rounded to a word at the end.

    Products too are made, and saturate, with the guard bits. init comes first, in
    a tree as its first leaf.
    """
    def wide(word):
        return lns_resize(word, bits, 0, size, guard)

    size = bits + guard
    products = [lns_mul(wide(x), wide(y), size, underflow)
                for x, y in zip(xs, ys, strict=True)]
    total = lns_sum([wide(init), *products], size, delta, underflow, tree)
    return lns_resize(total, size, guard, bits, 0, underflow)
