"""The layers of a run by number, name and shape; the activation and norm in its summary."""

import json

import numpy as np
import pytest
from helpers.front_door import DIGITS, assert_one_line
from helpers.small_convolutions import SHAPE

from lnsarith.cli import main
from nets.arithmetic.choose import make_arithmetic
from nets.layers.dense import ReLU
from nets.network.models import Builder, kinds_of
from nets.network.network import Network
from nets.network.spindle_inputs import layer_names, layer_shapes
from nets.settings.settings import Settings


@pytest.mark.parametrize("arith", ["float32", "minselect16"])
def test_every_layer_has_its_name_and_the_shape_of_its_output(arith):
    settings = Settings(dataset="digits", arith=arith)
    ar = make_arithmetic(settings)
    b = Builder(ar, np.random.default_rng(3), SHAPE, lambda n, _: 0.1, ReLU,
                kinds=kinds_of(settings))
    b.conv(5, 3, padding="same").max_pool(2).active().conv(7, 3).flat().dense(10)
    network = Network(ar, b.layers, int(np.prod(SHAPE)), 10)
    found = list(zip(layer_names(network), layer_shapes(network)))
    assert found == [("conv1", (9, 8, 5)), ("pool1", (4, 4, 5)), ("activation1", (4, 4, 5)),
                     ("conv2", (2, 2, 7)), ("dense1", (10,))]


def test_the_summary_and_eval_tell_activation_norm_and_layers(tmp_path, capsys):
    run = [*DIGITS, "--arith", "float64", "--hidden", "6", "--epochs", "1", "--threads", "1"]
    assert main([*run, "--out", str(tmp_path / "usual")]) == 0
    assert capsys.readouterr().out.startswith("digits, float64, hidden 6, batch 5, lr")
    given = ["--activation", "mish", "--norm", "batch"]
    assert main([*run, *given, "--out", str(tmp_path / "r")]) == 0
    assert capsys.readouterr().out.startswith(
        "digits, float64, hidden 6, mish, batch norm, batch 5, lr")
    assert main(["eval", str(tmp_path / "r"), "--layers"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["0", "dense1", "6"], ["1", "norm1", "6"], ["2", "activation1", "6"],
        ["3", "dense2", "10"]]
    assert main(["eval", str(tmp_path / "r"), "--layers", "--json"]) == 0
    layers = json.loads(capsys.readouterr().out)["layers"]
    assert layers[3] == {"number": 3, "name": "dense2", "shape": [10]}
    assert main(["eval", str(tmp_path), "--layers"]) == 2
    assert_one_line(capsys.readouterr().err, "holds no run")
