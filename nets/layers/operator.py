"""The activation that is an operator of the catalogue."""

from __future__ import annotations

from lnsarith.catalogue.operator import Operator
from nets.layers.dense import Layer

__all__ = ["OperatorLayer"]


class OperatorLayer(Layer):
    """y = f(x), f an operator of words with a gradient."""

    def __init__(self, operator: Operator):
        self.operator = operator

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.operator(x, y, self.operator)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.operator_gradient(x, dy, dx, self.operator)]
