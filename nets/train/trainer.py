"""Training: one shuffle, batches in order, an epoch at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction

import numpy as np

from nets.arithmetic.choose import make_arithmetic
from nets.arithmetic.integer import STATS
from nets.arithmetic.losses import check_labels
from nets.data.augment import mirrored, moved
from nets.data.sets import Dataset
from nets.network.evaluation import EVALUATED, Evaluation, evaluate, flat, nats
from nets.network.models import make_network
from nets.network.network import Network, Program
from nets.network.probe import Findings, Probe, Watched, dead_units
from nets.network.probe_warnings import troubles
from nets.settings.schedule import rate_factor
from nets.settings.settings import Settings, parse_real
from nets.train.spindle_online import IMAGES, refit, refit_due

__all__ = ["Evaluation", "Record", "Trainer", "build", "evaluate"]

REPORTED = 64  # batches from one report of progress to the next

# report(images done, loss so far, accuracy so far)
Report = Callable[[int, float, float], None]


@dataclass
class Record:
    """An epoch. Losses are in nats an image, accuracies and shares in 0..1.

    loss and train_accuracy are of the images as they were trained on, seconds of
    their training alone. drift is the mean logit of the validation images (of the
    test images without any). saturations, underflows and dead_updates are counted
    on one batch, as are gradient_norms (of weights, by name) and gradient_ratio (first
    over last); dead_units is a share: see `nets.network.probe`. softmax_saturated is the
    share of the epoch's logits at the end of the soft-max's register. None is what there is
    not: a validation set, a finite loss.
    """

    epoch: int
    loss: float | None
    train_accuracy: float
    val_accuracy: float | None
    test_accuracy: float
    seconds: float
    images_per_second: float
    saturations: int
    underflows: int
    dead_updates: float | None
    drift: float | None
    softmax_saturated: float
    warnings: list[str] = field(default_factory=list)
    gradient_norms: dict[str, float | None] = field(default_factory=dict)
    gradient_ratio: float | None = None
    dead_units: float | None = None

    def as_dict(self) -> dict:
        """Return plain data for JSON."""
        return asdict(self)


def build(
    settings: Settings,
    shape: tuple[int, ...],
    classes: int,
    rng: np.random.Generator,
    threads: int = 1,
    backend: str = "vector",
) -> Network:
    """Return the network of a run for images of a shape, with fresh weights, its layers
    watched."""
    ar = make_arithmetic(settings, threads, backend)
    network = make_network(ar, rng, settings, shape, classes)
    network.layers = [Watched(layer) for layer in network.layers]
    return network


class Trainer:
    """A network in training; epoch counts what it has behind it.

    Nothing is compiled before the first epoch. The shuffled training images are
    copied, so the data set can be let go.
    """

    def __init__(self, settings: Settings, dataset: Dataset, threads: int = 1,
                 backend: str = "vector"):
        self.settings = settings
        self.classes = dataset.classes
        self.shape = dataset.train_images.shape[1:]
        self.epoch = 0
        images = flat(dataset.train_images)
        check_labels(dataset.train_labels, len(images), dataset.classes)
        count = _training_images(settings, len(images))
        rng = np.random.default_rng(settings.seed)
        order = rng.permutation(len(images))
        self.network = build(settings, self.shape, dataset.classes, rng, threads, backend)
        self.images, self.labels = (
            images[order[:count]],
            dataset.train_labels[order[:count]],
        )
        self.held = images[order[count:]], dataset.train_labels[order[count:]]
        self.test = flat(dataset.test_images), dataset.test_labels
        self._seconds = 0.0
        self._programs: list[Program] = []

    def look(self) -> None:
        """Run the training images forward once as in training: running statistics move,
        parameters do not."""
        size = min(self.settings.batch, len(self.labels))
        program = self.network.program(size, True)
        self._begin_epoch()
        for i in range(0, len(self.labels) - size + 1, size):
            program.encode(self._seen(self._rows(i, size)))
            for call in program.forward:
                call()

    def batches(self) -> Iterator[tuple[Program, np.ndarray, np.ndarray]]:
        """Give the program, pixels and labels of each batch of the next epoch, in order.

        Where one is given, its step and its learning rate are set; whoever takes it runs it.
        """
        self._begin_epoch()
        self._set_rate(0)
        ar, count = self.network.ar, len(self.labels)
        size = min(self.settings.batch, count)
        programs = {rows: self.network.program(rows, True)
                    for rows in (size, count % size) if rows}
        for start in range(0, count, size):
            ar.step += 1
            if self.settings.schedule_by == "batch":
                self._set_rate(start)
            rows = self._rows(start, min(size, count - start))
            labels = self.labels[rows]
            yield programs[len(labels)], self._seen(rows), labels
        self.epoch += 1

    def train_epoch(self, report: Report | None = None) -> Record:
        """Train on every image once and return the epoch's record."""
        findings = self._train(report)
        self.epoch += 1
        loss, accuracy, saturated = self._statistics(len(self.labels))
        test = evaluate(self.network, *self.test)
        dead = dead_units(self.network, min(EVALUATED, len(self.test[1])))
        held = evaluate(self.network, *self.held) if len(self.held[1]) else None
        record = Record(
            self.epoch,
            loss if findings.finite else None,
            accuracy,
            held.accuracy if held else None,
            test.accuracy,
            self._seconds,
            len(self.labels) / max(self._seconds, 1e-9),
            findings.saturations,
            findings.underflows,
            findings.dead_updates,
            (held or test).mean_logit,
            saturated,
            gradient_norms=findings.gradient_norms,
            gradient_ratio=findings.gradient_ratio,
            dead_units=dead,
        )
        record.warnings = troubles(self.settings, self.classes, record, findings)
        return record

    def _train(self, report: Report | None) -> Findings:
        s, count = self.settings, len(self.labels)
        self._begin_epoch()
        self._set_rate(0)
        size = min(self.settings.batch, count)
        whole = count - count % size
        # In this order in every process: it decides the random numbers of updates.
        self._programs = [
            self.network.program(rows, True) for rows in (size, count % size) if rows
        ]
        for program in self._programs:
            program.stats[:] = 0
        self._warm_up(size)
        if refit_due(s, self.epoch):
            refit(self.network, self.images[:IMAGES])
        self._seconds = 0.0
        probe = Probe(self.network, self._programs[0])
        self._batches(self._programs[0], 0, whole - size, report)
        probe.before()
        self._batches(self._programs[0], whole - size, whole, report)
        findings = probe.after()
        self._batches(self._programs[-1], whole, count, report)
        return findings

    def _begin_epoch(self):
        """Draw what an epoch draws, from the seed and its number alone: runs can go on."""
        self._rng = np.random.default_rng([self.settings.seed, self.epoch])
        shuffled = self.settings.shuffle == "epoch"
        self._order = self._rng.permutation(len(self.labels)) if shuffled else None

    def _set_rate(self, images: int):
        """Take the learning rate after so many images of the epoch."""
        s, done = self.settings, self.epoch + Fraction(images, len(self.labels))
        self.network.ar.factor = rate_factor(s.schedule, done, s.epochs, s.last)

    def _warm_up(self, size: int):
        """Load what is compiled at its first call, so that no epoch's time holds it."""
        program = self.network.program(size, False)
        program.run(self.images[:size], self.labels[:size])

    def _batches(self, program: Program, start: int, end: int, report: Report | None):
        """Train on the images start..end, whole batches of the program."""
        run, ar, size = program.run, self.network.ar, program.labels.size
        for low in range(start, end, REPORTED * size):
            high = min(low + REPORTED * size, end)
            begin = time.perf_counter()
            for i in range(low, high, size):
                ar.step += 1
                if self.settings.schedule_by == "batch":
                    self._set_rate(i)
                rows = self._rows(i, size)
                run(self._seen(rows), self.labels[rows])
            self._seconds += time.perf_counter() - begin
            if report:
                report(high, *self._statistics(high)[:2])

    def _rows(self, start: int, size: int) -> slice | np.ndarray:
        """Return which training images a batch has: a slice, for a view, in a fixed order."""
        here = slice(start, start + size)
        return here if self._order is None else self._order[here]

    def _seen(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return training images, moved and mirrored as far as the settings say so.

        What comes in at a side is the pixel nearest to what the network sees as zero.
        """
        images, s = self.images[rows], self.settings
        if not s.shift and s.flip == "no":
            return images
        images = images.reshape(-1, *self.shape)
        if s.shift:
            fill = min(255, round(255 * parse_real("input_mean", s.input_mean)))
            images = moved(images, s.shift, fill, self._rng)
        if s.flip == "yes":
            images = mirrored(images, self._rng)
        return flat(images)

    def _statistics(self, images: int) -> tuple[float, float, float]:
        """Return loss, accuracy and share of saturated logits over so many images."""
        total = np.sum([program.stats for program in self._programs], axis=0)
        stats = dict(zip(STATS, total.tolist(), strict=True))
        return (
            nats(stats["loss"] / images, self.network.ar),
            stats["correct"] / images,
            stats["saturated"] / (images * self.classes),
        )


def _training_images(settings: Settings, count: int) -> int:
    """Return how many images are left to train on; ValueError if none."""
    if settings.val >= count:
        raise ValueError(
            f"val must leave at least one training image: {settings.dataset} has "
            f"{count:,}, got val {settings.val:,}; use --val {count // 6}"
        )
    return count - settings.val
