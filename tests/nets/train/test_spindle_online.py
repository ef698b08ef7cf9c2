"""Activations that change in training: by gradient, or fitted to what flows in."""

import json

import numpy as np
import pytest
from helpers.front_door import assert_one_line

from fxp.operators.spindle import Spindle
from lnsarith.cli import main
from lnsarith.spindle.kernels import LOGISTIC, Kernels
from nets.arithmetic.choose import make_arithmetic
from nets.data.sets import load
from nets.layers.spindle import Refitted, TunedKernels, TunedUnits
from nets.network.models import make_network
from nets.settings.settings import Settings
from nets.train.spindle_online import refit
from nets.train.trainer import Trainer

UNITS = Spindle.parse("offset=1/8,-1:+2^-2,3/2:-2^-3,1/2:-2^-4:left,1/4:+2^-5:left")
KERNELS = Kernels.of([[0.25, 2.0, -1.0], [0.75, 0.5, 1.5]])


def units_anew(x, n):
    (offset,), knees, gains = n["offset"], n["knees"], n["gains"]
    sides = [1, 1, -1, -1]
    return offset + sum(g * np.maximum(s * (x - b), 0) for s, b, g in zip(sides, knees, gains))


def kernels_anew(x, n):
    a = np.exp(n["shares"])
    rows = zip(a / a.sum(), np.exp(n["steepness"]), n["places"])
    return sum(a / (1 + np.exp(c - b * x)) for a, b, c in rows)


@pytest.mark.parametrize("make, function, formula", [
    (TunedUnits, UNITS, units_anew), (TunedKernels, KERNELS, kernels_anew)])
def test_the_numbers_go_down_their_own_gradient(make, function, formula):
    ar = make_arithmetic(Settings(arith="float64", lr="1", weight_decay="1", l1="1"))
    layer, rng = make(ar, function), np.random.default_rng(1)
    x, dy = ar.empty(6, 25, "activations"), ar.empty(6, 25, "gradients")
    ar.set_words(x, rng.normal(0, 2, (6, 25)))
    ar.set_words(dy, rng.normal(0, 1, (6, 25)))
    v, d = ar.reals(x), ar.reals(dy)
    before = {name: ar.reals(t)[0].copy() for name, t in layer.parameters().items()}
    y, calls = layer.forward(ar, x)
    dx, back = layer.backward(ar, x, dy, True)
    for call in calls + back:
        call()
    np.testing.assert_allclose(ar.reals(y), function.real(v), rtol=1e-12)
    np.testing.assert_allclose(ar.reals(y), formula(v, before), rtol=1e-12)
    np.testing.assert_allclose(ar.reals(dx), d * (formula(v + 1e-6, before)
                               - formula(v - 1e-6, before)) / 2e-6, rtol=1e-5, atol=1e-8)
    for name, row in before.items():
        moved = (row - ar.reals(layer.parameters()[name])[0]) * np.sqrt(25)
        for i in range(row.size):
            up, down = ({**before, name: row + h * (np.arange(row.size) == i)}
                        for h in (1e-6, -1e-6))
            loss = [np.sum(d * formula(v, n)) for n in (up, down)]
            assert moved[i] == pytest.approx((loss[0] - loss[1]) / 2e-6, rel=1e-5, abs=1e-7)


def train(*arguments):
    return main([*("train --dataset digits --no-plot --arith float32 --batch 16 --hidden 30,20 "
                   "--init xavier --lr 0.5").split(), *map(str, arguments)])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inputs_anew(model, first):
    """Return what flows into both activations for the first 1000 training images; `first` are
    the kernels of the first one."""
    images = load("digits").train_images
    order = np.random.default_rng(0).permutation(len(images))[:1000]
    x = images[order].reshape(1000, -1) / 255
    z = x @ model["0.w"] + model["0.b"]
    y = sum(a / (1 + np.exp(c - b * z)) for a, b, c in first.T)
    return z, y @ model["2.w"] + model["2.b"]


def distance(samples, kernels):
    """Return the largest distance from the samples' own distribution."""
    x = np.sort(samples.ravel())
    total = sum(a / (1 + np.exp(c - b * x)) for a, b, c in kernels.T)
    return np.abs(total - (np.arange(x.size) + 0.5) / x.size).max()


def models(here, *options, counts=(1, 2, 3)):
    for count in counts:
        assert train(*options, "--epochs", count, "--out", f"r{count}") == 0
    return [dict(np.load(here / f"r{count}/model.npz")) for count in counts]


def beginning():
    """Return the first weights of the run that `train` makes."""
    settings = Settings(dataset="digits", arith="float32", activation="spindle", hidden=(30, 20),
                        init="xavier", val=200)
    network = Trainer(settings, load("digits")).network
    return {name: network.ar.words(t) for name, t in network.kept().items()}


def test_each_activation_becomes_the_distribution_of_its_inputs(here):
    every = [beginning(), *models(here, "--activation", "spindle", "--spindle-kernels", 2)]
    assert every[0]["1.kernels"].tolist() == [[0.5, 0.5], [1, 1], [0, 0]]
    for before, after in zip(every, every[1:]):
        first, second = after["1.kernels"], after["3.kernels"]
        z, after_z = inputs_anew(before, first)
        assert distance(z, first) < 0.02 < distance(z, before["1.kernels"])
        assert distance(after_z, second) < 0.02 < distance(after_z, before["3.kernels"])


