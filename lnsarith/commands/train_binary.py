"""lnsarith train --model bnn: train a network of weights and activations -1 and 1."""

from __future__ import annotations

import dataclasses
from argparse import ArgumentParser, Namespace

from lnsarith.commands.options import add_settings, given_settings, plain
from lnsarith.commands.training import Model, add_run, carry_out, epoch_count
from nets.binary.settings import BinarySettings

__all__ = ["FIELDS", "TEXTS", "options", "run"]

FIELDS = {field.name: field for field in dataclasses.fields(BinarySettings)}
TEXTS = {
    "dataset": "the images to learn, see lnsarith data list",
    "model": "bnn: a binary network (without --model: real numbers in few bits)",
    "hidden": "units of the hidden layers: 256,256,256, or none",
    "binarize_input": "threshold, probability (drawn anew each epoch), or none",
    "threshold": "pixels above it are 1",
    "loss": "log-softmax or squared-hinge",
    "dropout_input": "share of the inputs left out in training",
    "dropout": "share of the hidden activations left out in training",
    "shift": "pixels by which training images are moved at most",
    "lr": "learning rate of Adam at the start",
    "lr_last": "and at the end",
    "schedule": "of the rate in between: cosine, exponential or constant",
    "batch": "images a step",
    "epochs": "how often each image is seen",
    "val": "training images held back for validation",
    "seed": "of the shuffles, the first weights and all that is drawn",
}


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    add_settings(parser, FIELDS, TEXTS)
    add_run(parser, "runs/DATASET-bnn-HIDDEN-INPUT-sSEED")


def run(args: Namespace) -> int:
    """Train, export, and print how it went; 1 if --require is not reached."""
    from nets.binary.run import BinaryRun, binary_settings, default_name
    from nets.binary.train import BinaryTrainer

    given = given_settings(args, FIELDS)
    model = Model(BinaryRun, binary_settings, default_name, BinaryTrainer, _result, _summary,
                  _title)
    return carry_out(args, given, model)


def _result(kept, trainer) -> dict:
    """Export the network into the run's folder and return what --json prints."""
    import numpy as np

    from nets.binary.fold import fold
    from nets.binary.folder import GOLDEN, read_export, write_export

    images, labels = trainer.test
    s, last = kept.settings, kept.records[-1]
    about = {"dataset": s.dataset, "shape": kept.data["shape"], "classes": kept.data["classes"],
             "hidden": list(s.hidden), "binarize_input": s.binarize_input,
             "epoch": last["epoch"], "test_accuracy": last["test_accuracy"],
             "logit_scale": 2 * float(trainer.network.head.scale)}
    folder = kept.folder / "export"
    write_export(folder, fold(trainer.network), about, images[:GOLDEN])
    packed, _ = read_export(folder)
    predicted = packed.predict(images)
    differ = int((predicted != trainer.network.logits(images).argmax(axis=1)).sum())
    names = ("dataset", "model", "binarize_input", "batch", "lr", "seed")
    return {
        **{name: getattr(s, name) for name in names},
        "hidden": list(s.hidden),
        "epochs": last["epoch"],
        "loss": last["loss"],
        **{k: last[k] for k in ("train_accuracy", "val_accuracy", "test_accuracy", "kept")},
        "export_test_accuracy": float(np.mean(predicted == labels)),
        "export_differs": differ,
        "epoch_seconds": [record["seconds"] for record in kept.records],
        "images_per_second": last["images_per_second"],
        "run": str(kept.folder),
        "model_file": str(kept.model_path),
        "export": str(folder),
        "model_sha256": kept.model_sha256,
    }


def _summary(kept, result: dict) -> str:
    val, seconds = result["val_accuracy"], sum(result["epoch_seconds"])
    shown = "" if val is None else f"validation {val:.2%}, "
    return "\n".join([
        _title(kept.settings),
        f"{shown}test {result['test_accuracy']:.2%}",
        f"{epoch_count(result['epochs'])} in {seconds:.1f} s "
        f"({result['images_per_second']:,.0f} images/s)",
        f"in bits: test {result['export_test_accuracy']:.2%}, "
        f"{result['export_differs']} predictions differ",
        result["export"],
        f"{result['model_file']}  sha256 {result['model_sha256']}",
    ])


def _title(s) -> str:
    return (f"{s.dataset}, binary network, hidden {plain(s.hidden)}, input {s.binarize_input}, "
            f"batch {s.batch}, lr {s.lr}, seed {s.seed}")
