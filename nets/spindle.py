"""Activations that are fitted functions: shifted ReLUs, or sums of logistic kernels."""

from __future__ import annotations

from fxp.spindle import Spindle
from lnsarith.spindle_kernels import Kernels
from nets.layers import Layer

__all__ = ["Frozen"]


class Frozen(Layer):
    """y = f(x) with a function that stays as it is."""

    def __init__(self, function: Spindle | Kernels):
        self.function = function

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.spindle(x, y, self.function)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.spindle_gradient(x, dy, dx, self.function)]
