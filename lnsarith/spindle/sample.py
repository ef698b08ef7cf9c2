"""Inverse-transform sampling: X = F^-1(U) has the distribution function F.

    draw(kernels.real, 1000, np.random.default_rng(0), *support(kernels))

F is any function that never falls, such as fitted units, kernels, or the empirical
distribution of samples (`fxp.fit.functions.empirical`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fxp.format import FormatError
from fxp.operators.spindle import Spindle
from lnsarith.spindle.kernels import Kernels

__all__ = ["draw", "quantile", "support"]

HALVINGS = 60  # of the interval
TAIL = 10.0  # g(-10) = 4.5e-5


def quantile(function: Callable, p, low: float, high: float) -> np.ndarray:
    """Return the least x of low..high with function(x) >= p, p a share 0..1 of its climb there.

    Units may climb from .01 to .99 alone; p = 0 and 1 are low and high's values then too.
    FormatError where the function does not climb.
    """
    first, last = (float(function(np.array(x, np.float64))) for x in (low, high))
    if not last > first:
        raise FormatError(f"the function does not climb from {low:g} to {high:g}: it goes from "
                          f"{first:g} to {last:g}")
    level = first + np.asarray(p, np.float64) * (last - first)
    left, right = np.full(level.shape, float(low)), np.full(level.shape, float(high))
    for _ in range(HALVINGS):
        middle = left + (right - left) / 2
        reached = function(middle) >= level
        right = np.where(reached, middle, right)
        left = np.where(reached, left, middle)
    return right


def draw(function: Callable, count: int, rng: np.random.Generator, low: float,
         high: float) -> np.ndarray:
    """Return so many float64 numbers of low..high with a distribution function."""
    return quantile(function, rng.random(count), low, high)


def support(function: Spindle | Kernels) -> tuple[float, float]:
    """Return the interval in which a function does nearly all of its climb."""
    if isinstance(function, Spindle):
        knees = [float(unit.knee) for unit in function.units]
        return min(knees), max(max(knees), min(knees) + 1)
    return (min((c - TAIL) / b for _, b, c in function.rows),
            max((c + TAIL) / b for _, b, c in function.rows))
