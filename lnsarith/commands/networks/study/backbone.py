"""lnsarith study backbone: classifiers on the features of frozen networks, with activations that
are fitted to these features and with others."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from lnsarith.commands.common.options import add_data, add_own, integer
from lnsarith.commands.networks.train.epochs import counted, say

__all__ = ["options", "run"]

ACTIVATIONS = "relu,gelu,mish,sigmoid,spindle"
ABSENT = ("The slides also have nirscene1, and the weights of AlexNet, ResNet-18 and VGG-16: none "
          "of these is at hand. Give images with --data and weights as ONNX files with --features.")


def options(parser: ArgumentParser) -> None:
    """Add the options of the study."""
    parser.epilog = ABSENT
    parser.add_argument("--features", nargs="+", required=True, metavar="RUN", help="networks that "
                        "stay as they are: folders of import, or ONNX files of pixels 0..1")
    parser.add_argument("--tensor", metavar="NAME", help="whose maps are the features (default: "
                        "what the last pooling over whole maps takes)")
    parser.add_argument("--dataset", help="labelled images, such as cifar-10")
    parser.add_argument("--images", metavar="N", default="2000", help="training images, and a "
                        "quarter as many test images, at most (default 2000)")
    parser.add_argument("--activations", metavar="A,B", default=ACTIVATIONS,
                        help=f"of the classifier's hidden layer (default {ACTIVATIONS})")
    parser.add_argument("--hidden", metavar="UNITS", default="64", help="its units (default 64)")
    parser.add_argument("--epochs", metavar="N", default="20", help="default 20")
    parser.add_argument("--seeds", metavar="A,B", default="0,1,2", help="default 0,1,2")
    parser.add_argument("--out", metavar="DIR", default="studies/backbone",
                        help="folder of study.json and study.png (default studies/backbone)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_own(parser)
    add_data(parser)


def run(args: Namespace) -> int:
    """Take features, train classifiers on them, write study.json and study.png."""
    from nets.network.model import write_atomic
    from nets.train import study
    from nets.train.forms import STUDY, require_study

    folder, plans = Path(args.out), _plans(args)
    require_study(folder, "backbone")
    opened = [(name, *_backbone(args, name)) for name in args.features]
    accuracies: dict[str, dict[str, list[float | None]]] = {}
    counts, normal = {}, {}
    for name, kept, graph in opened:
        dataset, normal[name] = _features(args, name, kept, graph)
        counts[name] = len(dataset.test_labels)
        for kind, seed, settings in plans:
            accuracies.setdefault(name, {}).setdefault(kind, []).append(
                _trained(settings, dataset, f"{name}, {kind}, seed {seed}"))
    found = study.summary(accuracies, counts)
    title = f"classifiers of {args.hidden} units on frozen features"
    result = {"kind": STUDY, "what": "backbone", "images": counts, **found, "normality": normal,
              "absent": ABSENT, "plot": str(folder / "study.png")}
    folder.mkdir(parents=True, exist_ok=True)
    study.draw(folder / "study.png", found, title)
    write_atomic(folder / "study.json", (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(result) if args.json else "\n".join(
        [title, *study.table(found), *(_told(name, row) for name, row in normal.items()), ABSENT,
         str(folder / "study.png")]))
    return 0


def _plans(args: Namespace) -> list[tuple]:
    """Return (activation, seed, settings) of every classifier, checked."""
    from nets.settings.suited import settings_for

    hidden = tuple(integer("hidden", n) for n in args.hidden.split(","))
    shared = {"model": "mlp", "arith": "float32", "init": "he", "val": 0, "batch": 20,
              "shuffle": "epoch", "lr": "2^-6", "momentum": "0.9", "schedule": "cosine",
              "weight_decay": "2^-12", "input_mean": "0.5", "input_scale": "4", "hidden": hidden,
              "epochs": integer("epochs", args.epochs)}
    kinds = list(dict.fromkeys(filter(None, args.activations.split(","))))
    return [(kind, integer("seeds", seed), settings_for(
        {**shared, "activation": kind, "seed": integer("seeds", seed)}))
        for kind in kinds for seed in args.seeds.split(",")]


def _backbone(args: Namespace, name: str):
    """Return a network and the part of its graph that gives the maps."""
    from lnsarith.commands.networks.eval.imported import Imported, opened
    from nets.graph.head import maps_of, up_to

    if name.endswith(".onnx"):
        from nets.graph.inputs import Preparation
        from nets.importing.onnx_graph import read_onnx

        _, graph = read_onnx(Path(name))
        kept = Imported(Path(name), graph, {}, Preparation())
    else:
        kept = opened(Namespace(**{**vars(args), "run_folder": name}))
    if kept.size is None:
        raise ValueError(f"{name} takes {kept.graph.shape} numbers, no images")
    return kept, up_to(kept.graph, args.tensor or maps_of(kept.graph))


def _features(args: Namespace, name: str, kept, graph):
    """Return a data set of features, and how many of its maps are normal."""
    from nets.data.files import Own, as_dataset
    from nets.graph.features import features

    x, y, names, parts = _images(args, kept)
    say(f"{name}: features of {len(x):,} images from {graph.outputs[0]!r}")
    means, samples = features(graph, x, kept.prepared)
    return as_dataset(Own(means, y, names, parts)), _normality(samples)


def _images(args: Namespace, kept):
    """Return images of the network's size, labels, names of classes, and which are for training
    and for testing."""
    from nets.data.own import parted

    count = integer("images", args.images)
    if count < 4:
        raise ValueError(f"images must be 4 or more, got {count}")
    if args.data:
        from nets.data.files import load_own

        own = load_own(args.data, kept.size, kept.colours, args.label)
        x, y, names = own.x, own.y, own.names
        if own.parts:
            train, test = own.parts
        else:
            train, _, test, _ = parted(np.arange(len(y)), y)
    elif args.dataset:
        from lnsarith.commands.networks.eval.answer import class_names
        from nets.data.sets import load

        found = load(args.dataset, args.data_dir)
        x = np.concatenate([found.train_images, found.test_images])
        y = np.concatenate([found.train_labels, found.test_labels])
        names = tuple(class_names(found.name, found.classes))
        train, test = np.arange(len(found.train_labels)), np.arange(len(found.train_labels), len(y))
    else:
        raise ValueError("give --dataset NAME, such as cifar-10, or --data FOLDER of images")
    train, test = train[:count], test[: max(1, count // 4)]
    rows = np.concatenate([train, test])
    sized = np.stack([_sized(image, kept) for image in x[rows]])
    return sized, y[rows], names, (np.arange(len(train)), np.arange(len(train), len(rows)))


def _sized(image: np.ndarray, kept) -> np.ndarray:
    """Return an image of a network's rows, columns and colours."""
    from PIL import Image

    made = Image.fromarray(image).convert("RGB" if kept.colours else "L")
    rows, columns = kept.size
    return np.asarray(made.resize((columns, rows), Image.Resampling.BILINEAR))


