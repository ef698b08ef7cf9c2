"""Bits that flip by chance in weights, activations and tables: what accuracy is left at a rate.

A bit of a stored word flips with the rate: of each weight once before a network is evaluated
(once a batch in training), of each word that a layer gives whenever it is computed, of each word
of a table once (`nets.experiments.studies.tables`). A zero of an LNS word whose sign flips stays
zero.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fxp.format import FormatError
from lnsarith.lns.format import Lns
from nets.arithmetic.tensor import Tensor
from nets.data.sets import Dataset
from nets.experiments.studies.flips import flip_bits
from nets.experiments.studies.tables import flip_tables
from nets.layers.dense import Layer
from nets.network.evaluation import evaluate
from nets.network.network import Network
from nets.network.probe import Watched
from nets.settings.settings import Settings
from nets.train.trainer import Trainer, build

__all__ = ["WHERE", "Flipping", "draw", "evaluated", "flip", "require_words", "trained"]

WHERE = ("weights", "activations", "tables")


def flip(words: np.ndarray, f, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return words of a format with each bit flipped with the rate."""
    found = flip_bits(words, f.bits, rate, rng)
    if isinstance(f, Lns):
        zero = found & ((1 << (f.bits - 1)) - 1) == f.zero
        found[zero] = f.zero
    found -= (found >> (f.bits - 1)) << f.bits
    return found.reshape(words.shape).astype(words.dtype)


class Flipping(Layer):
    """A layer whose outputs' bits flip with a rate."""

    def __init__(self, layer: Layer, rate: float, rng: np.random.Generator):
        self.layer, self.rate, self.rng = layer, rate, rng

    def parameters(self):
        return self.layer.parameters()

    def kept(self):
        return self.layer.kept()

    def weight_gradient(self, x, dy):
        return self.layer.weight_gradient(x, dy)

    def forward(self, ar, x):
        return self._flipped(ar, *self.layer.forward(ar, x))

    def forward_training(self, ar, x):
        return self._flipped(ar, *self.layer.forward_training(ar, x))

    def backward(self, ar, x, dy, wanted):
        return self.layer.backward(ar, x, dy, wanted)

    def _flipped(self, ar, y: Tensor, calls):
        return y, [*calls, lambda: flip_tensor(ar, y, self.rate, self.rng)]


def flip_tensor(ar, t: Tensor, rate: float, rng: np.random.Generator) -> None:
    """Flip bits of a tensor's words in place."""
    ar.set_words(t, flip(ar.words(t), ar.formats[t.role], rate, rng))


def require_words(settings: Settings) -> None:
    """Raise FormatError for a network of floats."""
    if settings.binary or settings.mode == "paper" or not settings.arith.startswith(
            ("lns", "fixed")):
        raise FormatError(f"faults are flips of bits in words of lns or fixed point, not of "
                          f"{settings.arith}" + " in mode paper" * (settings.mode == "paper"))


def evaluated(network: Network, settings: Settings, shape, images, labels, where: str,
              rate: float, seed: int) -> float:
    """Return the accuracy in 0..1 of a copy of a trained network on images, with bits flipped
    in its weights, activations or tables."""
    rng = np.random.default_rng([seed, WHERE.index(where)])
    copy = build(settings, shape, network.classes, np.random.default_rng(0), network.ar.threads)
    for name, t in copy.kept().items():
        copy.ar.set_words(t, network.ar.words(network.kept()[name]))
    if where == "activations":
        copy.layers = [Flipping(layer, rate, rng) for layer in copy.layers]
    elif where == "tables":
        flip_tables(copy.ar, rate, seed)
    else:
        for t in copy.parameters().values():
            flip_tensor(copy.ar, t, rate, rng)
    return evaluate(copy, images, labels).accuracy


def trained(settings: Settings, dataset: Dataset, where: str, rate: float, threads: int) -> float:
    """Return the test accuracy in 0..1 of a network trained with faults, evaluated with them
    too in its activations and tables."""
    trainer = Trainer(settings, dataset, threads)
    network = trainer.network
    rng = np.random.default_rng([settings.seed, WHERE.index(where)])
    if where == "activations":
        # Watched stays outermost, where the probe looks for it.
        network.layers = [Watched(Flipping(layer.layer, rate, rng)) for layer in network.layers
                          if isinstance(layer, Watched)]
    elif where == "tables":
        flip_tables(network.ar, rate, settings.seed)
    else:
        hold, tensors = network.hold, list(network.parameters().values())

        def faulty() -> None:
            for t in tensors:
                flip_tensor(network.ar, t, rate, rng)
            hold()

        network.hold = faulty  # type: ignore[method-assign]
    accuracy = 0.0
    while trainer.epoch < settings.epochs:
        accuracy = trainer.train_epoch().test_accuracy
    return accuracy


def draw(path: str | Path, rows: list[dict], title: str) -> None:
    """Draw accuracy against rate, a panel for each place; rows have name, where, rate, mean and
    deviation."""
    from lnsarith.host.picture import SERIES, picture

    places = [w for w in WHERE if any(r["where"] == w for r in rows)]
    names = list(dict.fromkeys(r["name"] for r in rows))
    with picture(path, title, (5.4 * len(places) + 0.6, 4.4)) as figure:
        panels = figure.subplots(1, len(places), squeeze=False, sharey=True)[0]
        for axes, where in zip(panels, places):
            for name, (ink, dash) in zip(names, SERIES * len(names)):
                own = [r for r in rows if r["where"] == where and r["name"] == name]
                hit = [r for r in own if r["rate"]]
                axes.errorbar([r["rate"] for r in hit], [100 * r["mean"] for r in hit],
                              yerr=[100 * (r["deviation"] or 0) for r in hit], color=ink,
                              ls=dash, marker="o", ms=4, capsize=3, lw=1.4, label=name)
                for r in own:
                    if not r["rate"]:
                        axes.axhline(100 * r["mean"], color=ink, ls=":", lw=1)
            axes.set_xscale("log")
            axes.set_xlabel(f"rate of flipped bits in {where}")
        panels[0].set_ylabel("test accuracy, %")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(names)))
