"""Activations that only floats have: smooth ones, and the PReLU with a slope that learns."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nets.layers.dense import Layer

__all__ = ["SMOOTH", "PReLU", "Smooth"]

Function = Callable[[np.ndarray], np.ndarray]

# Of GELU's usual form with tanh; Python's floats, as NumPy's would make float32 float64.
ROOT = math.sqrt(2 / math.pi)
CUBIC = 0.044715 * ROOT


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))


def _tanh_softplus(x):
    """Return tanh(log(1 + e^x)) and sigmoid(x), from one exponential."""
    e = np.exp(np.minimum(x, 40))
    n = e * (e + 2)
    return n / (n + 2), e / (1 + e)


def mish(x):
    return x * _tanh_softplus(x)[0]


def mish_slope(x):
    t, s = _tanh_softplus(x)
    return t + x * (1 - t * t) * s


def gelu(x):
    return x * (1 + np.tanh(x * (ROOT + CUBIC * (x * x)))) / 2


def gelu_slope(x):
    square = x * x
    t = np.tanh(x * (ROOT + CUBIC * square))
    return (1 + t) / 2 + x * (1 - t * t) * (ROOT + 3 * CUBIC * square) / 2


# Each with its derivative.
SMOOTH: dict[str, tuple[Function, Function]] = {
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "mish": (mish, mish_slope),
    "gelu": (gelu, gelu_slope),
}


class Smooth(Layer):
    """y = f(x), f one of SMOOTH."""

    def __init__(self, name: str):
        self.function, self.slope = SMOOTH[name]

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.applied(self.function, y, x)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.applied(lambda d, v: d * self.slope(v), dx, dy, x)]


class PReLU(Layer):
    """y = x, times the one slope of the layer where negative; it starts at 1/4 and learns."""

    def __init__(self, ar):
        self.slope = ar.empty(1, 1, "weights")
        ar.set_words(self.slope, np.full((1, 1), 0.25))

    def parameters(self):
        return {"slope": self.slope}

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.applied(lambda v, a: np.where(v < 0, a * v, v), y, x, self.slope)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        back = ar.applied(lambda d, v, a: np.where(v < 0, a * d, d), dx, dy, x, self.slope)
        values, upstream = x.fields["value"], dy.fields["value"]

        def gradient() -> np.ndarray:
            return np.sum(np.minimum(values, 0) * upstream, keepdims=True)

        return dx, [back, ar.moving(self.slope, gradient)]
