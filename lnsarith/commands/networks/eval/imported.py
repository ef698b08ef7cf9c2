"""lnsarith eval and predict of an imported network: in float32, and in words."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lnsarith.commands.common.options import integer, settings_by_name, thread_count
from lnsarith.commands.common.which import imported_folder
from lnsarith.commands.networks.eval.answer import tell
from lnsarith.commands.networks.eval.differing import differing, lines, ranges
from lnsarith.commands.networks.onnx.exporting import trained_graph

__all__ = ["Imported", "add_words", "inputs_for", "open_imported", "opened", "run_imported",
           "wants_words"]


def add_words(parser) -> None:
    """Add how an imported network runs in words."""
    group = parser.add_argument_group("another arithmetic", "An imported network, or the float "
                                      "twin of a trained one, in float32 or in words: weights and "
                                      "inputs become the nearest ones.")
    group.add_argument("--arith", metavar="FORMAT", help="lns12, lns16, fixed16, fixed8.4, ...")
    group.add_argument("--delta", metavar="METHOD", help="how LNS sums are approximated")
    group.add_argument("--guard", metavar="BITS", help="more fraction bits in the register of an "
                       "LNS sum")
    group.add_argument("--accumulator", metavar="KIND", help="of fixed-point sums: exact, limitedN "
                       "or each")
    group.add_argument("--calibrate", metavar="N", help="place the points of fixed-point words by "
                       "the ranges over so many inputs, and tell the ranges")
    group.add_argument("--formats", metavar="FILE.toml", help="the formats that lnsarith formats "
                       "found, instead of --arith")


def wants_words(args: Namespace) -> bool:
    """Whether args ask for another arithmetic than a run's own."""
    return any(getattr(args, name) is not None for name in
               ("arith", "delta", "guard", "accumulator", "calibrate", "formats"))


@dataclass
class Imported:
    """A network of a folder, its scores up to where classes are ordered, and its manifest.

    Of a network that was trained here the manifest has classes, dataset and image: its shape.
    """

    folder: Path
    graph: Any
    manifest: dict
    how: Any

    @property
    def classes(self) -> int:
        return self.manifest["classes"]

    @property
    def size(self) -> tuple[int, int] | None:
        """Rows and columns of an image that the network takes."""
        if image := self.manifest.get("image"):
            return image[0], image[1]
        shape = self.graph.shape
        if len(shape) != 3:
            return None
        return shape[1:] if shape[0] in (1, 3) else shape[:2]

    @property
    def colours(self) -> bool:
        if image := self.manifest.get("image"):
            return len(image) == 3
        return len(self.graph.shape) == 3 and 3 in (self.graph.shape[0], self.graph.shape[2])

    def prepared(self, x: np.ndarray) -> np.ndarray:
        from nets.graph.inputs import prepared

        return prepared(x, self.graph.shape, self.how)


def opened(args: Namespace) -> Imported:
    """Return the network in args.run_folder: an imported one, or the float twin of one that
    was trained here."""
    from nets.graph.folder import read_graph
    from nets.graph.head import scores_of

    if not imported_folder(args.run_folder):
        graph, how, data, dataset = trained_graph(args)
        about = {"classes": data["classes"], "image": data["shape"], "dataset": dataset}
        return Imported(Path(args.run_folder), graph, about, how)
    folder = Path(args.run_folder)
    folder = folder.parent if folder.name in ("model.npz", "manifest.json") else folder
    graph, manifest, how = read_graph(folder)
    return Imported(folder, scores_of(graph), manifest, how)


def inputs_for(args: Namespace, kept: Imported):
    """Return the name, training inputs (None without), test inputs, test labels and names of
    classes of the data that args name, prepared; ValueError where they do not fit."""
    from nets.data.files import load_own
    from nets.data.sets import load

    if args.data:
        own = load_own(args.data, kept.size, kept.colours, args.label)
        x, y = own.test
        name, names = args.data, list(own.names)
        train = own.x[own.parts[0]] if own.parts else None
    elif named := args.dataset or kept.manifest.get("dataset"):
        found = load(named, args.data_dir)
        from lnsarith.commands.networks.eval.answer import class_names

        x, y, train = found.test_images, found.test_labels, found.train_images
        name, names = found.name, class_names(found.name, found.classes)
    else:
        raise ValueError(f"{kept.folder} was imported and has no data set: give --dataset NAME, "
                         "or --data FOLDER, x.npz, x.csv")
    if y.max() >= kept.classes:
        raise ValueError(f"{name} has labels 0..{y.max()}, the network answers with "
                         f"{kept.classes} classes")
    names += [str(i) for i in range(len(names), kept.classes)]
    return name, train, kept.prepared(x), y, names[: kept.classes]


