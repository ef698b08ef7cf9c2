"""Two-dimensional convolution, as a layer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nets.layers.channels import convolution as channels
from nets.layers.dense import Layer
from nets.layers.lanes import convolution as lanes
from nets.layers.spatial import dots, gather, spans
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
        ways = self._ways(ar, x.rows, self.shape[2], lambda: dots.fits(
            ar._affine, x.rows * int(np.prod(self.window.out)), self.window.depth))
        if ways is spans and self.window.stride > 1:
            ways = gather
        return y, ways.convolve(ar, self.window, x, self.w, self.b, y)

    def backward(self, ar, x, dy, wanted):
        window, positions = self.window, x.rows * int(np.prod(self.window.out))
        dx, calls = None, []
        if wanted:  # before w moves
            dx = ar.empty(x.rows, x.columns, "gradients")
            ways = self._ways(ar, x.rows, window.shape[2], lambda: dots.fits(
                ar._input_gradient, x.rows * int(np.prod(window.shape[:2])),
                window.size**2 * self.w.columns))
            calls += ways.convolve_gradient(ar, window, dy, self.w, dx)
        ways = self._ways(ar, x.rows, self.shape[2], lambda: dots.fits(
            ar.update_over(positions), window.depth, positions))
        return dx, [*calls, *ways.descend(ar, window, self.w, self.b, x, dy)]

    def _ways(self, ar, images: int, along: int = 0, exact: Callable[[], bool] = lambda: False):
        """Return the module of the fastest kernels that serve an arithmetic; along is the number
        of channels that floats may be taken together, exact says whether the sums of words are."""
        if spans.fits(ar):
            return dots if exact() else spans
        if along and channels.fits(ar, along):
            return channels
        return lanes if lanes.fits(ar, images) else gather

    def weight_gradient(self, x, dy):
        channels = self.shape[2]
        patches = gather.patches(x.reshape(-1, *self.window.shape), self.window)
        return patches.reshape(-1, self.window.depth).T @ dy.reshape(-1, channels)
