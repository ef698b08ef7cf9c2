"""Inference of a binary network by popcounts against NumPy's float32 products."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.rows import Mark, Results, say
from benchmarks.speed.row import add_rate
from benchmarks.timing import compare

__all__ = ["rows"]

HIDDEN = {"3x256": ((256,) * 3, None), "3x1024": ((1024,) * 3, Mark(">=", 10))}
BLOCK = 1000  # images in a product; larger and smaller ones are no faster


def rows(results: Results, options) -> None:
    """Add a row for each network, from pixels to classes, the same ones demanded first."""
    from nets.data import load

    images = load(options.dataset, options.data_dir).test_images
    images = images.reshape(len(images), -1)[:200 if options.tiny else None]
    for name, (hidden, mark) in HIDDEN.items():
        network, packed = _network(hidden, images)
        floats = Floats(network)
        wanted = network.logits(images).argmax(axis=1)
        ours, theirs = partial(packed.predict, images), partial(floats.predict, images)
        for found in (ours(), theirs()):
            if not np.array_equal(found, wanted):
                raise AssertionError(f"{name}: the classes differ")
        pair = compare(ours, theirs, options.rounds)
        note = f"equal classes of {len(images):,} images; one thread"
        say(f"  {note}")
        add_rate(results, f"binary network {name}, pixels to classes", "numpy float32", pair,
                 len(images), "images/s", None if options.tiny else mark, note)


class Floats:
    """The network in float32: products, folded thresholds, signs."""

    def __init__(self, network):
        from nets.binary.layers import EPSILON

        self.layers = []
        for layer in network.hidden:
            deviation = np.sqrt(layer.variance + EPSILON)
            limit = layer.mean - layer.beta * deviation / layer.gamma
            turn = np.sign(layer.gamma)
            self.layers.append((layer.sign * turn, (limit * turn).astype(np.float32)))
        self.head = network.head.sign, network.head.bias / network.head.scale

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the class of each image."""
        one, classes = np.float32(1), []
        for low in range(0, len(images), BLOCK):
            x = np.where(images[low:low + BLOCK] > 127, one, -one)
            for weights, limit in self.layers:
                x = np.where(x @ weights >= limit, one, -one)
            classes.append((x @ self.head[0] + self.head[1]).argmax(axis=1))
        return np.concatenate(classes)


def _network(hidden: tuple[int, ...], images: np.ndarray):
    """Return a network that saw a few batches, for the sake of its norms, and its bits."""
    from nets.binary.fold import fold
    from nets.binary.network import BinaryNetwork
    from nets.binary.settings import BinarySettings

    rng = np.random.default_rng(0)
    network = BinaryNetwork(BinarySettings(hidden=hidden), images.shape[1], 10, rng)
    for low in range(0, min(2000, len(images)), 100):
        batch = images[low:low + 100]
        network.train(batch, rng.integers(0, 10, len(batch)), 0.001, rng)
    return network, fold(network)
