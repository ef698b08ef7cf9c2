"""Kernels fitted to a distribution by least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fxp.fit.functions import Target, largest_error
from fxp.format import FormatError
from lnsarith.spindle.kernels import MOST_KERNELS, Kernels, logistic
from lnsarith.spindle.sample import quantile

__all__ = ["KernelFit", "fit_kernels", "fit_points"]

POINTS = 1000  # ranks whose samples are fitted
EQUAL = 1e-6  # relative deviation of what differs by rounding alone
STEEPEST = 1e4  # of kernels, by the steepness of one of the samples' deviation
UNIT = np.log(np.pi / np.sqrt(3))  # of the steepness of a logistic kernel of deviation 1


@dataclass(frozen=True)
class KernelFit:
    """Kernels with their largest error on low..high and the RMS error over ranks."""

    function: str
    low: float
    high: float
    kernels: Kernels
    error: float
    rms: float

    def as_dict(self) -> dict:
        """Return plain data for JSON, as `lnsarith.spindle.file` reads it."""
        return {"function": self.function, "interval": [self.low, self.high],
                "error": self.error, "rms": self.rms, "count": len(self.kernels.rows),
                "kernels": [list(row) for row in self.kernels.rows]}

    def lines(self) -> list[str]:
        """Return a summary, line by line."""
        rows = [f"  {a:10.6g}{b:12.6g}{c:12.6g}" for a, b, c in self.kernels.rows]
        return [f"{self.function} from {self.low:g} to {self.high:g}: {len(rows)} kernels, error "
                f"{self.error:.4g}, RMS {self.rms:.4g}", "",
                "           A           B           C    A g(B x - C)", *rows]


def fit_kernels(target: Target, count: int) -> KernelFit:
    """Return the kernels nearest to a distribution function at evenly spaced ranks.

    FormatError where it is none: where it does not climb from nearly 0 to nearly 1.
    """
    if not 1 <= count <= MOST_KERNELS:
        raise FormatError(f"kernels must be 1..{MOST_KERNELS}, got {count}")
    first, last = (float(target(np.array(v))) for v in (target.low, target.high))
    if not (-0.1 < first <= 0.5 and 0.7 <= last < 1.1):
        raise FormatError(f"kernels are for distributions, which climb from 0 to 1; {target.name} "
                          f"goes from {first:.3g} to {last:.3g}")
    ranks = (np.arange(POINTS) + 0.5) / POINTS
    x = quantile(target, ranks, target.low, target.high)
    kernels, rms = fit_points(x, target(x), count)
    return KernelFit(target.name, target.low, target.high, kernels,
                     largest_error(kernels.real, target), rms)


def fit_points(x: np.ndarray, y: np.ndarray, count: int) -> tuple[Kernels, float]:
    """Return the kernels nearest to points of a distribution, and the RMS error.

    A is a soft-max and B an exponential of what is varied, so that any values are
    kernels; the better one of two starts counts: side by side, or within each other.
    """
    from scipy.optimize import least_squares

    middle, spread = float(np.median(x)), float(x.std())
    if not spread > EQUAL * float(np.abs(x).max()):
        raise FormatError("all samples are equal: they have no distribution to fit")
    z = (x - middle) / spread
    bounds = (np.repeat([-12.0, -np.log(STEEPEST), z.min() - 2], count),
              np.repeat([12.0, np.log(STEEPEST), z.max() + 2], count))
    places = np.quantile(z, (np.arange(count) + 0.5) / count)
    widths = np.log(3.0) * (np.arange(count) - (count - 1) / 2)
    # Not all zero: the first step is no longer than the start is from zero.
    starts = [(np.full(count, UNIT + np.log(count)), places),
              (UNIT + widths, np.full(count, places.mean()))]
    found = [least_squares(lambda v: _sum(v, z) - y, np.concatenate([np.zeros(count), *start]),
                           lambda v: _derivatives(v, z), bounds) for start in starts]
    best = min(found, key=lambda result: result.cost)
    a, b, m = _read(best.x)
    order = np.argsort(m, kind="stable")
    rows = np.stack([a, b / spread, b * (m + middle / spread)], axis=1)[order]
    return Kernels.of(rows.tolist()), float(np.sqrt(2 * best.cost / x.size))


def _read(v: np.ndarray):
    """Return A, B and the places of kernels, of samples with deviation 1."""
    logits, steep, places = v.reshape(3, -1)
    shares = np.exp(logits - logits.max())
    return shares / shares.sum(), np.exp(steep), places


def _sum(v: np.ndarray, z: np.ndarray) -> np.ndarray:
    a, b, m = _read(v)
    return logistic(b * (z[:, None] - m)) @ a


def _derivatives(v: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the derivatives of _sum at every z by every number of v."""
    a, b, m = _read(v)
    away = z[:, None] - m
    g = logistic(b * away)
    inner = a * g * (1 - g) * b
    return np.concatenate([a * (g - (g @ a)[:, None]), inner * away, -inner], axis=1)
