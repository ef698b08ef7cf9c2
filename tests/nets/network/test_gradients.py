"""Whole networks in float64 against finite differences of a loss written anew."""

from fractions import Fraction

import numpy as np
import pytest
from helpers import small_convolutions as small

from nets.arithmetic.choose import make_arithmetic
from nets.layers.activations import PReLU, Smooth
from nets.layers.dense import LeakyReLU, ReLU
from nets.network.models import Builder
from nets.network.network import Network
from nets.settings.settings import Settings

ROWS, STEP = 6, 1e-5


def normed(b):
    b.conv(4, 3, 2, "same").norm().active().average_pool(2)
    return b.conv(5, 2, padding="same").max_pool(2).norm().active()


def units(b):
    return b.flat().dense(9).norm().active().dense(8).active()


def plain(b):
    return b.conv(3, 3).max_pool(2).active().flat().dense(7).active()


def branched(b):
    """Two branches and a way around both; what came in goes three ways."""
    entry = b.conv(4, 3, padding="same").norm().active().here
    b.conv(4, 3, padding="same").norm().active()
    one = b.conv(5, 3, 2, "same").here
    two = b.branch(entry).conv(5, 1, 2).here
    b.branch(one).join(two).active(False).conv(5, 3, padding="same")
    b.join(two).norm()
    return b.max_pool(2) if b.shape[0] != b.shape[1] else b.global_average()


ACTIVATIONS = {
    "relu": lambda ar: ReLU(), "leaky": lambda ar: LeakyReLU(), "prelu": PReLU,
    **{name: (lambda ar, name=name: Smooth(name)) for name in ("sigmoid", "tanh", "mish", "gelu")},
}
LOSSES = {
    "softmax": lambda z, t: np.log(np.exp(z).sum(axis=1)).sum() - z[t].sum(),
    "sigmoid": lambda z, t: -np.log(1 / (1 + np.exp(-np.where(t, z, -z)))).sum(),
    "mse": lambda z, t: ((z - t) ** 2).sum() / 2,
    "hinge": lambda z, t: (np.maximum(0, 1 - np.where(t, z, -z)) ** 2).sum(),
}


def network(make, activation, loss, dropout):
    settings = Settings(arith="float64", lr="1", weight_decay="0", loss=loss)
    ar = make_arithmetic(settings)
    ar.step = 7  # stays: so does the mask of dropout
    b = Builder(ar, np.random.default_rng(3), small.SHAPE, lambda n, _: (1.5 / n) ** 0.5,
                lambda: ACTIVATIONS[activation](ar), Fraction(dropout))
    layers = make(b).flat().dense(10).layers
    return Network(ar, layers, int(np.prod(small.SHAPE)), 10, b.sources)


def learned(net):
    """Return the logits of a batch in training and the step of every parameter, undone."""
    before = {k: net.ar.words(t).copy() for k, t in net.kept().items()}
    pixels, labels = small.batch(ROWS)
    program = net.program(ROWS, True)
    program.run(pixels, labels)
    z = net.ar.reals(program.logits).copy()
    moves = {k: before[k] - net.ar.words(t) for k, t in net.parameters().items()}
    for k, t in net.kept().items():
        net.ar.set_words(t, before[k])
    return z, moves


CASES = [
    *((normed, name, "softmax", "0") for name in ACTIVATIONS),
    *((branched, name, "softmax", "0") for name in ("relu", "gelu")),
    *((plain, "tanh", loss, "0") for loss in LOSSES),
    *((make, name, "softmax", "0.3") for make in (plain, units) for name in ("relu", "gelu")),
]


@pytest.mark.parametrize(("make", "activation", "loss", "dropout"), CASES)
def test_the_step_of_each_parameter_is_the_slope_of_the_loss(make, activation, loss, dropout):
    net = network(make, activation, loss, dropout)
    hot = np.arange(10) == small.batch(ROWS)[1][:, None]
    _, moves = learned(net)
    rng = np.random.default_rng(0)
    for name, t in net.parameters().items():
        words = net.ar.words(t)
        for place in rng.integers(0, words.size, 4):
            index = np.unravel_index(place, words.shape)
            own, values = words[index], []
            for sign in (1, -1):
                words[index] = own + sign * STEP
                values.append(LOSSES[loss](learned(net)[0], hot))
            words[index] = own
            slope = (values[0] - values[1]) / (2 * STEP * ROWS)
            assert moves[name][index] == pytest.approx(slope, abs=2e-7), (name, index)
    assert any(abs(m).max() > 1e-3 for m in moves.values())
