"""Delta methods by shifts and adds: no table, no multiplier."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from fxp.format import FormatError
from fxp.trace.bits import clamp, minimum, where
from lnsarith.delta.method import Delta, by_table, cancelling, remembered
from lnsarith.delta.pwl import MOST, fit_segments, fit_within
from lnsarith.lns.convert import shift_right

__all__ = ["Balanced", "BitShift", "Mitchell", "Pwl"]

FINEST = 18  # fraction bits that segments are fitted to; a fit takes twice as long for each more


@dataclass(frozen=True)
class BitShift(Delta):
    """D+ as 1 and D- as -1.5, shifted right by floor(d) (ICASSP 2020, truncated)."""

    name = "bitshift"

    @remembered
    def at(self, frac, cancel):
        one = 1 << frac
        same = [one >> i for i in range(frac + 2)]
        minus = [-((3 * one) >> (i + 1)) for i in range(frac + 2)]
        return cancelling(by_table("shift", same, minus, 0, frac), cancel)


@dataclass(frozen=True)
class Mitchell(Delta):
    """D+ as Mitchell's antilogarithm t of -d, D- as -(2 t + c) with small steps c
    (LPVIP, as in the xlns library)."""

    name = "mitchell"

    @remembered
    def at(self, frac, cancel):
        one = 1 << frac
        steps = [(one // 16, 4), (one // 8, 3), (one // 4, 2), (one // 2, 1)]

        def delta(gap, opposite):
            t = _antilog(gap, frac, 0)
            c = 0
            for limit, value in reversed(steps):
                c = where(gap < limit, value << frac, c)
            return where(opposite != 0, 0 - (t << 1) - c, t)

        return cancelling(delta, cancel)


@dataclass(frozen=True)
class Pwl(Delta):
    """Line segments with slopes of powers of two, longest first: so many for D+ and for D-
    each, their maximum error found by bisection, or with `error` (in octaves, rounding to
    words included; 0: not given) as many as it takes."""

    name = "pwl"

    segments: int = 16
    error: Fraction = Fraction(0)

    def __post_init__(self):
        if not 2 <= self.segments <= MOST:
            raise FormatError(f"segments must be 2..{MOST}, got {self.segments}")
        if not 0 <= self.error < 1:
            raise FormatError(f"error must be above 0 and below 1, got {self.error}")
        if self.error and self.segments != type(self).segments:
            raise FormatError("pwl takes segments or error, not both")

    def fitted(self, frac: int) -> tuple[tuple[tuple[int, int, int], ...], ...]:
        """Return the segments of D+ and of D- at so many fraction bits, see lnsarith.delta.pwl.

        FormatError above FINEST: every gap is looked at, and there are 2**frac an octave.
        """
        if frac > FINEST:
            raise FormatError(f"pwl fits segments over every gap, of at most {FINEST} fraction "
                              f"bits, not of {frac}; use delta interp or lut")
        if self.error:
            return tuple(fit_within(frac, side, self.error) for side in (False, True))
        return tuple(fit_segments(frac, side, self.segments) for side in (False, True))

    @remembered
    def at(self, frac, cancel):
        plus, minus = self.fitted(frac)

        def line(gap, parts, sign):
            value = 0
            ends = [start for start, _, _ in parts[1:]] + [parts[-1][0] + 1]
            for (start, intercept, shift), end in zip(parts, ends):
                along = clamp(gap, start, end - 1) - start
                rise = along >> shift if shift >= 0 else along << -shift
                piece = intercept + sign * rise
                value = where(gap >= start, piece, value)
            return value

        def delta(gap, opposite):
            return where(opposite != 0, line(gap, minus, 1), line(gap, plus, -1))

        return cancelling(delta, cancel)


@dataclass(frozen=True)
class Balanced(Delta):
    """Shifts and adds alone, with which sums of zero-mean terms keep their mean and size.

    For an unbiased accumulator 2**D+ + 2**D- = 2, so the parts of D+ and D- linear
    in 2**-d must be equal and opposite, and both must droop. With Mitchell's
    antilogarithm A(x) of -x and his logarithm L, t = A(d) and u = A(2 d):

        D+ = 11/8 t - 3/8 u
        D- = -11/8 t - 5/4 u          for d >= 1
        D- = L(d) - 1/2 - d/2         for d < 1

    D+(0) = 1 and D-(1) = -1 are exact. The coefficients were chosen among sums
    of two or three powers of two for the smallest error of 785-term zero-mean
    dot products.
    """

    name = "balanced"

    @remembered
    def at(self, frac, cancel):
        one, extra = 1 << frac, 5  # bits kept below the result until it is rounded

        def delta(gap, opposite):
            t = _antilog(gap, frac, extra)
            u = _antilog(gap << 1, frac, extra)
            eleven_t = (t << 3) + (t << 1) + t
            # Sizes are rounded, not signed values: a tie must not favour D+ over D-.
            size = eleven_t + where(opposite, (u << 3) + (u << 1), 0 - (u << 1) - u)
            rounded = (size + (4 << extra)) >> (extra + 3)
            near = _log(minimum(gap, one), frac) - (one >> 1) - ((gap + 1) >> 1)
            minus = where(gap < one, near, 0 - rounded)
            return where(opposite != 0, minus, rounded)

        return cancelling(delta, cancel)


def _antilog(x, frac: int, extra: int):
    """Return Mitchell's antilogarithm of -x, (1 - f/2) >> i for x = i + f, truncated
    to frac + extra fraction bits."""
    one = 1 << frac
    whole = minimum(x >> frac, frac + extra + 2)
    return shift_right((2 * one - (x & (one - 1))) << extra, whole + 1, frac + extra + 3)


def _log(x, frac: int):
    """Return Mitchell's logarithm of x <= 1, x > 0: the place of its leading one, then
    the bits behind it."""
    whole = 0
    for stage in reversed(range(frac.bit_length())):
        short = x < (2 << frac) >> (1 << stage)
        x = minimum(where(short, x << (1 << stage), x), (2 << frac) - 1)
        whole = whole - where(short, 1 << stage, 0)
    return (whole << frac) + x - (1 << frac)