def _normality(samples: np.ndarray) -> dict:
    """Return the Kolmogorov-Smirnov test of each map, and how many it does not reject."""
    from fxp.format import FormatError
    from lnsarith.spindle.normal import normality

    maps, dead = [], 0
    for column in samples.T:
        try:
            found = normality(column)
            maps.append({"ks": found.statistic, "rejected_at": found.level})
        except FormatError:  # a map that is the same everywhere
            dead += 1
            maps.append({"ks": None, "rejected_at": None})
    tested = [m for m in maps if m["ks"] is not None]
    return {"samples": len(samples), "maps": maps, "constant": dead, "not_rejected": sum(
        m["rejected_at"] is None or m["rejected_at"] > 0.05 for m in tested),
        "median_ks": float(np.median([m["ks"] for m in tested])) if tested else None}


def _told(name: str, row: dict) -> str:
    tested = len(row["maps"]) - row["constant"]
    if not tested:
        return f"{name}: all {row['constant']} maps are the same everywhere"
    return (f"{name}: normal by the Kolmogorov-Smirnov test (not rejected at 5 %, Lilliefors' "
            f"limits, {row['samples']} samples a map): {row['not_rejected']} of {tested} maps, "
            f"median D {row['median_ks']:.3f}; {row['constant']} maps are the same everywhere")


def _trained(settings, dataset, title: str) -> float | None:
    """Return the test accuracy of a classifier, None where its loss is not finite."""
    from nets.train.trainer import Trainer

    trainer = Trainer(settings, dataset)
    for _ in range(settings.epochs):
        record = trainer.train_epoch()
        if record.loss is None:
            say(f"lnsarith: warning: {title}: the loss is no finite number")
            return None
    say(f"{title}: test {record.test_accuracy:.2%} after {counted(record.epoch, 'epoch')}")
    return record.test_accuracy
