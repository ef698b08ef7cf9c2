"""Activations fitted to a trained network's own samples, from the command line."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers.front_door import assert_one_line

from fxp.operators.spindle import Spindle
from lnsarith.cli import main
from nets.data.sets import load

IMAGES = 300


def fit(*arguments):
    return main(["spindle", "fit", *map(str, arguments)])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with a run d of two hidden layers, and one of convolutions."""
    folder = tmp_path_factory.mktemp("runs")
    common = "train --dataset digits --no-plot --arith float32 --epochs 3".split()
    assert main([*common, *"--hidden 30,20 --activation sigmoid --init xavier --lr 0.5".split(),
                 "--out", str(folder / "d")]) == 0
    assert main([*common, "--model", "mini-cifar", "--out", str(folder / "c")]) == 0
    return folder


@pytest.fixture
def here(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return run


def inputs_anew(folder, layer):
    """Return what flows into the first or second activation of d, from its weights."""
    model = np.load(folder / "d/model.npz")
    images = load("digits").train_images
    order = np.random.default_rng(0).permutation(len(images))[:IMAGES]
    x = images[order].reshape(IMAGES, -1).astype(np.float64) / 255
    z = x @ model["0.w"] + model["0.b"]
    return z if layer == 1 else (1 / (1 + np.exp(-z))) @ model["2.w"] + model["2.b"]


@pytest.mark.parametrize("names, layer", [(("0", "dense1", "1", "activation1"), 1),
                                          (("2", "dense2", "3"), 3)])
def test_the_samples_are_the_inputs_of_the_activation(here, capsys, names, layer):
    found = []
    for name in names:
        assert fit("--function", f"{here}/d:{name}", "--images", IMAGES, "--kernels", 2,
                   "--json") == 0
        found.append(json.loads(capsys.readouterr().out))
    assert all(one == found[0] for one in found)
    z = np.sort(inputs_anew(here, layer).ravel())
    test = found[0]["normality"]
    assert test["samples"] == z.size == IMAGES * (30 if layer == 1 else 20)
    assert (test["mean"], test["deviation"]) == pytest.approx((z.mean(), z.std(ddof=1)), rel=1e-4)
    ranks = (np.arange(z.size) + 0.5) / z.size
    total = sum(a / (1 + np.exp(c - b * z)) for a, b, c in found[0]["kernels"])
    assert found[0]["error"] < 0.05
    assert np.abs(total - ranks).max() == pytest.approx(found[0]["error"], rel=0.05)
    assert found[0]["function"] == f"d activation{(layer + 1) // 2}, {IMAGES} images"


def test_units_of_a_layer_are_drawn_written_and_trained_with(here, capsys, tmp_path):
    assert fit("--function", f"{here}/d:0", "--images", IMAGES, "--step", "2^-6", "--out", "u.json",
               "--plot", "u.png") == 0
    out = capsys.readouterr().out
    assert "9,000 samples" in out and "Lilliefors" in out
    assert (tmp_path / "u.png").read_bytes().startswith(b"\x89PNG")
    written = json.loads((tmp_path / "u.json").read_text())
    z = np.sort(inputs_anew(here, 1).ravel())
    y = np.full(z.size, 0.0)
    for part in written["units"].split(","):
        if part.startswith("offset="):
            y += float(Fraction(part[7:]))
            continue
        knee, gain = part.split(":")
        y += float(gain[0] + "1") * 2.0 ** int(gain[3:]) * np.maximum(z - float(Fraction(knee)), 0)
    assert np.abs(y - (np.arange(z.size) + 0.5) / z.size).max() <= 0.0101
    assert main("train --dataset digits --no-plot --arith fixed16 --activation spindle:u.json "
                "--epochs 10 --out f --json".split()) == 0
    assert json.loads(capsys.readouterr().out)["test_accuracy"] > 0.8
    assert fit("--function", "f:0", "--kernels", "2") == 0  # of words, many equal
    assert "f activation1, 1000 images from" in capsys.readouterr().out


def test_kernels_become_units(here, capsys, tmp_path):
    assert fit("--function", f"{here}/d:0", "--kernels", 2, "--out", "k.json") == 0
    assert fit("--function", "k.json", "--error", "0.02", "--out", "u.json", "--json") == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    x = np.linspace(*found["interval"], 1001)
    rows = json.loads((tmp_path / "k.json").read_text())["kernels"]
    total = sum(a / (1 + np.exp(c - b * x)) for a, b, c in rows)
    assert abs(total[0]) < 1e-4 and abs(total[-1] - 1) < 1e-4
    assert np.abs(Spindle.parse(found["units"]).real(x) - total).max() <= 0.02
    assert found["normality"] is None
    assert fit("--function", "u.json", "--kernels", 2, "--json") == 0
    assert json.loads(capsys.readouterr().out)["error"] < 0.03


@pytest.mark.parametrize("options", [
    ("spindle:offset=1/8,-1:+2^-2,3/2:-2^-3,1/2:-2^-4:left", "--spindle", "tuned"),
    ("spindle", "--spindle", "tuned"), ("spindle", "--spindle", "online"), ("spindle:logistic8",)])
def test_what_a_layer_learned_becomes_units_for_words(here, capsys, options):
    assert main([*"train --dataset digits --no-plot --arith float32 --epochs 3 --init xavier "
                 "--lr 0.5 --out s --activation".split(), *options]) == 0
    assert fit("--function", "s:0", "--learned", "--error", "0.02", "--step", "2^-6", "--out",
               "u.json") == 0
    model, written = np.load("s/model.npz"), json.loads(Path("u.json").read_text())
    x = np.linspace(*written["interval"], 999)
    if options[-1] == "online":
        y = sum(a / (1 + np.exp(c - b * x)) for a, b, c in model["1.kernels"].T)
    elif options == ("spindle:logistic8",):
        y = Spindle.parse("logistic8").real(x)
    elif options[0] == "spindle":
        y = 1 / (1 + np.exp(model["1.places"][0] - np.exp(model["1.steepness"][0]) * x))
    else:
        y = model["1.offset"][0] + sum(g * np.maximum(s * (x - b), 0) for s, b, g in zip(
            (1, 1, -1), model["1.knees"][0], model["1.gains"][0]))
    assert np.abs(Spindle.parse(written["units"]).real(x) - y).max() <= 0.0201
    assert written["normality"] is None


def test_the_activation_after_a_convolution_is_behind_the_pooling(here, capsys):
    answers = []
    for layer in ("0", "conv1", "pool1", "2"):
        assert fit("--function", f"{here}/c:{layer}", "--images", 20, "--kernels", "1",
                   "--json") == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert all(one == answers[0] for one in answers)
    assert answers[0]["normality"]["samples"] == 20 * 4 * 4 * 32


@pytest.mark.parametrize("given, message", [
    (["{}/d:7"], "there is no layer '7'; there are 0 dense1, 1 activation1, 2 dense2, "
     "3 activation2, 4 dense3"),
    (["{}/d:"], "there is no layer ''"), (["{}/d:-1"], "there is no layer '-1'"),
    (["{}/d:dense3"], "there is no activation at or after layer dense3"),
    (["{}/d"], "is a run: name a layer of it too"),
    (["{}/d:0", "--images", "0"], "images must be 1..1242, got 0"),
    (["{}/e:0"], "and RUN:LAYER of a trained network"),
    (["logistic", "--images", "5"], "--images goes with RUN:LAYER, and 'logistic' is no"),
    (["logistic", "--learned"], "--learned goes with RUN:LAYER"),
    (["{}/d:0", "--learned"], "d activation1 is no activation spindle"),
    (["{}/d:0", "--kernels", "2", "--units", "8"], "--units is for shifted ReLUs"),
    (["{}/d:0", "--kernels", "9"], "kernels must be 1..8, got 9"),
    (["none.json", "--kernels", "1"], "cannot read none.json"),
])
def test_what_cannot_be_is_one_line_and_leaves_no_file(here, capsys, tmp_path, given, message):
    assert fit("--function", given[0].format(here), *given[1:], "--out", "a.json") == 2
    out, err = capsys.readouterr()
    assert not out and message in err
    assert_one_line(err)
    assert not list(tmp_path.iterdir())
