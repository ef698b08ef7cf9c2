"""Training a binary network: one shuffle an epoch, batches in order."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field

import numpy as np

from nets.augment import moved
from nets.binary.fold import FoldError, fold
from nets.binary.network import BinaryNetwork
from nets.binary.settings import BinarySettings
from nets.data import Dataset
from nets.losses import check_labels

__all__ = ["BinaryRecord", "BinaryTrainer", "rate_at"]

REPORTED = 64  # batches from one report of progress to the next

# report(images done, loss so far, accuracy so far)
Report = Callable[[int, float, float], None]


@dataclass
class BinaryRecord:
    """An epoch. loss is the mean of the images as they were trained on, None if it is
    not finite; accuracies are in 0..1, those of validation and test by running
    statistics, that of validation None without a validation set; kept is the share
    of weights whose sign the epoch did not change; seconds are of training alone."""

    epoch: int
    loss: float | None
    train_accuracy: float
    val_accuracy: float | None
    test_accuracy: float
    rate: float
    kept: float
    seconds: float
    images_per_second: float
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict:
        """Return plain data for JSON."""
        return asdict(self)


class BinaryTrainer:
    """A network in training; epoch counts what it has behind it.

    Whatever is drawn in an epoch depends on the seed and the epoch's number alone,
    so a run that goes on draws what an uninterrupted one would.
    """

    def __init__(self, settings: BinarySettings, dataset: Dataset):
        self.settings = settings
        self.epoch = 0
        self.shape = dataset.train_images.shape[1:]
        images = flat(dataset.train_images)
        check_labels(dataset.train_labels, len(images), dataset.classes)
        rng = np.random.default_rng(settings.seed)
        order = rng.permutation(len(images))
        count = _training_images(settings, len(images))
        self.network = BinaryNetwork(settings, images.shape[1], dataset.classes, rng)
        self.images, self.labels = images[order[:count]], dataset.train_labels[order[:count]]
        self.held = images[order[count:]], dataset.train_labels[order[count:]]
        self.test = flat(dataset.test_images), dataset.test_labels

    def train_epoch(self, report: Report | None = None) -> BinaryRecord:
        """Train on every image once and return the epoch's record."""
        before = [layer.sign.copy() for layer in self.network.layers]
        begin = time.perf_counter()
        loss, accuracy = self._batches(report)
        seconds = time.perf_counter() - begin
        rate, finite = rate_at(self.settings, self.epoch + 1), math.isfinite(loss)
        self.epoch += 1
        predict = self._predictor()
        same = sum(int((a == layer.sign).sum())
                   for a, layer in zip(before, self.network.layers))
        return BinaryRecord(
            self.epoch, loss if finite else None, accuracy,
            _accuracy(predict, *self.held) if len(self.held[1]) else None,
            _accuracy(predict, *self.test), rate, same / sum(a.size for a in before),
            seconds, len(self.labels) / max(seconds, 1e-9),
            [] if finite else ["loss: it is not a finite number any more; a smaller lr would "
                               f"cure it (now {self.settings.lr})"])

    def _predictor(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return what predicts classes by running statistics: bits, where they are quick
        to prove, for they predict the same many times faster."""
        if self.settings.planes == 1:
            with suppress(FoldError):
                return fold(self.network).predict
        return lambda images: self.network.logits(images).argmax(axis=1)

    def _batches(self, report: Report | None) -> tuple[float, float]:
        """Train on each image once; return the mean loss and the share of right ones."""
        rng = np.random.default_rng([self.settings.seed, self.epoch])
        order, size = rng.permutation(len(self.labels)), self.settings.batch
        starts = range(0, len(order) - min(size, len(order)) + 1, size)
        total, right, done = 0.0, 0, 0
        for k, low in enumerate(starts):
            rows = order[low:low + size]
            rate = rate_at(self.settings, self.epoch + k / len(starts))
            loss, correct = self.network.train(self._seen(rows, rng), self.labels[rows],
                                               rate, rng)
            total, right, done = total + loss * len(rows), right + correct, done + len(rows)
            if report and k % REPORTED == REPORTED - 1:
                report(done, total / done, right / done)
        return total / done, right / done

    def _seen(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return training images, moved by up to `shift` pixels."""
        images, most = self.images[rows], self.settings.shift
        return flat(moved(images.reshape(-1, *self.shape), most, 0, rng)) if most else images


def rate_at(settings: BinarySettings, epochs: float) -> float:
    """Return the learning rate after so many epochs, whole or not.

    constant: lr; cosine and exponential: from lr to lr_last at the end.
    """
    first, last = settings.real("lr"), settings.real("lr_last")
    done = min(epochs / settings.epochs, 1)
    if settings.schedule == "exponential":
        return first * (last / first) ** done
    if settings.schedule == "cosine":
        return last + (first - last) * (1 + math.cos(math.pi * done)) / 2
    return first


def _accuracy(predict, images: np.ndarray, labels: np.ndarray) -> float:
    return int((predict(images) == labels).sum()) / len(labels)


def flat(images: np.ndarray) -> np.ndarray:
    """Return images as rows of pixels."""
    return np.ascontiguousarray(images).reshape(len(images), -1)


def _training_images(settings: BinarySettings, count: int) -> int:
    """Return how many images are left to train on; ValueError if too few."""
    if settings.val > count - 2:
        raise ValueError(f"val must leave at least two training images: {settings.dataset} "
                         f"has {count:,}, got val {settings.val:,}; use --val {count // 6}")
    return count - settings.val