def settings_of(args: Namespace):
    """Return the settings of words that args ask for, None for float32."""
    from nets.settings.settings import Settings

    given = {name: getattr(args, name) for name in ("arith", "delta", "guard", "accumulator")}
    given = {k: v for k, v in given.items() if v is not None}
    if given.get("arith", "float32") == "float32" and len(given) <= ("arith" in given):
        return None
    if "arith" not in given:
        raise ValueError(f"--{next(iter(given))} goes with --arith")
    return Settings(**settings_by_name({"val": 0, **given}))


def in_words(args: Namespace, kept: Imported, calibration: np.ndarray | None):
    """Return the network in the words that args ask for, and the reach of its tensors (None
    where they do not ask); None for float32."""
    from nets.graph.words.network import WordNetwork, reaches

    settings = settings_of(args)
    if args.formats:
        from nets.graph.words.choice import read_choice

        return read_choice(Path(args.formats)).network(
            kept.graph, thread_count(args.threads), args.backend), None
    if settings is None:
        if args.calibrate is not None:
            raise ValueError("--calibrate goes with --arith")
        return None, None
    reach = None
    if args.calibrate is not None:
        count = integer("calibrate", args.calibrate)
        if count < 1:
            raise ValueError(f"calibrate must be 1 or more, got {count}")
        if calibration is None:
            raise ValueError("there are no inputs to calibrate on: give --data or --dataset")
        reach = reaches(kept.graph, calibration[:count])
    network = WordNetwork.of(kept.graph, settings, thread_count(args.threads), args.backend, reach)
    return network, reach


def run_imported(args: Namespace) -> int:
    """Print the accuracy of the network in args.run_folder, in floats and in words."""
    from nets.graph.run import answers

    kept = opened(args)
    name, train, x, y, names = inputs_for(args, kept)
    calibration = x if train is None else kept.prepared(train[:10_000])
    network, reach = in_words(args, kept, calibration)
    floats = answers(kept.graph, x).reshape(len(x), -1)
    if not np.isfinite(floats).all():
        raise ValueError("the network gives no finite numbers for these inputs")
    scores = network.scores(x) if network else floats
    predicted = scores.argmax(axis=1)
    sha = hashlib.sha256((kept.folder / "model.npz").read_bytes()).hexdigest()
    head = {"run": str(kept.folder), "dataset": name, "epoch": None,
            "arith": str(args.formats or args.arith or "float32")}
    if network:
        right = floats.argmax(axis=1)
        head |= {"float_accuracy": float((right == y).mean()),
                 "differ_from_float": int((predicted != right).sum()),
                 "differing": differing(right, predicted, names),
                 "saturated": {k: v for k, v in network.saturated.items() if v},
                 "ranges": ranges(network, reach)}
    tell(args, head, _Labelled(name, y, kept.classes), predicted, None, sha, names, lines)
    return 0


@dataclass
class _Labelled:
    """What `tell` asks of a data set."""

    name: str
    test_labels: np.ndarray
    classes: int


def open_imported(args: Namespace):
    """Return the folder, its data set ("own"), the data's facts and what gives the scores of
    rows of pixels, as predict takes them."""
    from nets.graph.run import answers

    kept = opened(args)
    if kept.size is None:
        raise ValueError(f"{kept.folder} takes {kept.graph.shape} numbers, no images; give --data")
    network, _ = in_words(args, kept, None)
    shape = (*kept.size, 3) if kept.colours else kept.size

    def scores(pixels: np.ndarray) -> np.ndarray:
        x = kept.prepared(pixels.reshape(-1, *shape))
        return network.scores(x) if network else answers(kept.graph, x).reshape(len(x), -1)

    return kept.folder, "own", {"shape": shape, "classes": kept.classes}, scores
