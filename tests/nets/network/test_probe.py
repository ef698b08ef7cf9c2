"""The probe: what it counts on a batch, and what it warns of."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import small_convolutions as convolutions
from helpers.small_digits import settings, small

from nets.data.sets import load
from nets.network.probe import Findings, dead_units
from nets.network.probe_warnings import troubles
from nets.settings.settings import Settings
from nets.train.trainer import Record, Trainer


def counted(given, prepare):
    """Return the record of one epoch over one batch that moves no weight."""
    s = settings(hidden=(8,), val=42, lr="2^-60", weight_decay="0", **given)
    trainer = Trainer(s, small())
    prepare(trainer.network)
    return trainer.train_epoch(), trainer


@pytest.mark.parametrize("arith", ["lns12", "fixed12"])
def test_saturations_and_underflows_are_counted_over_the_last_batch(arith):
    def prepare(network):
        f, w = network.ar.formats["weights"], network.parameters()["0.w"]
        values = network.ar.words(w).copy()
        if arith == "lns12":
            zero, high, low = f.zero, f.high_log, f.high_log + f.words[0]
        else:
            zero, high, low = 0, f.high, f.low
        values[values == zero] += 1
        values[0, :5], values[1, :3], values[1, 3:5] = zero, high, low
        network.ar.set_words(w, values)

    def count(trainer, judge):
        ar, program = trainer.network.ar, trainer.network.program(5, True)
        hidden = (
            trainer.network.layers[0].bound[5][1],
            trainer.network.layers[1].bound[5][1],
        )
        tensors = [
            *trainer.network.parameters().values(),
            *program.values[1:],
            program.gradient,
            *hidden,
        ]
        return sum(int(judge(ar.reals(t), ar.formats[t.role]).sum()) for t in tensors)

    def is_end(values, f):
        top = f.max if arith == "lns12" else f.high * f.eps
        return np.abs(values) >= top

    # Pixels of the first two rows are zero in all images, so that nothing else moves.
    record, trainer = counted({"arith": arith}, prepare)
    assert record.saturations == count(trainer, is_end) >= 5
    assert record.underflows == count(trainer, lambda v, f: v == 0) >= 5


def test_updates_that_change_no_word_are_dead():
    record, _ = counted({"arith": "lns16"}, lambda network: None)
    assert record.dead_updates == 1
    alive = Trainer(settings(arith="float32"), load("digits")).train_epoch()
    assert alive.dead_updates < 0.05


DEEP = (32,) * 6
RUINS = [
    ("logits", "a smaller lr", {"arith": "lns16", "lr": "8"}, 1),
    ("logits", "update=stochastic", {"arith": "fixed12", "update": "nearest"}, 6),
    ("logits", "more fraction bits", {"arith": "fixed12", "gradients": "fixed12.5"}, 6),
    ("updates", "update=stochastic", {"arith": "lns8"}, 2),
    ("updates", "update=stochastic", {"arith": "lns16", "lr": "2^-16"}, 1),
    (
        "gradients",
        "are zero",
        {"arith": "fixed12", "gradients": "fixed12.6", "batch": 50},
        1,
    ),
    ("activations", "init_std", {"arith": "lns16", "init_std": "2^-60"}, 1),
    ("chance", "lr", {"arith": "lns16", "lr": "2^-20", "update": "stochastic"}, 1),
    ("vanishing", "norm=batch or activation=relu with init=he would",
     {"arith": "float32", "activation": "sigmoid", "hidden": DEEP}, 1),
    ("vanishing", "norm=batch", {"arith": "lns16", "activation": "relu", "hidden": DEEP,
                                 "init_std": "0.02"}, 1),
    ("exploding", "clip_norm", {"arith": "float32", "activation": "relu", "hidden": DEEP,
                                "init_std": "1", "lr": "2^-20"}, 1),
    ("exploding", "or clip would", {"arith": "fixed32.16", "activation": "relu", "hidden": DEEP,
                                    "init_std": "1", "lr": "2^-20"}, 1),
    ("units", "activation=leaky", {"arith": "lns16", "activation": "relu", "lr": "4"}, 1),
]


@pytest.mark.parametrize(("kind", "cure", "given", "epochs"), RUINS)
def test_a_ruined_run_is_told_with_its_cure(kind, cure, given, epochs):
    trainer = Trainer(settings(**given), load("digits"))
    for _ in range(epochs):
        record = trainer.train_epoch()
    told = [w for w in record.warnings if w.startswith(kind + ": ")]
    assert told and cure in " ".join(told), record.warnings
    assert record.test_accuracy < 0.8


SOUND = Record(1, 0.3, 0.95, 0.95, 0.95, 1.0, 1.0, 0, 0, 0.5, 1.0, 0.0)
CALM = Findings(0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, True)
SIGNS = [
    ({"softmax_saturated": 0.2}, {}, {"softmax_bits": 2}, "a larger softmax_bits"),
    (
        {"softmax_saturated": 0.2},
        {},
        {},
        "a smaller lr would cure it (now 2^-6), or more",
    ),
    (
        {"softmax_saturated": 0.2},
        {"gradients_at_limit": 0.5},
        {},
        "what cures the gradie",
    ),
    ({}, {"gradients_at_limit": 0.5}, {"arith": "fixed12"}, "more integer bits"),
    ({}, {"weights_at_limit": 0.1}, {}, "weights: 10.0% have the largest magnitude"),
    ({}, {"finite": False}, {"arith": "float32"}, "loss: it is not a finite number"),
    ({"test_accuracy": 0.1}, {}, {}, "chance: the test accuracy is 10.0%"),
    ({"train_accuracy": 0.3}, {"gradient_norms": {"0.w": 1e-3, "2.w": 0.5}}, {},
     "vanishing: the gradient of the first layer has 0.002 of the norm"),
    ({"train_accuracy": 0.3}, {"gradient_norms": {"0.w": 3.0, "2.w": 2e-2}}, {},
     "exploding: the gradients of layers have norms up to 3, that of the last one 0.02"),
    ({"dead_units": 0.6}, {}, {}, "units: 60.0% of the ReLU units"),
]


@pytest.mark.parametrize(("seen", "found", "given", "words"), SIGNS)
def test_each_sign_of_ruin_has_its_words(seen, found, given, words):
    record, findings = replace(SOUND, **seen), replace(CALM, **found)
    assert words in " ".join(troubles(Settings(**given), 10, record, findings))
    assert troubles(Settings(**given), 10, SOUND, CALM) == []


@pytest.mark.parametrize("arith", ["lns16", "lns12", "fixed16", "fixed12", "float32"])
def test_a_sound_run_is_not_complained_of(arith):
    trainer = Trainer(settings(arith=arith), load("digits"))
    assert [trainer.train_epoch().warnings for _ in range(6)] == [[]] * 6


def test_a_diverged_float_run_has_no_loss():
    trainer = Trainer(settings(arith="float32", val=10), small())
    bias = trainer.network.parameters()["2.b"]
    trainer.network.ar.set_words(bias, np.full((1, 10), np.nan, np.float32))
    record = trainer.train_epoch()
    assert record.loss is None and record.warnings[0].startswith("loss: ")


@pytest.mark.parametrize("given", [
    {"arith": "lns16", "hidden": (7, 5)}, {"arith": "fixed16", "hidden": (7, 5)},
    {"arith": "float32", "hidden": (7, 5), "norm": "batch"}, {"arith": "float64", "loss": "mse"},
], ids=str)
def test_norms_of_gradients_are_those_of_the_words_before_and_behind_a_layer(given):
    trainer = Trainer(settings(val=42, activation="relu", **given), small())
    record, ar = trainer.train_epoch(), trainer.network.ar
    expected = {}
    for i, layer in enumerate(trainer.network.layers):
        if "w" in layer.parameters():
            x, dy = (ar.reals(t).tolist() for t in layer.bound[5])
            cells = [sum(a[j] * b[k] for a, b in zip(x, dy))
                     for j in range(len(x[0])) for k in range(len(dy[0]))]
            expected[f"{i}.w"] = sum(c * c for c in cells) ** 0.5
    assert record.gradient_norms == pytest.approx(expected)
    first, last = list(expected)[0], list(expected)[-1]
    assert record.gradient_ratio == pytest.approx(expected[first] / expected[last])


@pytest.mark.parametrize("arith", ["lns16", "fixed16", "float32"])
def test_units_that_give_zero_for_all_images_are_dead(arith):
    def prepare(network):
        ar, bias = network.ar, network.parameters()["0.b"]
        ar.fill(bias, -8)
        words = ar.words(bias).copy()
        ar.fill(bias, 8)
        words[0, 3:] = ar.words(bias)[0, 3:]
        ar.set_words(bias, words)

    record, _ = counted({"arith": arith, "activation": "relu"}, prepare)
    assert record.dead_units == 3 / 8
    assert counted({"arith": arith}, prepare)[0].dead_units is None


def test_a_unit_of_a_convolution_is_a_channel():
    net = convolutions.network({"arith": "float32"})
    net.ar.fill(net.parameters()["0.b"], -50)
    values = net.ar.words(net.parameters()["0.b"]).copy()
    values[0, 1] = 0
    net.ar.set_words(net.parameters()["0.b"], values)
    net.program(6, False).run(*convolutions.batch())
    silent = (net.ar.reals(net.program(6, False).values[5]).reshape(-1, 7) == 0).all(axis=0).sum()
    assert dead_units(net, 6) == (4 + silent) / (5 + 7)
