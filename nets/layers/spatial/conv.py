"""Two-dimensional convolution, as a layer."""

from __future__ import annotations

import numpy as np

from nets.layers.dense import Layer
from nets.layers.lanes import convolution as lanes
from nets.layers.spatial import gather, spans
from nets.layers.window import Shape, Window

__all__ = ["Conv2d"]


class Conv2d(Layer):
    """Each output is the window below it times w, plus b; images lie as height, width, channels.

    w has a row for each number of a window (by row, column, channel) and a column for
    each channel of the output, b one row. `shape` is that of the output. A wrong
    size of an input is a ValueError that names the layer.
    """

    def __init__(self, ar, rng: np.random.Generator, window: Window, channels: int, std: float):
        self.window = window
        self.shape: Shape = (*window.out, channels)
        self.w = ar.normal(rng, window.depth, channels, std)
        self.b = ar.empty(1, channels, "weights")

    def parameters(self):
        return {"w": self.w, "b": self.b}

    def check(self, x):
        self.window.check(x)

    def forward(self, ar, x):
        self.check(x)
        y = ar.empty(x.rows, int(np.prod(self.shape)), "activations")
        ways = self._ways(ar, x.rows)
        if ways is spans and self.window.stride > 1:
            ways = gather
        return y, ways.convolve(ar, self.window, x, self.w, self.b, y)

    def backward(self, ar, x, dy, wanted):
        ways, dx, calls = self._ways(ar, x.rows), None, []
        if wanted:  # before w moves
            dx = ar.empty(x.rows, x.columns, "gradients")
            calls += ways.convolve_gradient(ar, self.window, dy, self.w, dx)
        return dx, [*calls, *ways.descend(ar, self.window, self.w, self.b, x, dy)]

    def _ways(self, ar, images: int):
        """Return the module of the fastest kernels that serve the arithmetic."""
        if spans.fits(ar):
            return spans
        return lanes if lanes.fits(ar, images) else gather

    def weight_gradient(self, x, dy):
        channels = self.shape[2]
        patches = gather.patches(x.reshape(-1, *self.window.shape), self.window)
        return patches.reshape(-1, self.window.depth).T @ dy.reshape(-1, channels)
