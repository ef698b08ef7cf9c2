"""An epoch of LNS training against PyTorch's float32, the same images in turn."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.rows import Mark, Results, say
from benchmarks.speed.row import add_time, peer
from benchmarks.timing import alternate

__all__ = ["rows"]

MARKS = {5: Mark("<=", 0.20), 64: None}


def rows(results: Results, options) -> None:
    """Add a row for each size of a batch."""
    from nets.data import load

    dataset = load(options.dataset, options.data_dir)
    if options.images:
        dataset = replace(
            dataset,
            train_images=dataset.train_images[: options.images],
            train_labels=dataset.train_labels[: options.images],
        )
    whole = options.dataset == "mnist" and not options.images
    for batch, mark in MARKS.items():
        peer(
            results, "torch", training, dataset, batch, mark if whole else None, options
        )


def training(torch, results: Results, dataset, batch: int, mark, options) -> None:
    """Add the row of one size; both train on after each epoch that is timed."""
    from nets.settings import Settings
    from nets.train import Trainer

    val = len(dataset.train_labels) // 6
    settings = Settings(dataset=dataset.name, batch=batch, val=val)
    trainer = Trainer(settings, dataset, threads=1)
    theirs = torch.Training(trainer.images, trainer.labels, batch)
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
    name = f"{dataset.name} epoch, lns16 lut, batch {batch}"
    add_time(results, name, "torch float32", pair, mark, note)
