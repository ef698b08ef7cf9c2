"""How a network does on labelled images, some hundred at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nets.arithmetic.integer import STATS
from nets.arithmetic.losses import check_labels
from nets.network.network import Network

__all__ = ["EVALUATED", "Evaluation", "evaluate", "flat", "nats"]

EVALUATED = 500  # images at a time


@dataclass
class Evaluation:
    """A network on labelled images: predicted has the class of each."""

    correct: int
    loss: float | None
    mean_logit: float | None
    predicted: np.ndarray

    @property
    def accuracy(self) -> float:
        return self.correct / len(self.predicted)


def evaluate(network: Network, images: np.ndarray, labels: np.ndarray) -> Evaluation:
    """Return how a network does on images (uint8, in any shape)."""
    images, logits = flat(images), []
    check_labels(labels, len(images), network.classes)
    if images.shape[1] != network.inputs or images.dtype != np.uint8:
        raise ValueError(f"the network takes uint8 images of {network.inputs} pixels, got "
                         f"{images.shape[1]} of {images.dtype}")
    stats = np.zeros(len(STATS), np.int64)
    for low in range(0, len(images), EVALUATED):
        rows = slice(low, low + EVALUATED)
        program = network.program(len(labels[rows]), False)
        program.stats[:] = 0
        program.run(images[rows], labels[rows])
        stats += program.stats
        logits.append(network.ar.reals(program.logits))
    values = np.concatenate(logits)
    finite = bool(np.isfinite(values).all())
    loss = nats(int(stats[STATS.index("loss")]) / len(labels), network.ar)
    return Evaluation(
        int(stats[STATS.index("correct")]),
        loss if finite else None,
        float(values.mean()) if finite else None,
        values.argmax(axis=1),
    )


def nats(octaves: float, ar) -> float:
    """Return nats for octaves in units of an arithmetic's statistics."""
    return octaves * math.log(2) / (1 << ar.frac)


def flat(images: np.ndarray) -> np.ndarray:
    """Return images as rows of pixels."""
    return np.ascontiguousarray(images).reshape(len(images), -1)
