"""SPINDLE: a function of one operand as a sum of shifted ReLUs.

    y = 2**-R (offset + sum_i s_y,i (max(0, s_x,i (x - b_i)) << L_i))

s_x = 1 faces right (the unit works above its knee b), s_x = -1 left; s_y 2**g is its
gain. In hardware a unit is a subtraction, a multiplexer and wires. The sum is exact
and wide enough for every x; it is rounded once, then clamped to the result's words.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fxp.format import Fixed, FormatError
from fxp.spec import overflow, round_shift
from fxp.text.dyadic import dyadic, in_units, power_of_two
from fxp.trace.bits import maximum, where

__all__ = ["SPINDLES", "Spindle", "Unit", "spindle", "spindle_gradient"]

GAINS = (-16, 4)  # of log2: 64 units of 32-bit operands stay within 64 bits
MOST_UNITS = 64

# Logistic function by eight units, error at most .0115 (exact dynamic programming).
SPINDLES = {
    "logistic8": "offset=7/1024,-4:+2^-5,-2.9375:+2^-4,-1.4375:+2^-3,0:+2^-6,"
                 "1.25:-2^-3,2:-2^-6,3:-2^-4,3.8125:-2^-5",
}


@dataclass(frozen=True)
class Unit:
    """sign 2**log max(0, x - knee), or with left max(0, knee - x)."""

    knee: Fraction
    log: int
    sign: int = 1
    left: bool = False

    def __post_init__(self):
        if not GAINS[0] <= self.log <= GAINS[1]:
            raise FormatError(f"a gain is + or - a power of two, 2^{GAINS[0]}..2^{GAINS[1]}, "
                              f"got 2^{self.log}")

    def __str__(self) -> str:
        return (f"{self.knee}:{'+' if self.sign > 0 else '-'}2^{self.log}"
                f"{':left' if self.left else ''}")

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Return the unit that knee:gain or knee:gain:left means."""
        knee, *rest = text.split(":")
        if not rest or rest[1:] not in ([], ["left"]):
            raise FormatError(f"a unit is knee:gain or knee:gain:left, got {text!r} "
                              "(try -1.5:+2^-3)")
        gain = dyadic("gain", rest[0])
        log = power_of_two(abs(gain)) if gain else None
        if log is None:
            raise FormatError(f"a gain is + or - a power of two, got {rest[0]!r}")
        return cls(dyadic("knee", knee), log, 1 if gain > 0 else -1, len(rest) == 2)


@dataclass(frozen=True)
class Spindle:
    """Units and the offset, which the sum has where no unit works."""

    units: tuple[Unit, ...]
    offset: Fraction = Fraction(0)

    def __post_init__(self):
        if not 1 <= len(self.units) <= MOST_UNITS:
            raise FormatError(f"a spindle has 1..{MOST_UNITS} units, got {len(self.units)}")

    def __str__(self) -> str:
        return ",".join([f"offset={self.offset}", *map(str, self.units)])

    @classmethod
    def parse(cls, text: str) -> Spindle:
        """Return the spindle that a name or offset=1/128,-4:+2^-5,3:-2^-4:left,... means."""
        parts = [p.strip() for p in SPINDLES.get(text, text).split(",") if p.strip()]
        offsets = [p.partition("=")[2] for p in parts if p.startswith("offset=")]
        if len(offsets) > 1:
            raise FormatError(f"a spindle has one offset, got {', '.join(offsets)}")
        units = tuple(Unit.parse(p) for p in parts if not p.startswith("offset="))
        return cls(units, dyadic("offset", offsets[0]) if offsets else Fraction(0))

    def real(self, x):
        """Return the sum at floats, in their type."""
        total = np.full(np.shape(x), float(self.offset), np.result_type(x, np.float32))
        for unit in self.units:
            away = np.maximum(0.0, (-1 if unit.left else 1) * (x - float(unit.knee)))
            total += unit.sign * 2.0**unit.log * away
        return total

    def slope(self, x):
        """Return the derivative at floats, in their type; at a knee its unit counts as off."""
        total = np.zeros(np.shape(x), np.result_type(x, np.float32))
        for unit in self.units:
            on = x < float(unit.knee) if unit.left else x > float(unit.knee)
            total += (-unit.sign if unit.left else unit.sign) * 2.0**unit.log * on
        return total

    def at(self, f: Fixed) -> tuple[int, list[tuple[int, int, int, bool]], int]:
        """Return (offset, [(knee, shift, sign, left)], finer) for operands of f.

        Knees are words, the offset and the sum have `finer` fraction bits more.
        Raises FormatError for a knee that is no word of f.
        """
        finer = max(0, -min(unit.log for unit in self.units),
                    self.offset.denominator.bit_length() - 1 - f.frac)
        rows = [(_knee(unit, f), unit.log + finer, unit.sign, unit.left) for unit in self.units]
        return int(self.offset * 2 ** (f.frac + finer)), rows, finer


def spindle(x, f: Fixed, to: Fixed, units: Spindle, rounding="down"):
    """Return the sum of the units at x, exact until it is rounded once to the format `to`.

    Rounding down is an arithmetic shift to the right; sums beyond `to` saturate.
    """
    offset, rows, finer = units.at(f)
    total = offset
    for knee, shift, sign, left in rows:
        height = maximum(knee - x if left else x - knee, 0) << shift
        total = total + height if sign > 0 else total - height
    return overflow(round_shift(total, f.frac + finer - to.frac, rounding), to)


def spindle_gradient(x, d, f: Fixed, g: Fixed, units: Spindle):
    """Return d times the derivative of the sum at x, rounded once to nearest even.

    x is a word of f, d and the result are words of g. The derivative is the sum of the
    gains of the units that work at x (at its knee none does), left ones counted negative.
    """
    _, rows, finer = units.at(f)
    slope = 0
    for knee, shift, sign, left in rows:
        on = x < knee if left else x > knee
        slope = slope + where(on, -sign << shift if left else sign << shift, 0)
    return overflow(round_shift(d * slope, finer, "nearest-even"), g)


def _knee(unit: Unit, f: Fixed) -> int:
    word = in_units("knee", unit.knee, f.frac, str(f))
    if not f.low <= word <= f.high:
        raise FormatError(f"knee {unit.knee} is outside {f}, which is "
                          f"{float(f.low * f.eps):g}..{float(f.high * f.eps):g}")
    return word
