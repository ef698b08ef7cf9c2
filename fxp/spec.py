"""The arithmetic of fixed-point words, bit by bit: the one truth of fxp.

Rounding drops n fraction bits; the modes are down (floor), nearest-even,
nearest-up (ties towards plus infinity), toward-zero and stochastic, which adds
n random bits (an operand) before it drops them. Overflow saturates or wraps.
"""

from __future__ import annotations

from fxp.format import Fixed
from fxp.trace.bits import clamp, maximum, minimum, where

__all__ = ["OVERFLOWS", "ROUNDINGS", "absolute", "add", "compare", "divided", "mac", "mul", "neg",
           "overflow", "rescale", "resize", "round_nearest_even", "round_shift", "sub"]

ROUNDINGS = ("down", "nearest-even", "nearest-up", "toward-zero", "stochastic")
OVERFLOWS = ("saturate", "wrap")


def round_nearest_even(x, n: int):
    """Return x / 2**n to the nearest integer, ties to even."""
    if n == 0:
        return x
    odd = (x >> n) & 1
    return (x + odd + ((1 << (n - 1)) - 1)) >> n


def round_shift(x, n: int, rounding: str, random=0):
    """Return x / 2**n rounded; with n <= 0 the exact x * 2**-n."""
    if n <= 0:
        return x << -n
    if rounding == "down":
        return x >> n
    if rounding == "nearest-even":
        return round_nearest_even(x, n)
    if rounding == "nearest-up":
        return (x + (1 << (n - 1))) >> n
    if rounding == "toward-zero":
        return (x + where(x < 0, (1 << n) - 1, 0)) >> n
    return (x + (random & ((1 << n) - 1))) >> n


def divided(x, divisor: int, low: int, high: int):
    """Return x / divisor rounded down, of an x in low..high and a divisor above 0.

    Long division, a bit of the quotient after the other; factors of two are shifts. What
    is below 0 is lifted by a multiple of the divisor first.
    """
    while divisor % 2 == 0:
        x, divisor, low, high = x >> 1, divisor // 2, low >> 1, high >> 1
    if divisor == 1:
        return x
    lift = max(0, -(low // divisor))
    x, bits = x + lift * divisor, (high // divisor + lift).bit_length()
    mask = (1 << divisor.bit_length()) - 1  # holds what is left over, which ranges cannot see
    rest, quotient = x >> bits, 0 * x
    for i in reversed(range(bits)):
        rest = (rest << 1) | ((x >> i) & 1)
        fits = (rest >= divisor) * 1
        rest = (rest - where(fits, divisor, 0)) & mask
        quotient = (quotient << 1) | fits
    return quotient - lift


def rescale(total, positive, negative, shift):
    """Return total m + 2^shift >> shift + 1, m = positive or, of a negative total, negative:
    a sum of 32 bits times its scale, rounded to nearest, ties upwards.

    shift is 0..61, one less than the exponent of the scale. `nets.quantize.integer` has the same
    over arrays.
    """
    scaled = total * where(total < 0, negative, positive)
    for k in range(6):
        scaled = where((shift >> k) & 1, scaled >> (1 << k), scaled)
    return (scaled + 1) >> 1


def overflow(x, f: Fixed, mode: str = "saturate"):
    """Return x brought into the words of f: clamped, or modulo 2**bits."""
    if mode == "saturate":
        return clamp(x, f.low, f.high)
    low_bits = x & ((1 << f.bits) - 1)
    if not f.signed:
        return low_bits
    return (low_bits ^ (1 << (f.bits - 1))) - (1 << (f.bits - 1))


def add(x, y, f: Fixed, mode="saturate"):
    """Return x + y."""
    return overflow(x + y, f, mode)


def sub(x, y, f: Fixed, mode="saturate"):
    """Return x - y."""
    return overflow(x - y, f, mode)


def neg(x, f: Fixed, mode="saturate"):
    """Return -x; the lowest signed word saturates or wraps."""
    return overflow(0 - x, f, mode)


def absolute(x, f: Fixed, mode="saturate"):
    """Return |x|; the lowest signed word saturates or wraps."""
    return overflow(maximum(x, 0 - x), f, mode)


def mul(x, y, f: Fixed, rounding="nearest-even", mode="saturate", random=0):
    """Return x * y rounded once to f."""
    return overflow(round_shift(x * y, f.frac, rounding, random), f, mode)


def mac(acc, x, y, f: Fixed, rounding="nearest-even", mode="saturate", random=0):
    """Return acc + x * y, computed exactly and rounded once to f."""
    exact = (acc << f.frac) + x * y
    return overflow(round_shift(exact, f.frac, rounding, random), f, mode)


def resize(x, f: Fixed, to: Fixed, rounding="nearest-even", mode="saturate", random=0):
    """Return the word of `to` for the word x of f."""
    return overflow(round_shift(x, f.frac - to.frac, rounding, random), to, mode)


def compare(x, y):
    """Return -1, 0 or 1 as x is less than, equal to or greater than y."""
    return (x > y) * 1 - (x < y) * 1


def least(x, y):
    """Return the smaller word."""
    return minimum(x, y)


def greatest(x, y):
    """Return the larger word."""
    return maximum(x, y)


def leaky_relu(x, f: Fixed, beta: int, rounding="nearest-even"):
    """Return x, scaled by 2**beta if negative (beta <= 0) and rounded."""
    return where(x < 0, round_shift(x, -beta, rounding), x)


def random_word(counter, seed):
    """Return 32 pseudo-random bits of a 32-bit counter and a 32-bit seed.

    Shifts, adds and xors only, so hardware can hold it: two passes of Jenkins'
    one-at-a-time mixing (Dr. Dobb's Journal, September 1997).
    """
    mask = (1 << 32) - 1
    x = (counter ^ seed) & mask
    for _ in range(2):
        x = (x + (x << 10)) & mask
        x = x ^ (x >> 6)
        x = (x + (x << 3)) & mask
        x = x ^ (x >> 11)
        x = (x + (x << 15)) & mask
    return x ^ (x >> 16)