def test_once_is_after_the_first_epoch_and_first_before_it(here):
    one, two, three = models(here, "--activation", "spindle", "--spindle", "once")
    assert one["1.kernels"].tolist() == [[0.5, 0.5], [1, 1], [0, 0]]
    assert (two["1.kernels"] == three["1.kernels"]).all()
    assert (two["1.kernels"] != one["1.kernels"]).any()
    assert (two["0.w"] != three["0.w"]).any()
    for count in (1, 2):
        assert train("--activation", "spindle", "--spindle", "first", "--epochs", count, "--out",
                     f"f{count}") == 0
    first, second = (np.load(here / f"f{count}/model.npz") for count in (1, 2))
    assert (first["3.kernels"] == second["3.kernels"]).all()
    z, _ = inputs_anew(beginning(), first["1.kernels"])
    assert distance(z, first["1.kernels"]) < 0.02


CHANGING = [("--activation", "spindle"), ("--activation", "spindle", "--spindle", "once"),
            ("--activation", "spindle", "--spindle", "first"),
            ("--activation", "spindle", "--spindle", "tuned", "--momentum", "0.5", "--lr", "0.2"),
            ("--activation", f"spindle:{UNITS}", "--spindle", "tuned", "--optimizer", "adam",
             "--lr", "2^-7"),
            ("--activation", f"spindle:{KERNELS}", "--spindle", "online")]


@pytest.mark.parametrize("given", CHANGING)
def test_a_run_in_parts_ends_with_the_same_bytes(here, capsys, given):
    assert train(*given, "--epochs", 3, "--out", "whole") == 0
    assert train(*given, "--epochs", 1, "--out", "parts") == 0
    assert train(*given, "--epochs", 3, "--out", "parts", "--resume") == 0
    assert (here / "whole/model.npz").read_bytes() == (here / "parts/model.npz").read_bytes()
    capsys.readouterr()
    assert main(["eval", "parts", "--json"]) == 0
    last = json.loads((here / "parts/log.jsonl").read_text().splitlines()[-1])
    assert json.loads(capsys.readouterr().out)["test_accuracy"] == last["test_accuracy"] > 0.3


def test_tuned_kernels_stay_kernels(here):
    assert train("--activation", f"spindle:{KERNELS}", "--spindle", "tuned", "--epochs", 3,
                 "--lr", "4", "--out", "r") == 0
    model = np.load(here / "r/model.npz")
    assert (model["1.shares"] != np.log([[0.25, 0.75]]).astype(np.float32)).all()
    assert sum(name.endswith(("shares", "steepness", "places")) for name in model) == 6
    for layer in (1, 3):
        a = np.exp(model[f"{layer}.shares"][0].astype(np.float64))
        rows = zip(a / a.sum(), np.exp(model[f"{layer}.steepness"][0]),
                   model[f"{layer}.places"][0])
        Kernels.of(rows)  # raises for what is no distribution


@pytest.mark.parametrize("mode", ["tuned", "online"])
def test_convolutions_have_changing_activations_too(here, mode):
    assert main(["train", "--dataset", "digits", "--no-plot", "--arith", "float32", "--model",
                 "mini-cifar", "--activation", "spindle", "--spindle", mode, "--epochs", "2",
                 "--out", "c"]) == 0
    model = np.load(here / "c/model.npz")
    names = [n for n in model if n.endswith("places" if mode == "tuned" else "kernels")]
    assert len(names) == 4 and len({model[n].tobytes() for n in names}) == 4


def test_inputs_that_are_all_equal_leave_an_activation_as_it_is():
    settings = Settings(arith="float64", activation="spindle", hidden=(1,), spindle_kernels=1)
    net = make_network(make_arithmetic(settings), np.random.default_rng(0), settings, (2, 2), 3)
    layer, = (one for one in net.layers if isinstance(one, Refitted))
    for image, changes in ((np.full((9, 4), 7), False), (np.arange(36).reshape(9, 4), True)):
        refit(net, image.astype(np.uint8))
        assert (tuple(layer.rows.fields["value"].ravel()) != LOGISTIC.rows[0]) == changes


@pytest.mark.parametrize("given, message", [
    (("--spindle", "tuned"), "spindle = tuned has a meaning only with activation spindle"),
    (("--spindle-kernels", "3"), "spindle_kernels = 3 has a meaning only with"),
    (("--activation", "spindle", "--spindle", "frozen"), "takes a function: activation spindle:"),
    (("--activation", "spindle", "--spindle", "twice"), "spindle must be one of frozen, tuned"),
    (("--activation", f"spindle:{UNITS}", "--spindle", "online"), "fits kernels, and spindle:off"),
    (("--activation", f"spindle:{KERNELS}", "--spindle-kernels", "3"), "spindle alone that"),
    (("--activation", "spindle", "--spindle-kernels", "9"), "spindle_kernels must be 1..8"),
    (("--activation", "spindle", "--arith", "fixed16"), "spindle = online goes with float32"),
    (("--activation", "spindle", "--arith", "lns16"), "fixed-point arithmetic, not with lns16"),
    (("--activation", f"spindle:{UNITS}", "--arith", "fixed16", "--spindle", "tuned"),
     "spindle = tuned goes with float32 arithmetic; fixed16 takes units"),
])
def test_what_cannot_be_is_one_line(here, capsys, given, message):
    assert train(*given) == 2
    err = capsys.readouterr().err
    assert message in err
    assert_one_line(err)
    assert not list(here.iterdir())
