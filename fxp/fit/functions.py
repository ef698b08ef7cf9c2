"""Functions to be approximated, on an interval, and the error of an approximation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fxp.format import FormatError

__all__ = ["TARGETS", "Target", "empirical", "largest_error", "tabulated"]

POINTS = 200_001


@dataclass(frozen=True)
class Target:
    """A function of float64 arrays, to be approximated from low to high."""

    name: str
    function: Callable
    low: float
    high: float

    def __call__(self, x):
        return self.function(x)


def _logistic(x):
    return 1 / (1 + np.exp(-x))


# First the three test functions of the SPINDLE slides; the weights of eq3 add up to 0.6.
TARGETS = {target.name: target for target in (
    Target("logistic", _logistic, -10, 12),
    Target("eq2", lambda x: 0.5 * _logistic(x + 2) + 0.5 * _logistic(2 * x - 3), -10, 12),
    Target("eq3", lambda x: (0.1 * _logistic(x + 2) + 0.2 * _logistic(2 * x - 3)
                             + 0.3 * _logistic(x - 5)), -10, 12),
    # The corrections of LNS addition; the second has a pole at 0.
    Target("delta-plus", lambda x: np.log1p(2.0**-x) / np.log(2), 0, 16),
    Target("delta-minus", lambda x: np.log(-np.expm1(-x * np.log(2))) / np.log(2), 1 / 16, 16),
)}


def empirical(name: str, samples) -> Target:
    """Return the cumulative distribution of samples, through (i - 1/2) / n at the i-th.

    Equal samples share the mean of their ranks; between samples the function is
    straight, outside constant.
    """
    values, counts = np.unique(_finite(name, samples), return_counts=True)
    return tabulated(name, values, (np.cumsum(counts) - counts / 2) / counts.sum())


def tabulated(name: str, x, y) -> Target:
    """Return the function through points with rising x, constant outside.

    Raises FormatError unless y, a cumulative distribution, never falls.
    """
    x, y = _finite(name, x), _finite(name, y)
    if x.size < 2:
        raise FormatError(f"{name} has {x.size} points, a function takes two or more")
    _refuse(name, "x does not rise", np.diff(x) <= 0)
    _refuse(name, "y falls, which no cumulative distribution does,", np.diff(y) < 0)
    return Target(name, lambda at: np.interp(at, x, y), float(x[0]), float(x[-1]))


def largest_error(approximation: Callable, target: Target, points: int = POINTS) -> float:
    """Return the largest |approximation - target| over evenly spaced points of its interval."""
    x = np.linspace(target.low, target.high, points)
    return float(np.abs(approximation(x) - target(x)).max())


def _refuse(name: str, what: str, wrong: np.ndarray) -> None:
    if wrong.any():
        raise FormatError(f"{name}: {what} at point {int(wrong.argmax()) + 2}")


def _finite(name: str, numbers) -> np.ndarray:
    numbers = np.asarray(numbers, np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise FormatError(f"{name}: number {int((~np.isfinite(numbers)).argmax()) + 1} is "
                          "infinite or missing")
    return numbers
