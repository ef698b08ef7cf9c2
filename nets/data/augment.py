"""Training images changed at random: moved, mirrored."""

from __future__ import annotations

import numpy as np

__all__ = ["mirrored", "moved"]


def moved(images: np.ndarray, most: int, fill: int, rng: np.random.Generator) -> np.ndarray:
    """Return images, each moved by up to so many pixels up or down and sideways.

    images are number x height x width, or number x height x width x channels; what
    comes in at a side has the value `fill`.
    """
    count, height, width = images.shape[:3]
    padded = np.full((count, height + 2 * most, width + 2 * most, *images.shape[3:]), fill,
                     images.dtype)
    padded[:, most : most + height, most : most + width] = images
    down, right = rng.integers(0, 2 * most + 1, (2, count, 1, 1))
    return padded[np.arange(count)[:, None, None],
                  down + np.arange(height)[:, None], right + np.arange(width)]


def mirrored(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return images, each mirrored left to right with probability 1/2."""
    chosen = rng.integers(0, 2, len(images)).astype(bool)
    return np.where(chosen.reshape(-1, *[1] * (images.ndim - 1)), images[:, :, ::-1], images)
