"""Dyadic rationals k * 2**-n as text: 3, -5/8, 0.25, 2^-5, +2^3."""

from __future__ import annotations

from fractions import Fraction

from fxp.format import FormatError
from fxp.text.numbers import exact

__all__ = ["dyadic", "in_units", "power_of_two"]


def dyadic(name: str, given, bits: int = 24) -> Fraction:
    """Return the number that a text or a number means, with at most `bits` fraction bits.

    Raises FormatError, with the nearest number that would do, for any other.
    """
    value = exact(name, given)
    if (value * 2**bits).denominator != 1:
        raise FormatError(f"{name} must be a multiple of 2^-{bits}, got {str(given).strip()}; "
                          f"{Fraction(round(value * 2**bits), 2**bits)} is near")
    return value


def power_of_two(value: Fraction) -> int | None:
    """Return log2 of a power of two, None for any other number."""
    for part, other, sign in ((value.numerator, value.denominator, 1),
                              (value.denominator, value.numerator, -1)):
        if other == 1 and part > 0 and part & (part - 1) == 0:
            return sign * (part.bit_length() - 1)
    return None


def in_units(name: str, value: Fraction, frac: int, what: str) -> int:
    """Return value in units of 2**-frac; raise FormatError if it is no whole number of them."""
    scaled = value * 2**frac
    if scaled.denominator != 1:
        raise FormatError(f"{name} {value} is no multiple of 2^-{frac}, the unit of {what}")
    return int(scaled)
