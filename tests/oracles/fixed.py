"""Fixed-point words as Fractions and back, rounded and brought into range."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor


def fixed_value(word, bits, frac, signed=True) -> Fraction:
    """Return the real number that a word means."""
    low, high = fixed_range(bits, signed)
    assert low <= word <= high, f"{word} is no word of {low}..{high}"
    return Fraction(word, 2**frac)


def fixed_range(bits, signed=True):
    """Return the smallest and the largest word."""
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def fixed_quantise(x, bits, frac, signed=True, rounding="nearest-even",
                   overflow="saturate", random=0, dropped=0):
    """Return the word of a real number (Fraction, int or float).

    Only stochastic rounding looks at random and dropped, the number of fraction
    bits that the operation drops (a property of the operation, not of x).
    """
    scaled = Fraction(x) * 2**frac
    whole = rounded(scaled, rounding, random, dropped)
    low, high = fixed_range(bits, signed)
    if overflow == "wrap":
        return (whole - low) % 2**bits + low
    assert overflow == "saturate", overflow
    return min(max(whole, low), high)


def rounded(x: Fraction, rounding, random=0, dropped=0) -> int:
    """Return the integer next to x in the sense of a rounding mode."""
    if rounding == "stochastic":
        assert (x * 2**dropped).denominator == 1, "more bits than dropped"
        return floor(x + Fraction(random % 2**dropped, 2**dropped))
    if rounding == "toward-zero":
        return floor(x) if x > 0 else ceil(x)
    return {"down": floor,
            "nearest-even": round,
            "nearest-up": lambda y: floor(y + Fraction(1, 2))}[rounding](x)
