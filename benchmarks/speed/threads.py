"""Two threads against one, the same words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.common.machine import cores, free_cores
from benchmarks.common.rows import Mark, Results
from benchmarks.common.timing import compare
from benchmarks.speed.row import add_rate
from benchmarks.speed.words import demand_equal

__all__ = ["rows"]

TWICE = Mark(">=", 1.7)
BATCH = 2048


def rows(results: Results, options) -> None:
    """Add a forward pass and a training step of a large batch.

    They are judged only while two cores are free, looked at before and after.
    """
    batch = 16 if options.tiny else BATCH
    free = free_cores()
    networks = [_network(threads) for threads in (1, 2)]
    for name, train, mark in (("forward", False, None), ("training step", True, TWICE)):
        passes = [_pass(network, batch, train) for network in networks]
        for run, _ in passes:
            run()
        demand_equal(name, *(words() for _, words in passes))
        pair = compare(passes[1][0], passes[0][0], options.rounds)
        free = min(free, free_cores())
        note = f"equal words; {cores()} cores, free {free}"
        if free < 2:
            mark, note = None, note + ": not judged"
        name = f"lns16 lut {name}, batch {batch}, 2 threads"
        add_rate(results, name, "1 thread", pair, batch, "images/s", mark, note)


def _network(threads: int):
    from nets.settings.settings import Settings
    from nets.train.trainer import build

    rng = np.random.default_rng(0)
    return build(Settings(batch=BATCH), (28, 28), 10, rng, threads)


def _pass(network, batch: int, train: bool) -> tuple[Callable, Callable]:
    """Return a pass over one batch, four fifths of its pixels black as in MNIST, and
    a function of the words it wrote: weights, or the logits if it does not train.
    """
    rng = np.random.default_rng(3)
    pixels = rng.integers(1, 256, (batch, 784)).astype(np.uint8)
    pixels[rng.random(pixels.shape) < 0.8] = 0
    labels = rng.integers(0, 10, batch)
    program, ar = network.program(batch, train), network.ar
    shown = network.parameters()["0.w"] if train else program.logits

    def run():
        ar.step += train
        program.run(pixels, labels)

    return run, lambda: ar.words(shown)
