"""Pooling layers: the greatest or the average number of each window."""

from __future__ import annotations

import numpy as np

from nets.arithmetic.tensor import Tensor
from nets.layers.dense import Layer
from nets.layers.spatial import pooling
from nets.layers.window import Shape, Window

__all__ = ["AveragePool", "MaxPool"]


class _Pool(Layer):
    """Windows side by side, each channel for itself; the rest at the far sides is left out.

    `shape` is that of the output. A window that moves by less or more than its size
    is refused with a ValueError.
    """

    def __init__(self, window: Window):
        if window.stride != window.size or window.padding != "valid":
            raise ValueError(f"{window.layer}: pooling windows lie side by side: stride must be "
                             f"{window.size} and padding valid, got {window.stride} and "
                             f"{window.padding}")
        self.window = window
        self.shape: Shape = (*window.out, window.shape[2])

    def output(self, ar, x: Tensor) -> Tensor:
        """Return the tensor for what comes of x."""
        self.window.check(x)
        return ar.empty(x.rows, int(np.prod(self.shape)), "activations")


class MaxPool(_Pool):
    """The greatest number of each window, the first (by row, column) of equal ones.

    The gradient goes to that number alone.
    """

    def __init__(self, window: Window):
        super().__init__(window)
        self._chosen: dict[int, np.ndarray] = {}  # by the identity of the input

    def forward(self, ar, x):
        y = self.output(ar, x)
        chosen = self._chosen[id(x)] = np.zeros((x.rows, y.columns), np.uint8)
        return y, [pooling.greatest(ar, self.window, x, y, chosen)]

    def backward(self, ar, x, dy, wanted):
        if not wanted:
            return None, []
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [pooling.greatest_gradient(ar, self.window, self._chosen[id(x)], dy, dx)]


class AveragePool(_Pool):
    """The sum over each window, by row and column, of its numbers times 1 / their count.

    That factor is a word of the activations. Its product with a gradient goes to
    each number of the window.
    """

    def forward(self, ar, x):
        y = self.output(ar, x)
        return y, pooling.average(ar, self.window, x, y)

    def backward(self, ar, x, dy, wanted):
        if not wanted:
            return None, []
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, pooling.average_gradient(ar, self.window, dy, dx)
