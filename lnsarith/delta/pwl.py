"""Fitting D+ and D- by line segments whose slopes are powers of two."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np

from fxp.format import FormatError
from lnsarith.delta.gauss import first_zero, gauss_real, gauss_words

__all__ = ["MOST", "fit_segments", "fit_within"]

MOST = 64  # segments of D+ and of D- each


@lru_cache(maxsize=64)
def fit_segments(frac: int, opposite: bool, count: int) -> tuple[tuple[int, int, int], ...]:
    """Return up to count segments (start, intercept, shift), for D- from gap 1 on.

    On its segment D- is intercept + ((gap - start) >> shift), D+ intercept -
    ((gap - start) >> shift), in units of 2**-frac; a negative shift goes to the
    left. The maximum error is one for which longest-first segments suffice, found by
    bisection; other cuts may need fewer, because a slope's steps begin anew with each
    segment. The last of them is level 0.
    """
    end = first_zero(frac)
    first = int(opposite)  # D-(0) is minus infinity
    target = np.array(gauss_words(range(first, end + 1), opposite, frac))
    low, high = 0, int(np.ptp(target)) + 1
    while low < high:
        error = (low + high) // 2
        if len(_greedy(target, error, opposite, count, frac)) <= count:
            high = error
        else:
            low = error + 1
    fitted = _greedy(target, low, opposite, count, frac)
    return tuple((start + first, intercept, shift) for start, intercept, shift in fitted)


@lru_cache(maxsize=64)
def fit_within(frac: int, opposite: bool, error: Fraction) -> tuple[tuple[int, int, int], ...]:
    """Return segments as fit_segments does, the longest ones whose values, after rounding,
    are within an error of D. At most one of them is level 0, the last.

    Raises FormatError for an error below half a unit, 2**-(frac + 1), which no word
    keeps, and where more than MOST segments are needed.
    """
    if error * (2 << frac) < 1:
        raise FormatError(f"pwl: {frac} fraction bits round by 2^-{frac + 1}, more than error = "
                          f"{float(error):g} allows")
    first, room = int(opposite), float(error) * (1 << frac)
    real = [gauss_real(g / (1 << frac), opposite) * (1 << frac)
            for g in range(first, first_zero(frac) + 1)]
    exact = np.array(real[: next(i for i, v in enumerate(real) if abs(v) <= room)])
    # An error of exactly half a unit leaves room for a value at a tie.
    corridor = np.ceil(exact - room - 1e-9).astype(int), np.floor(exact + room + 1e-9).astype(int)
    fitted = _longest(*corridor, opposite, MOST, frac)
    if len(fitted) > MOST:
        raise FormatError(f"pwl: error = {float(error):g} takes more than {MOST} segments of "
                          f"D{'-' if opposite else '+'} at {frac} fraction bits; allow more error")
    return tuple((start + first, intercept, shift) for start, intercept, shift in fitted)


def _greedy(target, error: int, opposite: bool, count: int,
            frac: int) -> list[tuple[int, int, int]]:
    """Return longest-first segments of at most this error (count + 1 if it needs more)."""
    return _longest(target - error, target + error, opposite, count, frac)


def _longest(low, high, opposite: bool, count: int, frac: int) -> list[tuple[int, int, int]]:
    """Return longest-first segments between low and high (count + 1 if it needs more)."""
    segments: list[tuple[int, int, int]] = []
    begin = 0
    while begin < len(low) and len(segments) <= count:
        length, intercept, shift = max(
            _reach(low[begin:], high[begin:], opposite, shift) for shift in range(-frac, 13))
        segments.append((begin, intercept, shift))
        begin += length
    if len(segments) <= count:
        segments.append((len(low), 0, 63))
    return segments


def _reach(low, high, opposite: bool, shift: int) -> tuple[int, int, int]:
    """Return how many gaps a slope of 2**-shift fits, and its intercept."""
    window = 64
    while True:
        steps = np.arange(min(window, len(low)))
        steps = steps >> shift if shift >= 0 else steps << -shift
        rise = steps if opposite else -steps
        least = np.maximum.accumulate(low[: len(steps)] - rise)
        most = np.minimum.accumulate(high[: len(steps)] - rise)
        wrong = np.flatnonzero(least > most)
        length = int(wrong[0]) if wrong.size else len(steps)
        if length < len(steps) or window >= len(low):
            return length, int((int(least[length - 1]) + int(most[length - 1])) // 2), shift
        window *= 4
