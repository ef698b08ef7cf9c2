"""Losses of logits: their mean over a batch and the gradient of that mean."""

from __future__ import annotations

import numpy as np

__all__ = ["LOSSES", "log_softmax", "squared_hinge"]


def log_softmax(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of -log softmax(logits)[label] in nats, and its gradient.

    logits are rows x classes, labels integers in 0..classes-1.
    """
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    sums = powers.sum(axis=1, keepdims=True)
    loss = float((np.log(sums[:, 0]) - shifted[rows, labels]).mean(dtype=np.float64))
    powers /= sums
    powers[rows, labels] -= 1
    powers /= len(labels)
    return loss, powers


def squared_hinge(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of the sum of max(0, 1 - t logit)^2, and its gradient.

    t is 1 for the label's class and -1 for the others.
    """
    t = -np.ones_like(logits)
    t[np.arange(len(labels)), labels] = 1
    missing = np.maximum(1 - t * logits, 0)
    loss = float(np.einsum("ij,ij->", missing, missing, dtype=np.float64) / len(labels))
    return loss, missing * t * (-2 / len(labels))


LOSSES = {"log-softmax": log_softmax, "squared-hinge": squared_hinge}
