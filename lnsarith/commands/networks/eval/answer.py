"""What eval says of predictions: accuracy, classes, confusions."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lnsarith.commands.networks.train.epochs import counted
from lnsarith.host.files.reading import read_json
from lnsarith.host.files.schema import floating, listed, table, text

__all__ = ["OWN_DATA", "class_names", "images_for", "own_images", "tell"]

CLOTHES = "T-shirt trousers pullover dress coat sandal shirt sneaker bag boot".split()
THINGS = "airplane automobile bird cat deer dog frog horse ship truck".split()
OWN_DATA = "data.json"  # of a run: names of classes, and the ranges of features that are 0..255
MOST = 5  # confusions shown


def tell(args: Namespace, head: dict, dataset, predicted, loss, sha256: str,
         names: list[str] | None = None, more: Callable[[dict], list[str]] = lambda result: []
         ) -> None:
    """Print how well predictions of a data set's test images are, and the lines that `more`
    says of the result; names are those of the classes, where the data set does not tell."""
    labels, classes = dataset.test_labels, dataset.classes
    correct = int((predicted == labels).sum())
    result = {
        **head,
        "images": len(labels),
        "correct": correct,
        "test_accuracy": correct / len(labels),
        "loss": loss,
        "class_accuracy": _class_accuracy(labels, predicted, classes),
        "confusions": _confusions(labels, predicted, classes),
        "model_sha256": sha256,
    }
    names = names or class_names(dataset.name, classes)
    print(json.dumps(result, allow_nan=False) if args.json
          else "\n".join([_text(result, names), *more(result)]))


def images_for(args: Namespace, folder: Path, name: str, data: dict):
    """Return the data set asked for, if it is of the kind of the folder's data."""
    from nets.data.own import OWN
    from nets.data.sets import load
    from nets.train.run import RunError

    if getattr(args, "data", None):
        return own_images(args, tuple(data["shape"]), data["classes"])[0]
    named = hasattr(args, "dataset")  # else a command that takes no other images
    asked = (args.dataset if named else "") or name
    if asked == OWN:
        raise RunError(f"{folder} was trained on data of its own; give --data"
                       + " or --dataset" * named)
    dataset = load(asked, args.data_dir)
    own = data["shape"], data["classes"]
    found = list(dataset.train_images.shape[1:]), dataset.classes
    if found != own:
        raise RunError(
            f"{folder} is for {_kind(*own)}, {dataset.name} has {_kind(*found)}"
        )
    return dataset


def own_images(args: Namespace, shape: tuple[int, ...], classes: int):
    """Return a user's own images to judge by as a data set of a shape, and the names of its
    classes; ValueError where they do not fit."""
    from nets.data.files import as_bytes, load_own
    from nets.data.sets import Dataset

    kept = _kept(Path(args.run_folder))
    size = shape[0], shape[1]
    own = load_own(args.data, size, len(shape) == 3, args.label).called(kept.get("names"))
    ranges = [np.array(kept[k], np.float32) for k in ("low", "high") if k in kept]
    x, y = as_bytes(own, (ranges[0], ranges[1]) if len(ranges) == 2 else None).test
    if x.shape[1:] != shape or y.max() >= classes:
        raise ValueError(f"{args.run_folder} is for {_kind(shape, classes)}, {args.data} has "
                         f"{_kind(x.shape[1:], len(own.names))}")
    names = [*own.names, *map(str, range(len(own.names), classes))]
    return Dataset(args.data, x[:0], y[:0], x, y, classes), names


def _kept(folder: Path) -> dict:
    """Return what a run keeps of the data of one's own that it was trained on."""
    path, reals = folder / OWN_DATA, listed(floating())
    if not path.exists():
        return {}
    return read_json(path, table({"names": listed(text())}, {"low": reals, "high": reals}))


def class_names(dataset: str, classes: int) -> list[str]:
    """Return what the classes of a data set are called."""
    if dataset == "fashion-mnist":
        return CLOTHES
    if dataset == "cifar-10":
        return THINGS
    if dataset == "emnist-letters":
        return [chr(ord("a") + i) for i in range(classes)]
    return [str(i) for i in range(classes)]


def _class_accuracy(labels, predicted, classes: int) -> list[float | None]:
    right = np.bincount(labels[labels == predicted], minlength=classes)
    total = np.bincount(labels, minlength=classes)
    return [int(r) / int(n) if n else None for r, n in zip(right, total, strict=True)]


def _confusions(labels, predicted, classes: int) -> list[dict]:
    """Return the most frequent mistakes, most frequent first."""
    wrong = labels != predicted
    counts = np.bincount(labels[wrong] * classes + predicted[wrong])
    order = np.argsort(-counts, kind="stable")[:MOST]
    return [
        {
            "true": int(i) // classes,
            "predicted": int(i) % classes,
            "count": int(counts[i]),
        }
        for i in order
        if counts[i]
    ]


def _text(result: dict, names: list[str]) -> str:
    lines = [
        f"{result['run']}{_age(result['epoch'])} on {result['dataset']}",
        f"test accuracy {result['test_accuracy']:.2%} "
        f"({result['correct']:,} of {result['images']:,})",
    ]
    if result["confusions"]:
        shown = ", ".join(
            f"{names[c['true']]} as {names[c['predicted']]} ({c['count']})"
            for c in result["confusions"]
        )
        lines.append(f"taken most often: {shown}")
    shares = [(s, n) for s, n in zip(result["class_accuracy"], names) if s is not None]
    worst, best = min(shares), max(shares)
    lines.append(f"worst class {worst[1]} {worst[0]:.2%}, best {best[1]} {best[0]:.2%}")
    return "\n".join(lines)


def _age(epochs: int | None) -> str:
    return "" if epochs is None else f" after {counted(epochs, 'epoch')}"


def _kind(shape, classes: int) -> str:
    return f"images of {' x '.join(map(str, shape))} in {classes} classes"
