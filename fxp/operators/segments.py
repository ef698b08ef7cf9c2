"""Piecewise-linear functions whose slopes are powers of two: selected shifts, one addition."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fxp.format import Fixed, FormatError
from fxp.spec import overflow, round_shift
from fxp.text.dyadic import dyadic, in_units, power_of_two
from fxp.trace.bits import where

__all__ = ["SEGMENTS", "Segment", "Segments", "pwl"]

SLOPES = (-16, 8)  # of log2: 32-bit operands stay within 64 bits
MOST_SEGMENTS = 256

# Logistic function by the fewest pieces of one shift each for an error of at most .01
# (fit_segments).
SEGMENTS = {
    "logistic9": "0:5/512,-4:1/32:19/128,-39/16:1/8:385/1024,-9/8:1/4:265/512,-3/4:1/4:1/2,"
                 "3/4:1/4:247/512,9/8:1/8:639/1024,39/16:1/32:109/128,4:0:507/512",
}


@dataclass(frozen=True)
class Segment:
    """From x = start on (of the first segment None): slope * x + intercept."""

    start: Fraction | None
    slope: Fraction
    intercept: Fraction

    def __post_init__(self):
        log = power_of_two(abs(self.slope)) if self.slope else 0
        if log is None or not SLOPES[0] <= log <= SLOPES[1]:
            raise FormatError(f"a slope is 0 or + or - a power of two, 2^{SLOPES[0]}.."
                              f"2^{SLOPES[1]}, got {self.slope}")

    def __str__(self) -> str:
        start = [] if self.start is None else [str(self.start)]
        return ":".join([*start, str(self.slope), str(self.intercept)])


@dataclass(frozen=True)
class Segments:
    """Segments from left to right; the first has no start, the last no end."""

    segments: tuple[Segment, ...]

    def __post_init__(self):
        starts = [s.start for s in self.segments[1:] if s.start is not None]
        if not 1 <= len(self.segments) <= MOST_SEGMENTS:
            raise FormatError(f"there are 1..{MOST_SEGMENTS} segments, got {len(self.segments)}")
        first, rising = self.segments[0].start, sorted(set(starts))
        if first is not None or len(rising) < len(self.segments) - 1 or starts != rising:
            raise FormatError("the first segment is slope:intercept, the others are "
                              "start:slope:intercept, with rising starts")

    def __str__(self) -> str:
        return ",".join(map(str, self.segments))

    @classmethod
    def parse(cls, text: str) -> Segments:
        """Return what a name or slope:intercept,start:slope:intercept,... means."""
        return cls(tuple(map(_segment, SEGMENTS.get(text, text).split(","))))

    def real(self, x):
        """Return the function at float64 numbers."""
        starts = np.array([float(s.start) for s in self.segments[1:] if s.start is not None])
        at = np.searchsorted(starts, x, "right")
        slope, intercept = (np.array([float(getattr(s, name)) for s in self.segments])
                            for name in ("slope", "intercept"))
        return slope[at] * x + intercept[at]

    def at(self, f: Fixed) -> tuple[list[tuple[int, int, int]], int]:
        """Return ([(start, factor, intercept)], finer) for operands of f.

        Starts are words (the first is f.low); factors and intercepts have `finer`
        fraction bits more. Raises FormatError for a start between two words.
        """
        finest = max(s.intercept.denominator.bit_length() - 1 for s in self.segments)
        steepest = max(s.slope.denominator.bit_length() - 1 for s in self.segments)
        finer = max(steepest, finest - f.frac)
        return [(f.low if s.start is None else in_units("start", s.start, f.frac, str(f)),
                 int(s.slope * 2**finer), int(s.intercept * 2 ** (f.frac + finer)))
                for s in self.segments], finer


def pwl(x, f: Fixed, to: Fixed, segments: Segments, rounding="nearest-even"):
    """Return slope * x + intercept of the segment that x lies in, rounded once to `to`.

    A start belongs to the segment that it starts; values beyond `to` saturate.
    """
    rows, finer = segments.at(f)
    starts = [start for start, _, _ in rows]
    scaled = _select(x, starts, [_shifted(x, factor) for _, factor, _ in rows])
    total = scaled + _select(x, starts, [intercept for _, _, intercept in rows])
    return overflow(round_shift(total, f.frac + finer - to.frac, rounding), to)


def _select(x, starts, values):
    """Return the value of the last start that x reaches, by halving."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return where(x < starts[half], _select(x, starts[:half], values[:half]),
                 _select(x, starts[half:], values[half:]))


def _shifted(x, factor: int):
    """Return x * factor, where |factor| is 0 or a power of two."""
    if factor == 0:
        return 0
    shifted = x << (abs(factor).bit_length() - 1)
    return shifted if factor > 0 else 0 - shifted


def _segment(text: str) -> Segment:
    numbers = text.split(":")
    if len(numbers) not in (2, 3):
        raise FormatError(f"a segment is start:slope:intercept, got {text!r} "
                          "(try 0.75:2^-2:1/2)")
    slope, intercept = dyadic("slope", numbers[-2]), dyadic("intercept", numbers[-1])
    return Segment(dyadic("start", numbers[0]) if len(numbers) == 3 else None, slope, intercept)
