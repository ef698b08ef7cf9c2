"""Settings of binary networks: names, defaults, what is refused."""

import json
from fractions import Fraction

import pytest
from helpers.small_binary import settings

from fxp.format import FormatError
from nets.settings.suited import settings_for
from nets.train.run import Run, RunError


@pytest.mark.parametrize("given, message", [
    ({"binarize_input": "maybe"}, "binarize_input must be one of threshold, probability, none"),
    ({"loss": "other"}, "loss must be one of softmax, sigmoid, mse, hinge, got 'other'"),
    ({"threshold": 255}, "threshold must be 0..254"),
    ({"binarize_input": "none", "threshold": 3}, "only with binarize_input threshold"),
    ({"hidden": (0,)}, "hidden must be 1..65536"), ({"batch": 0}, "batch must be 1..65536"),
    ({"lr": "0"}, "lr must be above 0"), ({"dropout": "1"}, "dropout must be below 1"),
    ({"dropout_input": "1"}, "dropout_input must be below 1"),
    ({"activation": "relu"}, "activation must be sign with binary arithmetic, got relu"),
    ({"init": "he"}, "init = he has a meaning only with lns, fixed or float"),
    ({"model": "mini-cifar", "hidden": (100,)}, "mini-cifar averages its activations"),
    ({"model": "bnn", "arith": "lns16"}, "model bnn is mlp with arith binary; with arith lns16"),
    ({"lr_last": "1"}, "lr_last must not be above lr"),
    ({"schedule": "constant", "lr_last": "1e-3"}, "lr_last has a meaning only with schedule")],
    ids=str)
def test_settings_that_cannot_be(given, message):
    with pytest.raises(FormatError, match=message):
        settings(**given)


def test_what_is_of_binary_networks_is_refused_elsewhere():
    for given, message in (({"activation": "sign"}, "sign goes with binary arithmetic"),
                           ({"threshold": 3}, "threshold = 3 has a meaning only with binary"),
                           ({"binarize_input": "none"}, "binarize_input = none has a meaning")):
        with pytest.raises(FormatError, match=message):
            settings_for({"arith": "float32", **given})


def test_bnn_and_its_settings_are_names_for_the_shared_ones():
    old = settings_for({"model": "bnn", "loss": "log-softmax", "schedule": "exponential"})
    new = settings_for({"model": "mlp", "arith": "binary", "loss": "softmax", "hidden": (256,) * 3,
                        "schedule": "exponential", "lr_last": "1e-6"})
    assert old == new and old.last == Fraction("1e-6") / Fraction("0.03")
    assert settings_for({"model": "bnn", "loss": "squared-hinge"}).loss == "hinge"


def test_a_run_of_an_earlier_version_is_to_be_trained_anew(tmp_path):
    config = {"dataset": "digits", "model": "bnn", "hidden": [8], "binarize_input": "threshold",
              "loss": "log-softmax", "data": {}, "versions": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match="binary network of an earlier version: train it anew"):
        Run.open(tmp_path)
