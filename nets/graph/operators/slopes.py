"""The slopes of operators of one number, for training: of attributes and an array in float64.

At a corner the slope is that on the left. Quantisers have the straight-through one: 1 where
what they give is not clipped.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import erf, expit

__all__ = ["SLOPES", "straight_through"]

Function = Callable[[np.ndarray], np.ndarray]
FAR = 1e30


def straight_through(function: Function) -> Function:
    """Return the slope that is taken of a function that rounds and clips."""

    def slope(x: np.ndarray) -> np.ndarray:
        low, high = function(np.full_like(x, -FAR)), function(np.full_like(x, FAR))
        return ((x > low) & (x <= high)).astype(np.float64)

    return slope


def _gelu(a, x):
    if a.get("approximate", "none") == "tanh":
        c = np.sqrt(2 / np.pi)
        t = np.tanh(c * (x + 0.044715 * x**3))
        return (1 + t) / 2 + x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2) / 2
    return (1 + erf(x / np.sqrt(2))) / 2 + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def _mish(a, x):
    t = np.tanh(np.logaddexp(x, 0))
    return t + x * (1 - t**2) * expit(x)


def _hard_sigmoid(a, x):
    alpha, beta = a.get("alpha", 0.2), a.get("beta", 0.5)
    return alpha * ((alpha * x + beta > 0) & (alpha * x + beta <= 1))


def _selu(a, x):
    gamma, alpha = a.get("gamma", 1.0507009873554805), a.get("alpha", 1.6732632423543772)
    return gamma * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))


SLOPES: dict[str, Callable] = {
    "Relu": lambda a, x: 1.0 * (x > 0),
    "LeakyRelu": lambda a, x: np.where(x > 0, 1, a.get("alpha", 0.01)),
    "Sigmoid": lambda a, x: expit(x) * expit(-x),
    "Tanh": lambda a, x: 1 - np.tanh(x) ** 2,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda a, x: np.where(x <= -3, 0, np.where(x > 3, 1, (2 * x + 3) / 6)),
    "Elu": lambda a, x: np.where(x > 0, 1, a.get("alpha", 1.0) * np.exp(np.minimum(x, 0))),
    "Selu": _selu,
    "Softplus": lambda a, x: expit(x),
    "Gelu": _gelu,
    "Mish": _mish,
    "Neg": lambda a, x: np.full_like(x, -1),
    "Abs": lambda a, x: np.sign(x),
    "Exp": lambda a, x: np.exp(x),
}
