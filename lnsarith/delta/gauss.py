"""The Gaussian logarithms D+(d) = log2(1 + 2**-d) and D-(d) = log2(1 - 2**-d), rounded.

Every table of the project is made here. Float64 decides an entry only where it
lies clear of a tie; near one, 60-digit decimals do, so that no mathematics
library can change a table.
"""

from __future__ import annotations

import decimal
import math
from fractions import Fraction
from functools import lru_cache

import numpy as np

__all__ = ["first_zero", "gauss", "gauss_mean", "gauss_real", "gauss_words", "log2_floor",
           "log2_word"]


def gauss_real(d: float, opposite: bool) -> float:
    """Return D-(d) if opposite, else D+(d), in float64; d > 0 where opposite."""
    if opposite:
        return math.log2(-math.expm1(-d * math.log(2)))
    return math.log1p(2.0**-d) / math.log(2)


@lru_cache(maxsize=1 << 18)
def gauss(d: Fraction, opposite: bool, frac: int) -> int:
    """Return D+(d) or D-(d) in units of 2**-frac, rounded to nearest."""
    scaled = gauss_real(float(d), opposite) * (1 << frac)
    if abs(scaled - math.floor(scaled) - 0.5) > 1e-6:
        return round(scaled)
    with decimal.localcontext() as context:
        context.prec = 60
        two = decimal.Decimal(2)
        t = two ** (-decimal.Decimal(d.numerator) / d.denominator)
        exact = (1 - t if opposite else 1 + t).ln() / two.ln() * (1 << frac)
        return int(exact.to_integral_value(decimal.ROUND_HALF_EVEN))


def gauss_words(gaps: range, opposite: bool, frac: int) -> list[int]:
    """Return `gauss` of every gap (in units of 2**-frac), at once: float64 is off by far less
    than the 1e-6 that send a word to be decided there."""
    d = np.arange(gaps.start, gaps.stop, gaps.step) / (1 << frac)
    real = np.log2(-np.expm1(-d * math.log(2))) if opposite else np.log1p(np.exp2(-d)) / math.log(2)
    scaled = real * (1 << frac)
    words = np.rint(scaled).astype(np.int64).tolist()
    for i in np.flatnonzero(abs(scaled - np.floor(scaled) - 0.5) <= 2e-6).tolist():
        words[i] = gauss(Fraction(gaps[i], 1 << frac), opposite, frac)
    return words


def gauss_mean(low: Fraction, high: Fraction, opposite: bool, frac: int) -> int:
    """Return the mean of D+ or D- over low..high in units of 2**-frac, rounded.

    The integral of log2(1 -+ 2**-x) is Li2(+-2**-x) / ln(2)**2.
    """
    li2 = _dilogarithm if opposite else _dilogarithm_of_negative
    rise = li2(2.0 ** -float(high)) - li2(2.0 ** -float(low))
    return round(rise / (math.log(2) ** 2 * float(high - low)) * (1 << frac))


@lru_cache(maxsize=64)
def first_zero(frac: int) -> int:
    """Return the smallest gap (in units of 2**-frac) from which D+ and D- round to 0."""
    gap = math.ceil((frac + 1 + math.log2(math.log2(math.e))) * (1 << frac))
    scale = 1 << frac
    while gauss(Fraction(gap, scale), False, frac) or gauss(Fraction(gap, scale), True, frac):
        gap += 1
    while not (gauss(Fraction(gap - 1, scale), False, frac)
               or gauss(Fraction(gap - 1, scale), True, frac)):
        gap -= 1
    return gap


def _dilogarithm(z: float) -> float:
    """Return Li2(z) for 0 <= z <= 1."""
    if z > 0.5:
        log_terms = math.log(z) * math.log1p(-z) if z < 1 else 0.0
        return math.pi**2 / 6 - log_terms - _dilogarithm(1 - z)
    total, power, k = 0.0, z, 1
    while power > 1e-20:
        total += power / k**2
        power, k = power * z, k + 1
    return total


def _dilogarithm_of_negative(z: float) -> float:
    """Return Li2(-z) for 0 <= z <= 1."""
    return _dilogarithm(z * z) / 2 - _dilogarithm(z)


@lru_cache(maxsize=1 << 12)
def log2_word(numerator: int, denominator: int, frac: int, tens: int = 0) -> int:
    """Return log2(numerator / denominator * 10**tens) in units of 2**-frac, rounded to
    nearest. There are no ties: a number with such a log is irrational."""
    return _floor_of_log2(numerator, denominator, frac, tens, decimal.Decimal("0.5"))


@lru_cache(maxsize=1 << 12)
def log2_floor(numerator: int, denominator: int, frac: int, tens: int = 0) -> tuple[int, bool]:
    """Return log2 of a reduced fraction, with tens of a number that is no power of two, in
    units of 2**-frac, rounded down, and whether it is exact."""
    if not tens and not (numerator & (numerator - 1) or denominator & (denominator - 1)):
        return (numerator.bit_length() - denominator.bit_length()) << frac, True
    return _floor_of_log2(numerator, denominator, frac, tens, decimal.Decimal(0)), False


def _floor_of_log2(numerator: int, denominator: int, frac: int, tens: int,
                   offset: decimal.Decimal) -> int:
    """Return the integer below log2 in units, plus an offset, by as many decimals as it
    takes to tell: the sum is never an integer. Logs are off by 10**(30 - digits) at most."""
    shift = numerator.bit_length() - denominator.bit_length()
    numerator, denominator = numerator << max(-shift, 0), denominator << max(shift, 0)
    digits = 60
    while True:
        with decimal.localcontext() as context:
            context.prec, context.Emax, context.Emin = digits, decimal.MAX_EMAX, decimal.MIN_EMIN
            ratio = decimal.Decimal(numerator) / decimal.Decimal(denominator)
            octave = decimal.Decimal(2).ln()
            log = (ratio.ln() + tens * decimal.Decimal(10).ln()) / octave + shift
            scaled = log * (1 << frac) + offset
            below = scaled.to_integral_value(decimal.ROUND_FLOOR)
            doubt = decimal.Decimal(10) ** (35 - digits)
            if doubt < scaled - below < 1 - doubt:
                return int(below)
        digits *= 2
