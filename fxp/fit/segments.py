"""The fewest lines with slopes 0 or +-2**n for a function, longest first.

    fit_segments(TARGETS["logistic"], 0.01)    9 segments

Part of a stretch that a line fits is fitted too, so taking the longest feasible
stretch each time is optimal. Stretches are closed: a line holds at both of its ends,
also between the samples. (With gaps between stretches of samples 2**-10 apart, 67
lines seem to suffice for the logistic function at .001; of finer samples it is 68.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fxp.fit.functions import Target
from fxp.format import FormatError
from fxp.operators.segments import MOST_SEGMENTS, SLOPES, Segment, Segments

__all__ = ["fit_segments", "line_slopes"]

SAMPLES = 1 << 17  # at most so many, a power of two apart
FINEST = 24  # fraction bits of an intercept


def line_slopes(target: Target) -> list[Fraction]:
    """Return 0 and powers of two from 2**-8 to 2**3 times the function's largest slope,
    of both signs if it falls anywhere."""
    x = np.linspace(target.low, target.high, 4097)
    rises = np.diff(target(x)) / np.diff(x)
    if not rises.any():
        return [Fraction(0)]
    top = math.ceil(math.log2(float(np.abs(rises).max())))
    powers = [Fraction(2) ** n for n in range(max(top - 8, SLOPES[0]), min(top + 3, SLOPES[1]) + 1)]
    falling = [-p for p in powers] if (rises < 0).any() else []
    return [Fraction(0), *powers, *falling]


def fit_segments(target: Target, error: float, slopes=None) -> Segments:
    """Return the fewest segments with at most this error on the target's interval.

    The outer ones are level if that takes no more of them. Starts and intercepts are
    the numbers of fewest fraction bits that do. Raises FormatError where no slope fits
    two neighbouring samples, or more than 256 segments are needed.
    """
    if not error > 0:
        raise FormatError(f"error must be above 0, got {error:g}")
    curve = _sampled(target, error)
    slopes = line_slopes(target) if slopes is None else slopes
    free = _Cover(curve, slopes, slopes)
    level = _Cover(curve, slopes, [Fraction(0)])
    count = len(free.latest())
    cover = level if len(level.latest(count)) == count else free
    if count > MOST_SEGMENTS:
        raise FormatError(f"{target.name} at error {error:g} takes more than {MOST_SEGMENTS} "
                          "segments; allow more error")
    return cover.segments()


@dataclass(frozen=True)
class _Curve:
    """Samples 2**step apart, the first at low units of it, and the error of a line there."""

    step: int
    low: int
    y: np.ndarray
    room: float

    def x(self, index: int) -> Fraction:
        """Return the x of a sample."""
        return Fraction(self.low + index) * Fraction(2) ** self.step


def _sampled(target: Target, error: float) -> _Curve:
    step = math.ceil(math.log2((target.high - target.low) / SAMPLES))
    ends = math.floor(target.low / 2.0**step), math.ceil(target.high / 2.0**step)
    x = np.clip(np.arange(ends[0], ends[1] + 1) * 2.0**step, target.low, target.high)
    y = target(x)
    bend = np.abs(target((x[1:] + x[:-1]) / 2) - (y[1:] + y[:-1]) / 2).max()
    room = error - 1.05 * float(bend)
    if room <= 0:
        raise FormatError(f"{target.name} jumps by more than an error of {error:g}")
    return _Curve(step, ends[0], y, room)


@dataclass(frozen=True)
class _Cover:
    """Stretches of a curve, each within the error of a line; `outer` are the slopes that
    the first and the last may have."""

    curve: _Curve
    slopes: list[Fraction]
    outer: list[Fraction]

    def latest(self, most: int = MOST_SEGMENTS) -> list[int]:
        """Return the ends of the longest stretches from the left; one more than `most`
        if these are too few."""
        ends = [0]
        last = len(self.curve.y) - 1
        while ends[-1] < last and len(ends) < most + 2:
            ends.append(self._reach(ends[-1]))
        return ends[1:]

    def earliest(self) -> list[int]:
        """Return the starts of the longest stretches from the right, in order."""
        last = len(self.curve.y) - 1
        turned = _Curve(self.curve.step, 0, -self.curve.y[::-1], self.curve.room)
        ends = _Cover(turned, self.slopes, self.outer).latest()
        return [last - end for end in reversed(ends)]

    def segments(self) -> Segments:
        """Return the lines, with starts and intercepts of few bits."""
        begin, found = 0, []
        starts = self.earliest()
        for i in range(len(starts)):
            inner = i < len(starts) - 1
            end = len(self.curve.y) - 1
            if inner:
                end = self._simple(starts[i + 1], min(self._reach(begin), end))
            slope, intercept = self._line(begin, end, self.slopes if 0 < i and inner else
                                          self.outer)
            found.append(Segment(self.curve.x(begin) if i else None, slope, intercept))
            begin = end
        return Segments(tuple(found))

    def _reach(self, begin: int) -> int:
        """Return the last sample that the best line from `begin` on holds at."""
        y, last = self.curve.y[begin:], len(self.curve.y) - 1
        ends = [begin + self._hold(y, slope) for slope in
                (self.outer if begin == 0 else self.slopes)]
        if any(begin + self._hold(y, slope) == last for slope in self.outer):
            return last
        end = min(max(ends), last - 1)
        if end <= begin:
            raise FormatError("the function is steeper than any slope allows for this error")
        return end

    def _hold(self, y: np.ndarray, slope: Fraction) -> int:
        """Return up to which of the samples y a line of this slope holds."""
        climb, window = float(slope) * 2.0**self.curve.step, 256
        while True:
            rest = y[:window] - climb * np.arange(min(window, len(y)))
            spread = np.maximum.accumulate(rest) - np.minimum.accumulate(rest)
            length = int(np.searchsorted(spread, 2 * self.curve.room, "right"))
            if length < len(rest) or window >= len(y):
                return length - 1
            window *= 4

    def _line(self, begin: int, end: int, slopes) -> tuple[Fraction, Fraction]:
        """Return the slope that leaves the most room, level first, and its intercept."""
        x = np.array([float(self.curve.x(begin)), float(self.curve.x(end))])
        x = x[0] + np.arange(end - begin + 1) * 2.0**self.curve.step
        rests = {s: self.curve.y[begin : end + 1] - float(s) * x for s in slopes}
        spreads = {s: float(np.ptp(rest)) for s, rest in rests.items()}
        slope = min(spreads, key=lambda s: spreads[s])
        return slope, _simplest(float(rests[slope].max()) - self.curve.room,
                                float(rests[slope].min()) + self.curve.room)

    def _simple(self, first: int, last: int) -> int:
        """Return the sample of fewest fraction bits from first to last."""
        return max(range(first, last + 1),
                   key=lambda i: (self.curve.low + i) & -(self.curve.low + i) or 1 << 62)


def _simplest(low: float, high: float) -> Fraction:
    """Return the number of fewest fraction bits from low to high, the nearest to the middle."""
    for bits in range(FINEST):
        middle = round((low + high) / 2 * 2**bits)
        if low * 2**bits <= middle <= high * 2**bits:
            return Fraction(middle, 1 << bits)
    return Fraction(round((low + high) / 2 * 2**FINEST), 1 << FINEST)
