"""The network that a lab runs: a folder of quantize, a run of train, or one trained here."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lnsarith.commands.common.which import binary_folder, integer_folder

if TYPE_CHECKING:
    from verilog.soc.network import LabNetwork

__all__ = ["Opened", "open_network"]

EPOCHS, UNITS = 4, 32  # of the network that is trained where none is given


@dataclass(frozen=True)
class Opened:
    """A network with the first test images, and what the engine says of them: scores, the
    words of the last layer, and classes. kind is int8 or the arithmetic's name."""

    folder: str
    dataset: str
    kind: str
    data: LabNetwork
    scores: list[list[int]]
    classes: list[int]

    @property
    def layers(self) -> list[str]:
        return [layer.name for layer in self.data.layers]

    @property
    def products(self) -> list[int]:
        return [layer.products for layer in self.data.layers]


def open_network(args: Namespace, count: int) -> Opened:
    """Return the network of args.run_folder on the first test images; without a folder one
    that is trained on digits in args.arith. RunError or FormatError for what cannot be."""
    from nets.network.model import RunError

    if args.run_folder is None:
        return _trained(args, count)
    if args.arith:
        raise ValueError("a run has an arithmetic of its own: leave out --arith")
    if binary_folder(args.run_folder):
        raise RunError(f"{args.run_folder} holds a network of bits, which no lab takes; "
                       "lnsarith rtl sim xnor-unit --run does")
    if integer_folder(args.run_folder):
        return _integers(args, count)
    return _words(args, count)


def _trained(args: Namespace, count: int) -> Opened:
    """Return a small network that is trained on digits, and quantised for int8."""
    from nets.data.sets import load
    from nets.network.evaluation import flat
    from nets.quantize.network import quantize
    from nets.settings.suited import settings_for
    from nets.train.trainer import Trainer

    arith = args.arith or ("lns12" if set(args.labs) == {"5"} else "int8")
    data = load("digits")
    settings = settings_for({"dataset": "digits", "hidden": (UNITS,), "epochs": EPOCHS,
                             "arith": "float32" if arith == "int8" else arith})
    trainer = Trainer(settings, data)
    for _ in range(EPOCHS):
        trainer.train_epoch()
    name = f"digits, {UNITS} hidden units, {EPOCHS} epochs"
    pixels = _images(flat(data.test_images), count)
    if arith == "int8":
        made = quantize(trainer.network, flat(data.train_images))
        return _opened_integers(name, "digits", made, pixels)
    return _opened_words(name, "digits", arith, trainer.network, pixels, data.test_labels)


def _integers(args: Namespace, count: int) -> Opened:
    from nets.data.sets import load
    from nets.network.evaluation import flat
    from nets.network.memh import require_about
    from nets.quantize.folder import read_integers

    folder = Path(args.run_folder)
    folder = folder.parent if folder.name == "manifest.json" else folder
    network, manifest = read_integers(folder)
    require_about(folder, manifest, {})
    pixels = _images(flat(load(manifest["dataset"], args.data_dir).test_images), count)
    return _opened_integers(str(folder), manifest["dataset"], network, pixels)


def _opened_integers(name: str, dataset: str, network, pixels: np.ndarray) -> Opened:
    from lnsarith.commands.lab.integers import integer_network

    return Opened(name, dataset, "int8", integer_network(network, pixels),
                  network.scores(pixels).tolist(), network.predict(pixels).tolist())


def _words(args: Namespace, count: int) -> Opened:
    from lnsarith.commands.networks.eval.model import open_model
    from nets.data.sets import load
    from nets.network.evaluation import flat

    kept, network, _ = open_model(Namespace(run_folder=args.run_folder, threads="1",
                                            backend="vector"))
    data = load(kept.settings.dataset, args.data_dir)
    pixels = _images(flat(data.test_images), count)
    return _opened_words(str(kept.folder), kept.settings.dataset, kept.settings.arith, network,
                         pixels, data.test_labels)


def _opened_words(name: str, dataset: str, arith: str, network, pixels: np.ndarray,
                  labels: np.ndarray) -> Opened:
    from lnsarith.commands.lab.words import word_network
    from nets.network.evaluation import evaluate

    made, scores = word_network(network, pixels)
    classes = evaluate(network, pixels, labels[: len(pixels)]).predicted
    return Opened(name, dataset, arith, made, scores.tolist(), classes.tolist())


def _images(images: np.ndarray, count: int) -> np.ndarray:
    if count > len(images):
        raise ValueError(f"images must be 1..{len(images)}, got {count}")
    return images[:count]
