"""Fitting D+ and D- by line segments whose slopes are powers of two."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np

from lnsarith.gauss import first_zero, gauss

__all__ = ["fit_segments"]


@lru_cache(maxsize=64)
def fit_segments(frac: int, opposite: bool, count: int) -> tuple[tuple[int, int, int], ...]:
    """Return up to count segments (start, intercept, shift), for D- from gap 1 on.

    On its segment D- is intercept + ((gap - start) >> shift), D+ intercept -
    ((gap - start) >> shift), in units of 2**-frac; a negative shift goes to the
    left. The maximum error is the smallest for which
    longest-first segments suffice, found by bisection; taking the longest
    feasible segment first is optimal, because part of a feasible segment is
    feasible. Beyond the last segment the value is 0.
    """
    end = first_zero(frac)
    first = int(opposite)  # D-(0) is minus infinity
    target = np.array([gauss(Fraction(g, 1 << frac), opposite, frac)
                       for g in range(first, end + 1)])
    low, high = 0, int(np.ptp(target)) + 1
    while low < high:
        error = (low + high) // 2
        if len(_greedy(target, error, opposite, count, frac)) <= count:
            high = error
        else:
            low = error + 1
    fitted = _greedy(target, low, opposite, count, frac)
    return tuple((start + first, intercept, shift) for start, intercept, shift in fitted)


def _greedy(target, error: int, opposite: bool, count: int,
            frac: int) -> list[tuple[int, int, int]]:
    """Return longest-first segments of at most this error (count + 1 if it needs more)."""
    segments: list[tuple[int, int, int]] = []
    begin = 0
    while begin < len(target) and len(segments) <= count:
        length, intercept, shift = max(
            _reach(target[begin:], error, opposite, shift) for shift in range(-frac, 13))
        segments.append((begin, intercept, shift))
        begin += length
    if len(segments) <= count:
        segments.append((len(target), 0, 63))
    return segments


def _reach(target, error: int, opposite: bool, shift: int) -> tuple[int, int, int]:
    """Return how many gaps a slope of 2**-shift fits, and its intercept."""
    window = 64
    while True:
        steps = np.arange(min(window, len(target)))
        steps = steps >> shift if shift >= 0 else steps << -shift
        rest = target[: len(steps)] - (steps if opposite else -steps)
        spread = np.maximum.accumulate(rest) - np.minimum.accumulate(rest)
        length = int(np.searchsorted(spread, 2 * error, "right"))
        if length < len(steps) or window >= len(target):
            fitted = rest[:length]
            return length, int((int(fitted.max()) + int(fitted.min())) // 2), shift
        window *= 4
