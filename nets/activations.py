"""Activations that only floats have: smooth ones, and the PReLU with a slope that learns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nets.layers import Layer

__all__ = ["SMOOTH", "PReLU", "Smooth"]

Function = Callable[[np.ndarray], np.ndarray]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


def mish(x):
    return x * np.tanh(softplus(x))


def mish_slope(x):
    t = np.tanh(softplus(x))
    return t + x * (1 - t * t) * sigmoid(x)


def gelu(x):
    return x * (1 + np.tanh(_gelu_inner(x))) / 2


def gelu_slope(x):
    t = np.tanh(_gelu_inner(x))
    inner = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x * x)
    return (1 + t) / 2 + x * (1 - t * t) * inner / 2


def _gelu_inner(x):
    return np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)


# Each with its derivative; GELU is the usual form with tanh.
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
