"""The two light-slope algorithms of the SPINDLE slides, for comparison.

A light slope is a power of two, so that a piece y = slope x + bias takes a shift and an
addition; as shifted ReLUs it takes two, one to switch it on and one to switch it off.
The slides leave much open. `bls_pieces` is the reading whose counts are nearest to
theirs (within 6 % on average, no reading gave all nine); their counts of LS-PWL, 7, 11
and 32, lie below what single shifts need for these largest errors (9, 16 and 68), so
they are no single shifts, or no largest errors, and are not reproduced.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fxp.fit.functions import Target
from fxp.format import FormatError

__all__ = ["Piece", "bls_pieces", "light_slopes", "ls_pieces"]


@dataclass(frozen=True)
class Piece:
    """y = slope x + bias from x = low to x = high; start is where it grew from, error
    what the algorithm measures."""

    low: float
    high: float
    start: float
    slope: float
    bias: float
    error: float


def bls_pieces(target: Target, error: float, low: float = -6, high: float = 6,
               samples: int = 256, slopes=(1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)) -> list[Piece]:
    """Return the pieces of a binary search (BLS-PWL) for any distribution.

    Of each block the slope with the least root mean square error is taken, its bias in
    the middle of the errors; where that error is not below the target, the block is
    halved.
    """
    x = np.linspace(low, high, samples)
    y = target(x)
    found: list[Piece] = []
    blocks = [(0, samples)]
    while blocks:
        first, end = blocks.pop()
        piece = min((_middle(x[first:end], y[first:end], s) for s in slopes),
                    key=lambda p: p.error)
        half = (first + end) // 2
        if piece.error < error or end - first == 1:
            found.append(piece)
        else:
            blocks += [(half, end), (first, half)]
    return found


def light_slopes(terms: int = 1, least: int = -10, most: int = -2) -> list[float]:
    """Return 0 and the positive sums and differences of up to so many powers of two."""
    powers = [0.0, *(2.0**m for m in range(least, most + 1))]
    slopes = set(powers)
    for _ in range(terms - 1):
        slopes |= {a + sign * b for a in slopes for b in powers for sign in (1, -1)}
    return sorted(s for s in slopes if 0 <= s <= 2.0**most)


def ls_pieces(target: Target, error: float, slopes, step: float = 2.0**-10) -> list[Piece]:
    """Return the fewest tangents (LS-PWL) of a function with one steepest point.

    Each touches where the function's slope is one of `slopes`, level ones at the ends of
    the interval, and grows both ways as far as the error allows. Raises FormatError for
    a density with more than one peak, and where tangents leave a gap: single shifts
    leave one in the logistic function at errors of .02 and less.
    """
    x = np.arange(target.low, target.high + step / 2, step)
    y = target(x)
    rise = np.gradient(y, x)
    grown = [_grown(x, y, at, slope, error) for slope in slopes
             for at in _touching(rise, slope, target.name)]
    found: list[Piece] = []
    covered = 0
    while covered < len(x):
        reach = [(end, i) for i, (first, end, _) in enumerate(grown) if first <= covered]
        end, best = max(reach, default=(covered, 0))
        if end == covered:
            raise FormatError(f"{target.name}: the tangents leave a gap at x = "
                              f"{x[covered]:.4g} for an error of {error:g}")
        found.append(grown[best][2])
        covered = end
    return found


def _middle(x, y, slope: float) -> Piece:
    rest = y - slope * x
    bias = (rest.max() + rest.min()) / 2
    return Piece(float(x[0]), float(x[-1]), float(x[len(x) // 2]), slope, float(bias),
                 float(np.sqrt(((rest - bias) ** 2).mean())))


def _touching(rise, slope: float, name: str) -> list[int]:
    """Return the samples at which the function has this slope."""
    if slope == 0:
        return [0, len(rise) - 1]
    above = rise > slope
    crossings = np.flatnonzero(above[1:] != above[:-1]).tolist()
    if len(crossings) > 2:
        raise FormatError(f"{name} has a slope of {slope:g} at {len(crossings)} points: its "
                          "density has several peaks, which LS-PWL cannot follow")
    if not crossings and abs(rise.max() - slope) <= slope / 256:
        return [int(rise.argmax())]
    return crossings


def _grown(x, y, at: int, slope: float, error: float) -> tuple[int, int, Piece]:
    """Return the tangent at a sample, and the first and one past the last that it fits."""
    bias = float(y[at] - slope * x[at])
    wrong = np.abs(y - (slope * x + bias)) > error
    before, after = np.flatnonzero(wrong[:at]), np.flatnonzero(wrong[at:])
    first = int(before[-1]) + 1 if before.size else 0
    end = at + int(after[0]) if after.size else len(x)
    worst = float(np.abs(y[first:end] - (slope * x[first:end] + bias)).max())
    return first, end, Piece(float(x[first]), float(x[end - 1]), float(x[at]), slope, bias, worst)
