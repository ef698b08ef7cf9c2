"""A step of training by Delta method and width: seconds an epoch of MNIST at batch 5."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from benchmarks.common.rows import Results, say
from benchmarks.hardware.deltas import FORMATS, METHODS

__all__ = ["rows"]

IMAGES, EPOCH = 2500, 50_000  # timed, and those of an epoch


def rows(results: Results, options) -> None:
    """Add a row for each method in each format: the median over rounds of the time that a
    perceptron 784-100-10 takes for some images, told for the images of an epoch."""
    from nets.data.sets import load

    dataset = load(options.dataset, options.data_dir)
    count = options.images or IMAGES
    dataset = replace(dataset, train_images=dataset.train_images[:count],
                      train_labels=dataset.train_labels[:count],
                      test_images=dataset.test_images[:100], test_labels=dataset.test_labels[:100])
    for f in FORMATS:
        for method in METHODS:
            seconds = EPOCH / count * _seconds(dataset, f, method, options.rounds)
            results.add({"row": f"{dataset.name} training, {f} {method}, batch 5", "peer": None,
                         "level": results.facts["level"], "format": f, "delta": method,
                         "ours": seconds, "unit": "s", "note": f"an epoch of {EPOCH:,} images, "
                         f"from {options.rounds} times {count:,}"})
            say(f"  {f} {method}: {seconds:.3g} s an epoch")


def _seconds(dataset, f: str, method: str, rounds: int) -> float:
    """Return the median time of all images of a data set, compiled before."""
    from nets.settings.suited import settings_for
    from nets.train.trainer import Trainer

    settings = settings_for({"dataset": dataset.name, "arith": f, "delta": method, "val": 0})
    trainer = Trainer(settings, dataset, threads=1)
    trainer.train_epoch()
    return median(trainer.train_epoch().seconds for _ in range(rounds))
