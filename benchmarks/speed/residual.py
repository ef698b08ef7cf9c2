"""Batches of resnet8 in training against PyTorch's float32, in turn."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.common.rows import Mark, Results
from benchmarks.common.timing import alternate
from benchmarks.speed.row import add_time, peer

__all__ = ["rows"]

SHAPE, CLASSES = (32, 32, 3), 10
BATCHES = 10  # a turn
ARITHS = ("float32", "fixed16", "lns16")
MARK = Mark("<=", 1.3)


def rows(results: Results, options) -> None:
    """Add a row for each arithmetic: the recipe of the model, random images of CIFAR-10's size."""
    for arith in ARITHS:
        peer(results, "torch", batches, arith, options)


def batches(torch, results: Results, arith: str, options) -> None:
    """Add the row of one arithmetic; both train on from turn to turn."""
    from nets.settings.suited import settings_for
    from nets.train.trainer import build

    settings = settings_for({"dataset": "cifar-10", "model": "resnet8", "arith": arith})
    rng, size = np.random.default_rng(0), 4 if options.tiny else settings.batch
    pixels = rng.integers(0, 256, (BATCHES, size, int(np.prod(SHAPE)))).astype(np.uint8)
    labels = rng.integers(0, CLASSES, (BATCHES, size))
    network = build(settings, SHAPE, CLASSES, rng)
    program = network.program(size, True)
    theirs = torch.Residual(pixels, labels, SHAPE)

    def ours() -> float:
        begin = time.perf_counter()
        for x, y in zip(pixels, labels):
            network.ar.step += 1
            program.run(x, y)
        return time.perf_counter() - begin

    program.run(pixels[0], labels[0])
    theirs.batches()
    pair = alternate(ours, theirs.batches, options.rounds)
    what = "" if options.tiny else f", {50_000 / size / BATCHES * pair.ours:.0f} s an epoch"
    add_time(results, f"resnet8, {BATCHES} batches of {size}, {arith}", "torch float32", pair,
             MARK, f"momentum and batch norm, channels last there{what}")
