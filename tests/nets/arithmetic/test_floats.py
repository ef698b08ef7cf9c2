"""What only floats have: smooth activations, other losses; and a worked example to ten digits."""

import numpy as np
import pytest
from helpers.front_door import answer, assert_one_line, call

from nets.arithmetic.choose import make_arithmetic
from nets.arithmetic.losses import LOSSES, squared_error
from nets.layers.activations import SMOOTH, PReLU, Smooth
from nets.layers.dense import Dense
from nets.network.models import make_network
from nets.settings.settings import Settings


def double(**options):
    return make_arithmetic(Settings(arith="float64", weight_decay="0", **options))


def tensor(ar, values, role="activations"):
    t = ar.empty(*values.shape, role)
    ar.set_words(t, values)
    return t


def run(calls):
    for call_ in calls:
        call_()


def test_one_step_of_back_propagation_is_the_worked_example_of_the_lecture():
    # Two inputs, two hidden and two output sigmoids, rate 1/2, half the squared error.
    ar, rng = double(lr="0.5"), np.random.default_rng(0)
    first, second = Dense(ar, rng, 2, 2, 1), Dense(ar, rng, 2, 2, 1)
    for layer, w, b in ((first, [[0.15, 0.25], [0.2, 0.3]], 0.35),
                        (second, [[0.4, 0.5], [0.45, 0.55]], 0.6)):
        ar.set_words(layer.w, np.array(w))
        ar.set_words(layer.b, np.full((1, 2), b))
    layers, values = [first, Smooth("sigmoid"), second, Smooth("sigmoid")], []
    values.append(tensor(ar, np.array([[0.05, 0.1]])))
    for layer in layers:
        y, calls = layer.forward(ar, values[-1])
        run(calls)
        values.append(y)
    assert ar.reals(values[1])[0, 0] == pytest.approx(0.3775, abs=1e-12)
    assert ar.reals(values[2])[0, 0] == pytest.approx(0.5932699921, abs=1e-10)
    loss, d = squared_error(ar.reals(values[4]), np.array([[0.01, 0.99]]))
    assert loss[0] == pytest.approx(0.2983711088, abs=1e-10)
    dy = tensor(ar, d, "gradients")
    for layer, x in zip(layers[::-1], values[-2::-1], strict=True):
        dy, calls = layer.backward(ar, x, dy, layer is not first)
        run(calls)
    np.testing.assert_allclose(ar.reals(second.w).T.ravel(),
                               [0.3589164797, 0.4086661861, 0.5113012703, 0.5613701211], atol=5e-11)
    np.testing.assert_allclose(ar.reals(first.w).T.ravel(),
                               [0.1497807161, 0.1995614323, 0.2497511436, 0.2995022873], atol=5e-11)


@pytest.mark.parametrize("name", [*SMOOTH, "prelu"])
def test_slopes_are_those_of_the_functions(name):
    ar = double(lr="1")
    layer = PReLU(ar) if name == "prelu" else Smooth(name)
    points = np.array([[-30.0, -3, -1, -0.4, 0.3, 1, 2.5, 40]])
    x, dy = tensor(ar, points), tensor(ar, np.linspace(-1, 2, 8)[None], "gradients")

    def value(at):
        y, calls = layer.forward(ar, tensor(ar, at))
        run(calls)
        return ar.reals(y).copy()

    slopes = (value(points + 1e-6) - value(points - 1e-6)) / 2e-6
    dx, calls = layer.backward(ar, x, dy, True)
    run(calls)
    np.testing.assert_allclose(ar.reals(dx), slopes * ar.reals(dy), atol=1e-7)
    if name == "prelu":
        moved = 0.25 - (np.minimum(points, 0) * ar.reals(dy)).sum()
        assert ar.reals(layer.slope)[0, 0] == pytest.approx(moved)


def test_known_values_of_activations():
    for name, x, y in [("sigmoid", 0, 0.5), ("tanh", 1, 0.7615941560), ("mish", 1, 0.8650983883),
                       ("gelu", 1, 0.8411919906), ("gelu", -2, -0.0454023059)]:
        assert SMOOTH[name][0](np.array(float(x))) == pytest.approx(y, abs=1e-9)


