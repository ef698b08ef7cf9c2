"""Inference of a binary network by popcounts against NumPy's float32 products."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.common.rows import Mark, Results, say
from benchmarks.common.timing import compare
from benchmarks.speed.row import add_rate

__all__ = ["rows"]

HIDDEN = {"3x256": ((256,) * 3, None), "3x1024": ((1024,) * 3, Mark(">=", 10))}
BLOCK = 1000  # images in a product; larger and smaller ones are no faster


def rows(results: Results, options) -> None:
    """Add a row for each network, from pixels to classes, the same ones demanded first."""
    from nets.data.sets import load
    from nets.network.evaluation import evaluate

    images = load(options.dataset, options.data_dir).test_images
    images = images.reshape(len(images), -1)[:200 if options.tiny else None]
    for name, (hidden, mark) in HIDDEN.items():
        network, packed = _network(hidden, images)
        floats = Floats(network)
        wanted = evaluate(network, images, np.zeros(len(images), np.int64)).predicted
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
        from nets.binary.fold import stages

        *hidden, head = stages(network)
        self.layers = []
        for stage in hidden:
            mean, root, gamma, beta = stage.norm.constants()
            turn = np.sign(gamma)
            limit = (mean - beta / root / gamma) * turn
            weights = np.where(stage.product.positive, turn, -turn)
            self.layers.append((weights.astype(np.float32), limit.astype(np.float32)))
        _, root, _, bias = head.norm.constants()
        self.head = (np.where(head.product.positive, np.float32(1), np.float32(-1)),
                     (bias / root).astype(np.float32))

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
    from nets.settings.suited import settings_for
    from nets.train.trainer import build

    rng = np.random.default_rng(0)
    settings = settings_for({"model": "bnn", "hidden": hidden, "lr": "0.001"})
    network = build(settings, (1, images.shape[1]), 10, rng)
    program = network.program(100, True)
    for low in range(0, min(2000, len(images)) - 99, 100):
        network.ar.step += 1
        program.run(images[low:low + 100], rng.integers(0, 10, 100))
    return network, fold(network)
