"""A trained network as real numbers, simplified for quantisation: products and pooling.

Batch normalisation, with its running statistics, becomes part of the weights and biases
before it, and an activation part of the step that gives its numbers. Both pass max
pooling: an activation grows with its input, and where a channel's gain is negative the
least number of a window is taken instead of the greatest. Dropout leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nets.arithmetic.formulas import EPSILON
from nets.layers.activations import PReLU
from nets.layers.dense import Dense, LeakyReLU, ReLU
from nets.layers.dropout import Dropout
from nets.layers.norm import BatchNorm
from nets.layers.spatial import gather
from nets.layers.spatial.conv import Conv2d
from nets.layers.spatial.pool import AveragePool, MaxPool
from nets.layers.window import Window
from nets.network.network import Network
from nets.network.probe import Watched

__all__ = ["Average", "Extreme", "Product", "Step", "extremes", "folded", "products",
           "window_sums"]


@dataclass(eq=False)
class Product:
    """Rows, or the windows of images, times w (depth x channels), plus b (channels), and
    times slope where that is negative."""

    name: str
    w: np.ndarray
    b: np.ndarray
    window: Window | None = None
    slope: float = 1.0

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return rows x numbers for rows x numbers."""
        return bent(products(x, self.window, self.w) + self.b, self.slope)


@dataclass(eq=False)
class Average:
    """The mean of each window, times slope where that is negative."""

    name: str
    window: Window
    slope: float = 1.0

    def forward(self, x: np.ndarray) -> np.ndarray:
        return bent(window_sums(x, self.window) / self.window.size**2, self.slope)


@dataclass(eq=False)
class Extreme:
    """The greatest number of each window, of channels in `least` the least."""

    name: str
    window: Window
    least: np.ndarray

    def forward(self, x: np.ndarray) -> np.ndarray:
        return extremes(x, self.window, self.least)


Step = Product | Average | Extreme


def bent(values: np.ndarray, slope: float) -> np.ndarray:
    """Return rows x positions x channels as rows, negative numbers times slope."""
    return np.where(values < 0, slope * values, values).reshape(len(values), -1)


def products(x: np.ndarray, window: Window | None, w: np.ndarray) -> np.ndarray:
    """Return rows x positions x channels: each window (or the one row) of x times w."""
    if window is None:
        return (x @ w)[:, None]
    found = gather.patches(x.reshape(-1, *window.shape), window)
    return (found.reshape(-1, window.depth) @ w).reshape(len(x), -1, w.shape[1])


def window_sums(x: np.ndarray, window: Window) -> np.ndarray:
    """Return rows x positions x channels: the sum of each channel of each window."""
    return _windows(x, window).sum(axis=3).reshape(len(x), -1, window.shape[2])


def extremes(x: np.ndarray, window: Window, least: np.ndarray) -> np.ndarray:
    """Return rows x numbers: of each channel of each window the greatest, or least."""
    windows = _windows(x, window)
    found = windows.max(axis=3)
    if least.any():
        found = np.where(least, windows.min(axis=3), found)
    return found.reshape(len(x), -1)


def _windows(x: np.ndarray, window: Window) -> np.ndarray:
    """Return images x rows x columns x numbers of a window x channels."""
    found = gather.patches(x.reshape(-1, *window.shape), window)
    return found.reshape(*found.shape[:3], window.size**2, window.shape[2])


def folded(network: Network) -> list[Step]:
    """Return the steps that a trained network comes to; ValueError, naming the layer, for
    one that has no place in them."""
    network.require_chain("quantize")
    ar = network.ar
    steps: list[Step] = []
    for watched in network.layers:
        layer = watched.layer if isinstance(watched, Watched) else watched
        if isinstance(layer, Dense | Conv2d):
            w, b = (ar.reals(t) for t in (layer.w, layer.b))
            window = layer.window if isinstance(layer, Conv2d) else None
            name = layer.name if isinstance(layer, Dense) else layer.window.layer
            steps.append(Product(name, w[:, : layer.w.columns], b[0, : layer.b.columns], window))
        elif isinstance(layer, MaxPool):
            least = np.zeros(layer.window.shape[2], bool)
            steps.append(Extreme(layer.window.layer, layer.window, least))
        elif isinstance(layer, AveragePool):
            steps.append(Average(layer.window.layer, layer.window))
        elif isinstance(layer, BatchNorm):
            _fold(steps, *(ar.reals(t)[0, : layer.shape[2]] for t in (
                layer.gamma, layer.beta, layer.mean, layer.variance)))
        elif not isinstance(layer, Dropout):
            _bend(steps, _slope(ar, layer))
    return steps


def _slope(ar, layer) -> float:
    if isinstance(layer, PReLU):
        return float(ar.reals(layer.slope)[0, 0])
    if isinstance(layer, LeakyReLU):
        return 2.0**ar.settings.slope
    if isinstance(layer, ReLU):
        return 0.0
    raise ValueError(f"activation {ar.settings.activation} cannot be quantised: relu, leaky and "
                     "prelu can")


def _bend(steps: list[Step], slope: float) -> None:
    target = _before(steps, "an activation", lambda step: isinstance(step, Extreme))
    if slope < 0:
        raise ValueError(f"{target.name}: the slope of its PReLU is {slope:.4g}; quantisation "
                         "takes none below 0")
    target.slope = slope


def _fold(steps: list[Step], gamma, beta, mean, variance) -> None:
    """Make batch normalisation a part of the product before it."""
    gain = gamma / np.sqrt(variance + EPSILON)
    target = _before(steps, "batch normalisation", lambda step: not isinstance(step, Product))
    if len(gain) != len(target.b):
        raise ValueError(f"{target.name} gives {len(target.b)} channels, batch normalisation "
                         f"behind it takes {len(gain)}")
    target.w, target.b = target.w * gain, target.b * gain + beta - gain * mean
    for step in steps[steps.index(target) + 1 :]:
        if isinstance(step, Extreme):
            step.least = step.least ^ (gain < 0)


def _before(steps: list[Step], what: str, passes: Callable[[Step], bool]):
    """Return the last step that is not passed; ValueError if an activation is in between."""
    for step in reversed(steps):
        if getattr(step, "slope", 1.0) != 1:
            raise ValueError(f"{step.name}: {what} behind an activation cannot be quantised")
        if not passes(step):
            return step
    raise ValueError(f"{what} with no dense layer or convolution before it cannot be quantised")
