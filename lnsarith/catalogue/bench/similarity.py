"""How like a product its stand-ins min, + and max are: correlation and distance.

Both after Yang et al., MinConvNets (arXiv 2101.09492), by quadrature. Operands are
magnitudes: independent and not negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

__all__ = ["PAIRS", "STANDINS", "Magnitude", "Pair", "correlation", "distance", "folded_mean",
           "nearest_mean"]

NODES = 60
TAIL = 12  # standard deviations, beyond which a normal density counts as zero

STANDINS: dict[str, Callable] = {"min": np.minimum, "add": np.add, "max": np.maximum}


@dataclass(frozen=True)
class Magnitude:
    """A magnitude's density between 0 and `end`, on arrays."""

    density: Callable
    end: float


@dataclass(frozen=True)
class Pair:
    """Two magnitudes, and the correlations with min, + and max that the slides print."""

    name: str
    x: Magnitude
    y: Magnitude
    slides: tuple[float, float, float] | None


def _folded(sigma: float) -> Magnitude:
    scale = math.sqrt(2 / math.pi) / sigma
    return Magnitude(lambda x: scale * np.exp(-0.5 * (x / sigma) ** 2), TAIL * sigma)


def _uniform(end: float) -> Magnitude:
    return Magnitude(lambda x: np.full_like(x, 1 / end), end)


# The slides call the ten of their second row a variance; their numbers are those of a
# standard deviation. Their fourth row is printed as U(0, 1) twice.
PAIRS = (
    Pair("|N(0, 1)|, |N(0, 1)|", _folded(1), _folded(1), (0.908, 0.882, 0.673)),
    Pair("|N(0, 1)|, |N(0, sd 10)|", _folded(1), _folded(10), (0.692, 0.683, 0.624)),
    Pair("|N(0, 1)|, |N(0, var 10)|", _folded(1), _folded(math.sqrt(10)), None),
    Pair("U(0, 1), U(0, 1)", _uniform(1), _uniform(1), (0.962, 0.926, 0.641)),
    Pair("U(0, 1), U(0, 10)", _uniform(1), _uniform(10), (0.716, 0.717, 0.655)),
)


def correlation(pair: Pair, standin: Callable) -> float:
    """Return Pearson's correlation of x * y and standin(x, y), good to some 1e-9."""
    x, y, weight = _plane(pair.x, pair.y)
    h, g = x * y, standin(x, y)
    h, g = h - weight @ h, g - weight @ g
    return float(weight @ (h * g) / math.sqrt((weight @ h**2) * (weight @ g**2)))


def folded_mean(mu: float, sigma: float) -> float:
    """Return the mean of |N(mu, sigma**2)|."""
    ratio = mu / (sigma * math.sqrt(2))
    return sigma * math.sqrt(2 / math.pi) * math.exp(-ratio**2) + mu * math.erf(ratio)


def distance(mu: float, sigma: float) -> float:
    """Return L = E |min(x, y) / (x y) - 1| = E |1 / max(x, y) - 1| of two |N(mu, sigma**2)|.

    Their means are folded_mean(mu, sigma) = k, their variances mu**2 + sigma**2 - k**2.
    """
    low, high = max(0.0, mu - TAIL * sigma), mu + TAIL * sigma
    edges = sorted({low, *(v for v in (0.25, 1.0, mu) if low < v < high), high})
    t, weight = (np.concatenate(a) for a in zip(*(_interval(a, b) for a, b
                                                  in zip(edges, edges[1:]))))
    root = sigma * math.sqrt(2)
    below = np.array([math.erf((v - mu) / root) + math.erf((v + mu) / root) for v in t]) / 2
    density = sum(np.exp(-(((t + s * mu) / root) ** 2)) for s in (1, -1)) / (
        sigma * math.sqrt(2 * math.pi))
    return float(weight @ (np.abs(1 / t - 1) * 2 * below * density))


def nearest_mean(sigma: float | None) -> tuple[float, float]:
    """Return the mean k of two |N(mu, sigma**2)| at which L is least, and L there.

    sigma None takes mu = 0 and varies sigma: half-normal magnitudes.
    """
    def trial(v: float) -> float:
        return distance(0.0, v) if sigma is None else distance(v, sigma)

    low, high = (0.5, 4.0) if sigma is None else (0.0, 2.0)
    ratio = (math.sqrt(5) - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    at_a, at_b = trial(a), trial(b)
    while high - low > 1e-6:
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - ratio * (high - low)
            at_a = trial(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + ratio * (high - low)
            at_b = trial(b)
    best = (low + high) / 2
    k = folded_mean(0.0, best) if sigma is None else folded_mean(best, sigma)
    return k, trial(best)


@lru_cache(maxsize=1)
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(NODES)


def _interval(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the nodes and weights of a quadrature from low to high."""
    node, weight = _legendre()
    half = (high - low) / 2
    return low + half * (node + 1), half * weight


def _plane(x: Magnitude, y: Magnitude) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nodes (x, y) and weights, the densities within, on both sides of x = y."""
    parts = []
    middle = min(x.end, y.end)
    for low, high in ((0.0, middle), (middle, max(x.end, y.end))):
        if low == high:
            continue
        u, weight = _interval(low, high)
        for v, w in zip(u, weight):
            parts += _strips(x, y, v, w)
    columns = (np.concatenate(column) for column in zip(*parts))
    return tuple(columns)  # type: ignore[return-value]


def _strips(x: Magnitude, y: Magnitude, v: float, w: float):
    """Return the strip x = v below the diagonal, and y = v left of it."""
    found = []
    for along, across, swap in ((x, y, False), (y, x, True)):
        if v < along.end:
            t, weight = _interval(0.0, min(v, across.end))
            weight = w * weight * along.density(np.full_like(t, v)) * across.density(t)
            fixed = np.full_like(t, v)
            found.append((t, fixed, weight) if swap else (fixed, t, weight))
    return found
