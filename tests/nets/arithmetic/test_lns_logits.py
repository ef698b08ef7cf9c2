"""LNS logits in a format of their own, and registers with more integer bits."""

import numpy as np
import pytest

from fxp.format import FormatError
from nets.arithmetic.choose import make_arithmetic
from nets.network.network import mlp
from nets.settings.settings import Settings
from nets.settings.suited import settings_for

GIVEN = {"dataset": "digits", "arith": "lns8.3", "logits": "lns14.6", "delta": "exact",
         "guard": 4, "update": "stochastic"}


def bound(backend="vector", **more):
    """Return a network without hidden units and its program for four images."""
    ar = make_arithmetic(Settings(**{**GIVEN, "batch": 4, "hidden": (), **more}), 1, backend)
    network = mlp(ar, np.random.default_rng(3), 20, (), 26, 0.5)
    return network, network.program(4, True)


def logits(w_log, **more):
    """Return the logits for an input of 2**-6 at one weight of 2**w_log, and zeros."""
    network, program = bound(input_scale="2^-6", **more)
    ar, own = network.ar, network.layers[0].parameters()
    words = np.full_like(ar.words(own["w"]), 1 << 6)  # zero
    words[0] = (w_log << 3) & 127
    ar.set_words(own["w"], words)
    ar.set_words(own["b"], words[1:2])
    pixels = np.zeros((4, 20), np.uint8)
    pixels[:, 0] = 255
    program.run(pixels, np.array([0, 25, 7, 7]))
    return set(ar.reals(program.logits).ravel().tolist())


def test_a_logit_is_the_register_in_its_own_format():
    assert logits(3) == {2.0 ** -3}
    assert logits(-2) == {2.0 ** -8 * 0}  # the lowest log is zero's, in the register as in words
    assert logits(-6, register_bits=1) == {2.0 ** -12}
    assert logits(-6, register_bits=1, logits="") == {0.0}


def test_logits_are_finer_than_activations():
    median = {}
    for form in ("lns14.6", ""):
        network, program = bound(logits=form)
        ar, own = network.ar, network.layers[0].parameters()
        w, b = (ar.reals(own[k]).copy() for k in ("w", "b"))
        program.run(np.random.default_rng(0).integers(0, 256, (4, 20)).astype(np.uint8),
                    np.array([0, 25, 7, 7]))
        x = ar.reals(program.x)
        exact = x @ w + b
        # 21 roundings of a register with seven bits behind the point, and one of the result
        share = 2 ** (0.5 * (21 / 128 + (1 / 64 if form else 1 / 8))) - 1
        error = np.abs(ar.reals(program.logits) - exact) / (np.abs(x) @ np.abs(w) + np.abs(b))
        assert error.max() < share
        median[form] = np.median(error)
    assert 3 * median["lns14.6"] < median[""]


def test_a_register_of_more_octaves_keeps_small_steps():
    moved = {}
    for bits in (0, 3):
        network, _ = bound(register_bits=bits, weight_decay="0", update_guard=10)
        ar, w = network.ar, network.layers[0].parameters()["w"]
        words = np.full_like(ar.words(w), (-6 << 3) & 127)
        ar.set_words(w, words)
        x, dy = ar.empty(1, 20, "activations"), ar.empty(1, 26, "gradients")
        ar.set_words(x, np.full_like(ar.words(x), 0))
        ar.set_words(dy, np.full_like(ar.words(dy), (-7 << 3) & 127))
        ar.step = 1
        ar.descend(w, x, dy)()  # a step of 2**-13, of which 9 % come through
        moved[bits] = (ar.words(w) != words).mean()
    assert moved[0] == 0
    assert 0.05 < moved[3] < 0.14


def test_backends_agree_on_the_step():
    seen = []
    for backend in ("vector", "numpy"):
        network, program = bound(backend, register_bits=2, loss_scale=6)
        for seed in (0, 1):
            images = np.random.default_rng(seed).integers(0, 256, (4, 20)).astype(np.uint8)
            program.run(images, np.array([0, 25, 7, 7]))
        seen.append([network.ar.words(t).tolist() for t in network.parameters().values()])
    assert seen[0] == seen[1]


def test_what_means_nothing_is_refused():
    for given in ({"arith": "lns12", "logits": "fixed16.7"},
                  {"arith": "float32", "logits": "lns16"},
                  {"arith": "fixed12", "register_bits": 2}):
        with pytest.raises(FormatError):
            settings_for({"dataset": "digits", **given})
