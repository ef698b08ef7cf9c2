"""Where the numbers of windows lie, features x batch."""

from __future__ import annotations

import numpy as np

from nets.layers.lanes.kernels import LANES, OUTPUTS, padded_to
from nets.layers.window import Window

__all__ = ["by_position", "packed_like", "places_of", "turned_like"]


def places_of(window: Window) -> np.ndarray:
    """Return the number of x (or one beyond the last: zero) under each window,
    positions x depth; depth goes by window row, column, channel."""
    (height, width), (top, left) = window.out, window.before
    rows, columns, channels = window.shape
    i = np.arange(height)[:, None] * window.stride - top + np.arange(window.size)
    j = np.arange(width)[:, None] * window.stride - left + np.arange(window.size)
    i, j = i[:, None, :, None, None], j[None, :, None, :, None]
    inside = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
    found = np.where(inside, (i * columns + j) * channels + np.arange(channels),
                     rows * columns * channels)
    return np.ascontiguousarray(found.reshape(height * width, window.depth), np.int64)


def turned_like(t: np.ndarray, more: int = OUTPUTS) -> np.ndarray:
    """Return zeros for the batch t turned round, with so many more rows, and padded lanes."""
    return np.zeros((t.shape[1] + more, padded_to(len(t), LANES)), np.float32)


def packed_like(w: np.ndarray, *between: int) -> np.ndarray:
    """Return zeros for the packed weights."""
    depth, outputs = w.shape
    return np.zeros((-(-outputs // OUTPUTS), depth, *between, OUTPUTS), np.float32)


def by_position(t: np.ndarray, positions: int, outputs: int) -> np.ndarray:
    """View (positions x outputs and more) x batch as positions x outputs x batch."""
    return t[: positions * outputs].reshape(positions, outputs, t.shape[1])
