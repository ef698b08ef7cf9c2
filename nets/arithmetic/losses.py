"""Losses over floats: of each image the value, and its gradient by the outputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["LOSSES", "check_labels", "logistic", "squared_error", "squared_hinge"]

Found = tuple[np.ndarray, np.ndarray]


def softmax(z: np.ndarray, labels: np.ndarray) -> Found:
    """Return the cross-entropy of the soft-max of z, in nats."""
    rows = np.arange(labels.size)
    shifted = z - z.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    sums = powers.sum(axis=1, keepdims=True)
    d = powers / sums
    d[rows, labels] -= 1
    return np.log(sums[:, 0]) - shifted[rows, labels], d


def squared_error(z: np.ndarray, targets: np.ndarray) -> Found:
    """Return half the sum of squares of z - targets."""
    d = z - targets.astype(z.dtype)
    return (d * d).sum(axis=1) / 2, d


def squared_hinge(z: np.ndarray, targets: np.ndarray) -> Found:
    """Return the sum of max(0, 1 - t z)**2, t = 1 for the class and -1 for others."""
    t = (2 * targets - 1).astype(z.dtype)
    missed = np.maximum(0, 1 - t * z)
    return (missed * missed).sum(axis=1), -2 * t * missed


def logistic(z: np.ndarray, targets: np.ndarray) -> Found:
    """Return the sum of the cross-entropies of each output's own sigmoid, in nats.

    That is log(1 + e^z) - t z, t = 1 for the class and 0 for others: classes need not
    exclude each other, as with the soft-max they do.
    """
    e = np.exp(-abs(z))
    d = np.where(z < 0, e, 1) / (1 + e) - targets
    return (np.maximum(z, 0) - targets * z + np.log1p(e)).sum(axis=1), d.astype(z.dtype)


def _one_hot(loss) -> Callable[[np.ndarray, np.ndarray], Found]:
    return lambda z, labels: loss(z, np.arange(z.shape[1]) == labels[:, None])


LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], Found]] = {
    "softmax": softmax,
    "sigmoid": _one_hot(logistic),
    "mse": _one_hot(squared_error),
    "hinge": _one_hot(lambda z, hot: squared_hinge(z, hot.astype(np.int8))),
}


def check_labels(labels: np.ndarray, images: int, classes: int) -> None:
    """Raise ValueError unless labels are images integers in 0..classes-1."""
    if labels.shape != (images,):
        raise ValueError(f"{images} images need {images} labels, got an array of shape "
                         f"{labels.shape}")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(f"labels must be 0..{classes - 1}, got {wrong}")
