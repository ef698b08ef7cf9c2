"""Real numbers as sign and log2, wide and fine enough to judge any LNS format.

Float64 values cannot: 32-bit formats reach 2**(2**30), and the difference of two
neighbours loses half its digits. The real functions of the catalogue run on
these and on plain float64 arrays alike.
"""

from __future__ import annotations

import math

import numpy as np

from fxp.format import Fixed
from lnsarith.lns.format import Lns

__all__ = ["LN2", "Real", "as_float", "as_real", "choose", "decode"]

LN2 = math.log(2)


class Real:
    """Numbers sign * 2**log: sign -1, 0 or 1 (int8), log float64, -inf for zero.

    A log of +inf is infinite (x / 0), a NaN is undefined (0 / 0, the root of a
    negative number). Logs are good to about 2**-50.
    """

    __slots__ = ("log", "sign")
    __array_ufunc__ = None

    def __init__(self, sign, log):
        self.sign = sign
        self.log = log

    def __neg__(self):
        return Real(-self.sign, self.log)

    def __abs__(self):
        return Real(abs(self.sign), self.log)

    def __add__(self, other):
        other = as_real(other)
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = np.abs(self.log - other.log)
            gap = np.where(np.isnan(gap), 0.0, gap)
            below = np.expm1(gap * -LN2)
            grown = np.where(self.sign == other.sign, 2.0 + below, -below)
            log = np.maximum(self.log, other.log) + np.log2(grown)
        sign = np.where(self.log >= other.log, self.sign, other.sign)
        return Real(np.where(log == -np.inf, np.int8(0), sign), log)

    def __sub__(self, other):
        return self + -as_real(other)

    def __mul__(self, other):
        other = as_real(other)
        return Real(self.sign * other.sign, self.log + other.log)

    def __truediv__(self, other):
        """x / 0 is infinite with the sign of x; 0 / 0 is undefined."""
        other = as_real(other)
        sign = self.sign * np.where(other.sign == 0, np.int8(1), other.sign)
        with np.errstate(invalid="ignore"):
            return Real(sign, self.log - other.log)

    def __pow__(self, exponent):
        """x**y for float64 y; 0**y is 0, 1 or infinite, of x < 0 it is undefined."""
        with np.errstate(invalid="ignore"):
            log = np.where(exponent == 0, 0.0, self.log * exponent)
        log = np.where(self.sign < 0, np.nan, log)
        return Real(np.where(log == -np.inf, 0, 1).astype(np.int8), log)

    def __lt__(self, other):
        other = as_real(other)
        size = np.where(self.sign < 0, self.log > other.log, self.log < other.log)
        return (self.sign < other.sign) | ((self.sign == other.sign) & size)

    def __gt__(self, other):
        return as_real(other) < self


def as_real(x) -> Real:
    """Return x, a Real or float64 numbers, as a Real."""
    if isinstance(x, Real):
        return x
    x = np.asarray(x, np.float64)
    with np.errstate(divide="ignore"):
        return Real(np.sign(x).astype(np.int8), np.log2(np.abs(x)))


def as_float(x) -> np.ndarray:
    """Return x as float64: infinite or zero where the magnitude leaves its range."""
    if not isinstance(x, Real):
        return np.asarray(x, np.float64)
    with np.errstate(over="ignore", under="ignore"):
        return x.sign * np.exp2(x.log)


def choose(condition, then, otherwise):
    """Return `then` where the condition holds, else `otherwise`."""
    if not isinstance(then, Real):
        return np.where(condition, then, otherwise)
    return Real(np.where(condition, then.sign, otherwise.sign),
                np.where(condition, then.log, otherwise.log))


def decode(words, f: Fixed | Lns):
    """Return the values of words: float64 for a fixed-point format, else a Real."""
    if isinstance(f, Fixed):
        return words * f.eps
    log = ((words & (2 * f.zero - 1)) ^ f.zero) - f.zero
    nothing = log == f.zero_log
    sign = np.where(words < 0, np.int8(-1), np.int8(1)) * ~nothing
    return Real(sign, np.where(nothing, -np.inf, log * 2.0**-f.frac))