@pytest.mark.parametrize("name", SMOOTH)
def test_activations_stay_in_float32_and_finite(name):
    x = np.array([-3e3, -200, -20, 0, 1e-3, 20, 90, 3e3])
    for function in SMOOTH[name]:
        given = function(x.astype(np.float32))
        assert given.dtype == np.float32
        np.testing.assert_allclose(given, function(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_losses_are_those_of_their_values(name):
    rng = np.random.default_rng(0)
    z, labels = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    values, d = LOSSES[name](z, labels)
    assert values.shape == (5,) and (values > 0).all()
    for place in range(z.size):
        up, down = z.copy(), z.copy()
        up.flat[place] += 1e-6
        down.flat[place] -= 1e-6
        slope = (LOSSES[name](up, labels)[0] - LOSSES[name](down, labels)[0]).sum() / 2e-6
        assert d.flat[place] == pytest.approx(slope, abs=1e-7)


def test_the_logistic_loss_takes_each_output_by_itself():
    z, labels = np.array([[0.0, 2.0, -800.0, 900.0]]), np.array([1])
    values, d = LOSSES["sigmoid"](z, labels)
    assert values[0] == pytest.approx(np.log(2) - np.log(1 / (1 + np.exp(-2))) + 900)
    np.testing.assert_allclose(d[0], [0.5, 1 / (1 + np.exp(-2)) - 1, 0, 1], atol=1e-12)
    assert LOSSES["sigmoid"](z.astype(np.float32), labels)[1].dtype == np.float32


@pytest.mark.parametrize("given", [("--activation", "gelu", "--loss", "hinge", "--lr", "2^-8"),
                                   ("--activation", "prelu", "--init", "xavier"),
                                   ("--activation", "tanh", "--loss", "sigmoid", "--init", "he"),
                                   ("--activation", "sigmoid", "--loss", "mse", "--init", "lecun",
                                    "--lr", "0.1"),
                                   ("--activation", "mish", "--momentum", "0.9", "--lr", "2^-8")])
def test_digits_are_learned(given, tmp_path):
    result = answer("train", "--dataset", "digits", "--arith", "float32", "--no-plot",
                    "--epochs", 15, *given, cwd=tmp_path)
    assert result["test_accuracy"] > 0.9
    assert answer("eval", result["run"], cwd=tmp_path)["loss"] > 0


@pytest.mark.parametrize("arith", ["lns16", "fixed16", "float32"])
@pytest.mark.parametrize(("init", "inputs", "outputs", "std"), [
    ("he", 50, 400, 0.2), ("lecun", 100, 400, 0.1), ("xavier", 100, 700, 0.05),
    ("zero", 9, 9, 0), ("normal", 90, 400, 0.1)])
def test_first_weights_have_the_spread_of_their_initialisation(arith, init, inputs, outputs, std):
    settings = Settings(arith=arith, init=init, hidden=(outputs,))
    ar = make_arithmetic(settings)
    net = make_network(ar, np.random.default_rng(0), settings, (1, inputs), 3)
    w = net.ar.reals(net.parameters()["0.w"])
    assert w.shape == (inputs, outputs) and w.std() == pytest.approx(std, rel=0.02)
    if init != "normal":
        assert (net.ar.reals(net.parameters()["0.b"]) == 0).all()


@pytest.mark.parametrize("arith", ["lns16", "fixed16", "float32"])
def test_constant_weights_are_one_number(arith):
    settings = Settings(arith=arith, init="constant", init_std="0.25")
    net = make_network(make_arithmetic(settings), np.random.default_rng(0), settings, (4, 4), 3)
    assert (net.ar.reals(net.parameters()["2.w"]) == 0.25).all()


@pytest.mark.parametrize(("given", "words"), [
    (("--activation", "gelu"), ("activation gelu", "float32", "lns16")),
    (("--loss", "mse"), ("loss = mse", "float32")),
    (("--init", "he", "--init-std", "0.2"), ("init_std", "normal or constant", "he")),
])
def test_what_only_floats_have_is_refused_for_words(given, words, tmp_path):
    code, _, err = call("train", *given, cwd=tmp_path)
    assert code == 2
    assert_one_line(err, *words)
