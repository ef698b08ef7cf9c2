"""lnsarith eval: how well the model of a run does on test images."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from lnsarith.commands.options import add_computing, add_data, thread_count
from lnsarith.commands.training import tell_lost
from lnsarith.commands.which import binary_folder, integer_folder

__all__ = ["class_names", "images_for", "open_model", "open_run", "options", "run", "tell"]

CLOTHES = "T-shirt trousers pullover dress coat sandal shirt sneaker bag boot".split()
THINGS = "airplane automobile bird cat deer dog frog horse ship truck".split()
MOST = 5  # confusions shown


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("run_folder", metavar="RUN", help="a folder of train, prune or quantize")
    parser.add_argument(
        "--dataset", help="other images of the same size and number of classes"
    )
    parser.add_argument("--layers", action="store_true",
                        help="list the layers by number, name and shape instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(parser)
    add_computing(parser)


def run(args: Namespace) -> int:
    """Print the accuracy, and what is taken for what most often."""
    from nets.train import evaluate

    if args.layers:
        return _layers(args)
    if binary_folder(args.run_folder):
        from lnsarith.commands.eval_binary import run_binary

        return run_binary(args)
    if integer_folder(args.run_folder):
        from lnsarith.commands.eval_integers import run_integers

        return run_integers(args)
    kept, network, epoch = open_model(args)
    dataset = images_for(args, kept.folder, kept.settings.dataset, kept.data)
    evaluation = evaluate(network, dataset.test_images, dataset.test_labels)
    head = {"run": str(kept.folder), "dataset": dataset.name, "epoch": epoch}
    tell(args, head, dataset, evaluation.predicted, evaluation.loss, kept.model_sha256)
    return 0


def _layers(args: Namespace) -> int:
    """Print what RUN:LAYER of lnsarith spindle fit can name."""
    from nets.spindle_inputs import layer_names, layer_shapes
    from nets.window import shown

    kept, network, _ = open_model(args)
    layers = [{"number": i, "name": name, "shape": list(shape)} for i, (name, shape)
              in enumerate(zip(layer_names(network), layer_shapes(network), strict=True))]
    if args.json:
        print(json.dumps({"run": str(kept.folder), "layers": layers}))
    else:
        for layer in layers:
            print(f"{layer['number']:2} {layer['name']:<12} {shown(layer['shape'])}")
    return 0


def tell(args: Namespace, head: dict, dataset, predicted, loss, sha256: str) -> None:
    """Print how well predictions of a data set's test images are."""
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
    names = class_names(dataset.name, classes)
    print(json.dumps(result, allow_nan=False) if args.json else _text(result, names))


def images_for(args: Namespace, folder: Path, name: str, data: dict):
    """Return the data set asked for, if it is of the kind of the folder's data."""
    from nets.data import load
    from nets.run import RunError

    dataset = load(args.dataset or name, args.data_dir)
    own = data["shape"], data["classes"]
    found = list(dataset.train_images.shape[1:]), dataset.classes
    if found != own:
        raise RunError(
            f"{folder} is for {_kind(*own)}, {dataset.name} has {_kind(*found)}"
        )
    return dataset


def open_run(args: Namespace):
    """Return the run in args.run_folder; RunError if it has no model of words."""
    from nets.run import Run, RunError

    folder = Path(args.run_folder)
    folder = folder.parent if folder.name == "model.npz" else folder
    if binary_folder(args.run_folder):
        raise RunError(f"{folder} holds a network of bits; give the run it was made from")
    if integer_folder(args.run_folder):
        raise RunError(f"{folder} holds a network of integers; give the run it was made from")
    kept = Run.open(folder)
    if not kept.model_path.exists():
        raise RunError(f"{folder} has no model yet: no epoch of it was finished")
    return kept


def open_model(args: Namespace):
    """Return the run in args.run_folder, its network with its words, its epochs."""
    from nets.train import build

    kept = open_run(args)
    shape, classes = tuple(kept.data["shape"]), kept.data["classes"]
    threads = thread_count(args.threads)
    rng = np.random.default_rng(0)  # the words are replaced
    network = build(kept.settings, shape, classes, rng, threads, args.backend)
    epoch = kept.load(network)
    tell_lost(kept)
    return kept, network, epoch


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
        f"{result['run']} after {result['epoch']} epochs on {result['dataset']}",
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


def _kind(shape, classes: int) -> str:
    return f"images of {' x '.join(map(str, shape))} in {classes} classes"
