"""Dropout: which numbers are left out, and that only training knows of it."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.small_convolutions import assert_same

from nets.arithmetic.choose import make_arithmetic
from nets.layers.dense import LeakyReLU
from nets.layers.dropout import Dropout
from nets.network.network import mlp
from nets.settings.settings import Settings

ARITHMETICS = [{}, {"arith": "lns12"}, {"arith": "fixed16"}, {"arith": "float32"}]


def layer(options, share, backend="vector", columns=640):
    ar = make_arithmetic(Settings(**options), 1, backend)
    x = ar.empty(50, columns, "activations")
    ar.encode(x)(np.full((50, columns), 255, np.uint8))
    return ar, Dropout(share, 3), x


def run(ar, calls):
    for call in calls:
        call()


@pytest.mark.parametrize("options", ARITHMETICS, ids=str)
def test_a_share_is_left_out_and_the_rest_makes_up_for_it(options):
    ar, dropout, x = layer(options, Fraction(3, 8))
    y, calls = dropout.forward_training(ar, x)
    dx, back = dropout.backward(ar, x, y, True)
    masks = []
    for ar.step in (1, 2):
        run(ar, calls + back)
        found = ar.reals(y)
        assert set(np.round(np.unique(found), 1)) == {0.0, 1.6}
        masks.append(found != 0)
        assert masks[-1].mean() == pytest.approx(5 / 8, abs=0.01)
        np.testing.assert_array_equal(ar.reals(dx) != 0, found != 0)
    assert (masks[0] == masks[1]).mean() == pytest.approx(1 - 2 * 15 / 64, abs=0.02)
    assert abs(np.corrcoef(masks[0].ravel()[:-1], masks[0].ravel()[1:])[0, 1]) < 0.02


def test_evaluation_leaves_nothing_out():
    for options in ARITHMETICS:
        ar, dropout, x = layer(options, Fraction(1, 2))
        assert dropout.forward(ar, x) == (x, [])


@pytest.mark.parametrize("options", ARITHMETICS, ids=str)
def test_compiled_steps_write_the_words_of_numpy_integers(options):
    words = []
    for backend in ("vector", "numpy"):
        ar = make_arithmetic(Settings(**options), 1, backend)
        net = mlp(ar, np.random.default_rng(3), 30, (40, 20), 5, 0.3,
                  lambda: [LeakyReLU(), Dropout(Fraction(1, 4), 1)])
        program = net.program(7, True)
        for ar.step in range(3):
            rng = np.random.default_rng(ar.step)
            program.run(rng.integers(0, 256, (7, 30)).astype(np.uint8), rng.integers(0, 5, 7))
        words.append([ar.words(t).copy() for t in [*program.values, *net.parameters().values()]])
    assert_same(*words)
