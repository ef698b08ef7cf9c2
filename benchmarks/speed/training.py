"""An epoch of LNS training against PyTorch's float32, the same images in turn."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.common.rows import Mark, Results, say
from benchmarks.common.timing import alternate
from benchmarks.speed.row import add_time, peer

__all__ = ["convolutions", "rows"]

MARKS = {5: Mark("<=", 0.20), 64: None}
LENET = {5: Mark("<=", 1.0), 64: Mark("<=", 1.5)}


def rows(results: Results, options) -> None:
    """Add a row of the perceptron for each size of a batch."""
    _rows("mlp", MARKS, results, options)


def convolutions(results: Results, options) -> None:
    """Add a row of LeNet-5 for each size of a batch."""
    _rows("lenet5", LENET, results, options)


def _rows(model: str, marks: dict, results: Results, options) -> None:
    from nets.data.sets import load

    dataset = load(options.dataset, options.data_dir)
    if options.images:
        dataset = replace(
            dataset,
            train_images=dataset.train_images[: options.images],
            train_labels=dataset.train_labels[: options.images],
        )
    whole = options.dataset == "mnist" and not options.images
    for batch, mark in marks.items():
        mark = mark if whole else None
        peer(results, "torch", training, dataset, model, batch, mark, options)


def training(
    torch, results: Results, dataset, model: str, batch: int, mark, options
) -> None:
    """Add the row of one size; both train on after each epoch that is timed."""
    from nets.settings.suited import settings_for
    from nets.train.trainer import Trainer

    val = len(dataset.train_labels) // 6
    # Plain steps, as PyTorch takes them.
    plain = {"lr": "2^-6", "schedule": "constant", "momentum": "0"}
    given = {"dataset": dataset.name, "model": model, "batch": batch, "val": val}
    settings = settings_for({**plain, **given})
    trainer = Trainer(settings, dataset, threads=1)
    theirs = torch.Training(trainer.images, trainer.labels, batch, model)
    records = []

    def epoch() -> float:
        records.append(trainer.train_epoch())
        return records[-1].seconds

    pair = alternate(epoch, theirs.epoch, options.rounds)
    accuracy = theirs.accuracy(*trainer.test)
    note = (
        f"{len(trainer.labels):,} images; test accuracy after {options.rounds} epochs "
        f"{records[-1].test_accuracy:.2%}, theirs {accuracy:.2%}"
    )
    say(f"  {note}")
    net = "" if model == "mlp" else f" {model}"
    name = f"{dataset.name}{net} epoch, lns16 lut, batch {batch}"
    add_time(results, name, "torch float32", pair, mark, note)
