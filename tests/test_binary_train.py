"""Binary networks on the shared engine: gradients, draws, bytes, what is refused."""

import hashlib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from small_digits import small

from fxp.format import FormatError
from nets.arithmetic import make_arithmetic
from nets.binary.fold import FoldError, fold, stages
from nets.binary.layers import BinaryConv2d, BinaryDense, Scale, Sign
from nets.data import Dataset
from nets.evaluation import evaluate
from nets.model import read_model, restore, write_model
from nets.models import Builder, make_network
from nets.probe import plain_layer
from nets.suited import settings_for
from nets.train import Trainer
from nets.window import Window


def settings(**given):
    given = {"model": "bnn", "hidden": (24, 40), **given}
    if given["model"].startswith("lenet"):
        given = {k: v for k, v in given.items() if k != "hidden"}
    return settings_for({"dataset": "digits", "arith": "binary", "val": 7, "batch": 10,
                         "epochs": 3, "lr": "0.02", **given})


def large(count=60, test=20):
    """Return images of 16 x 16, as lenet5 takes them: digits, each pixel four times."""
    data = small(count, test)
    train, seen = (a.repeat(2, axis=1).repeat(2, axis=2)
                   for a in (data.train_images, data.test_images))
    return Dataset("digits", train, data.train_labels, seen, data.test_labels, 10)


def slopes(function, x, step=1e-4):
    """Return the derivative of a function of a float64 array, by central differences."""
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        for way in (step, -step):
            moved = x.copy()
            moved[i] += way
            found[i] += function(moved) / (2 * way)
    return found


def caught(ar):
    """Return the gradients, by the identity of the parameter's numbers, instead of steps."""
    found = {}

    def moving(w, gradient, decays=True):
        return lambda: found.__setitem__(id(w), gradient().astype(float))

    ar.moving = moving
    return found


def run(calls):
    for call in calls:
        call()


def set_values(t, values):
    t.fields["value"][...] = values


def windows(x, w, size, edge):
    """Return the sums of the windows of images with a frame, in plain loops."""
    images, rows, columns, _ = x.shape
    framed = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=edge)
    return np.array([[[framed[n, i:i + size, j:j + size].ravel() @ w for j in range(columns)]
                      for i in range(rows)] for n in range(images)])


@pytest.mark.parametrize("backend", ["vector", "numpy"])
@pytest.mark.parametrize("peak", [1, 255])
def test_a_dense_layer_s_gradients_are_slopes_by_the_signs(backend, peak):
    ar = make_arithmetic(settings(), 1, backend)
    rng, found = np.random.default_rng(2), caught(ar)
    layer = BinaryDense(ar, rng, 5, 3, 0.1)
    x, dy = ar.empty(8, 5, "activations"), ar.empty(8, 3, "gradients")
    values, above = rng.integers(-peak, peak + 1, (8, 5)).astype(float), rng.normal(0, 1, (8, 3))
    layer.w.fields["value"][0, :2] = 0, -0.0
    sign = np.where(layer.w.fields["value"] < 0, -1.0, 1.0)
    set_values(x, values), set_values(dy, above)
    y, calls = layer.forward_training(ar, x)
    dx, back = layer.backward(ar, x, dy, True)
    run([*calls, *back])
    assert (ar.reals(y) == values @ sign).all()
    assert ar.reals(dx) == pytest.approx(slopes(lambda a: (above * (a @ sign)).sum(), values),
                                         rel=1e-4, abs=1e-4)
    assert found[id(layer.w)] == pytest.approx(
        slopes(lambda a: (above * (values @ a)).sum(), sign), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("backend, images", [("vector", 16), ("vector", 2), ("numpy", 2)])
@pytest.mark.parametrize("peak", [1, 255])
def test_a_convolution_s_gradients_are_slopes_and_its_edge_is_black(backend, images, peak):
    ar = make_arithmetic(settings(), 1, backend)
    rng, found = np.random.default_rng(3), caught(ar)
    layer = BinaryConv2d(ar, rng, Window("conv1", (4, 5, 2), 3, padding="same"), 3, 0.1)
    layer.peak = peak
    values = rng.integers(-peak, peak + 1, (images, 4, 5, 2)).astype(float)
    above = rng.normal(0, 1, (images, 4, 5, 3))
    x, dy = ar.empty(images, 40, "activations"), ar.empty(images, 60, "gradients")
    set_values(x, values.reshape(images, -1)), set_values(dy, above.reshape(images, -1))
    y, calls = layer.forward_training(ar, x)
    dx, back = layer.backward(ar, x, dy, True)
    run([*calls, *back])
    sign = np.where(layer.w.fields["value"] < 0, -1.0, 1.0)
    assert (ar.reals(y).reshape(above.shape) == windows(values, sign, 3, -peak)).all()
    some = np.zeros(values.shape, bool)
    some[:2, ::3] = True  # a few of them: plain loops are slow

    def moved(a):
        whole = values.copy()
        whole[some] = a
        return (above * windows(whole, sign, 3, -peak)).sum()

    assert ar.reals(dx).reshape(values.shape)[some] == pytest.approx(
        slopes(moved, values[some]), rel=1e-3, abs=1e-3)
    assert found[id(layer.w)] == pytest.approx(
        slopes(lambda a: (above * windows(values, a, 3, -peak)).sum(), sign), rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("channels", [3, 6])
def test_a_scale_s_gradients_are_slopes(channels):
    ar = make_arithmetic(settings())
    rng, found = np.random.default_rng(4), caught(ar)
    layer = Scale(ar, BinaryDense(ar, rng, 9, channels, 0.1))
    set_values(layer.log_scale, 0.3)
    x, dy = ar.empty(4, 6, "activations"), ar.empty(4, 6, "gradients")
    values, above = rng.integers(-9, 10, (4, 6)).astype(float), rng.normal(0, 1, (4, 6))
    set_values(x, values), set_values(dy, above)
    y, calls = layer.forward_training(ar, x)
    dx, back = layer.backward(ar, x, dy, True)
    run([*calls, *back])

    def scaled(s, log_scale=0.3, b=0.0):
        return (np.exp(log_scale) / 3 * s.reshape(-1, channels) + b).reshape(s.shape)

    assert ar.reals(y) == pytest.approx(scaled(values), abs=1e-6)
    assert ar.reals(dx) == pytest.approx(slopes(lambda a: (above * scaled(a)).sum(), values),
                                         abs=1e-5)
    at = np.float64(layer.log_scale.fields["value"])
    assert found[id(layer.log_scale)] == pytest.approx(
        slopes(lambda a: (above * scaled(values, a[0, 0])).sum(), at), abs=1e-4)
    assert found[id(layer.b)] == pytest.approx(
        slopes(lambda a: (above * scaled(values, b=a)).sum(), np.zeros((1, channels))), abs=1e-5)


@pytest.mark.parametrize("backend", ["vector", "numpy"])
def test_a_sign_passes_gradients_from_minus_one_to_one(backend):
    ar = make_arithmetic(settings(), 1, backend)
    x, dy = ar.empty(1, 7, "activations"), ar.empty(1, 7, "gradients")
    above = np.arange(1, 8)
    set_values(x, [-1.5, -1, -1e-30, -0.0, 1e-30, 1, np.nextafter(np.float32(1), np.float32(2))])
    set_values(dy, above)
    layer = Sign()
    y, calls = layer.forward_training(ar, x)
    dx, back = layer.backward(ar, x, dy, True)
    run([*calls, *back])
    assert ar.reals(y).tolist() == [[-1, -1, -1, 1, 1, 1, 1]]
    assert ar.reals(dx).tolist() == [[0, 2, 3, 4, 5, 6, 0]]


def test_pixels_become_bits_by_threshold_by_probability_or_not_at_all():
    pixels = np.repeat(np.array([[0, 127, 128, 255]], np.uint8), 4000, axis=0)

    def seen(training=False, step=1, rows=4000, **given):
        ar = make_arithmetic(settings(**given))
        ar.step = step
        x = ar.empty(rows, 4, "activations")
        (ar.encode_training if training else ar.encode)(x)(pixels[:rows])
        return ar.reals(x)

    assert seen(rows=1).tolist() == [[-1, -1, 1, 1]]
    assert seen(True, rows=1, threshold=126).tolist() == [[-1, 1, 1, 1]]
    assert seen(True, rows=1, binarize_input="none").tolist() == [[-255, -1, 1, 255]]
    chance = {"binarize_input": "probability"}
    assert seen(rows=1, **chance).tolist() == [[-1, -1, 1, 1]]  # the likelier bit
    first, second = (seen(True, step, **chance) for step in (1, 2))
    assert (first[:, 0] == -1).all() and (first[:, 3] == 1).all()
    assert (first > 0).mean(axis=0)[1:3] == pytest.approx([127 / 255, 128 / 255], abs=0.04)
    assert (first != second).mean() > 0.2  # drawn anew
    assert (first == seen(True, 1, **chance)).all()
    assert (first != seen(True, 1, seed=1, **chance)).mean() > 0.2


def shown(network):
    """Return the bytes of all that a model is made of."""
    return {name: network.ar.words(t).tobytes() for name, t in network.kept().items()}


@pytest.mark.parametrize("given", [
    {}, {"binarize_input": "probability", "dropout": "0.2"}, {"hidden": ()},
    {"binarize_input": "none", "dropout_input": "0.1", "loss": "squared-hinge", "shift": 1,
     "norm": "none", "clip_norm": "1"},
    {"model": "lenet5", "binarize_input": "probability"}], ids=str)
def test_a_run_that_goes_on_has_the_arrays_of_one_that_was_not_stopped(given, tmp_path):
    data = large() if given.get("model") == "lenet5" else small(60)
    whole, first, second = (Trainer(settings(**given), data) for _ in range(3))
    records = [whole.train_epoch() for _ in range(3)]
    first.train_epoch()
    write_model(tmp_path / "m.npz", first.network, 1)
    restore(second.network, read_model(tmp_path / "m.npz"), tmp_path)
    second.epoch = 1
    for record in records[1:]:
        assert second.train_epoch().loss == record.loss
    assert shown(whole.network) == shown(second.network)


def test_compiled_loops_and_numpy_train_alike():
    """Steps, signs, dropout and draws have the same bits; batch norm alone sums otherwise."""
    digests = set()
    for backend in ("vector", "numpy"):
        given = {"norm": "none", "dropout": "0.2", "dropout_input": "0.1", "l1": "0.001",
                 "binarize_input": "probability", "weight_decay": "0.01"}
        trainer = Trainer(settings(**given), small(60), 1, backend)
        trainer.train_epoch()
        digests.add(hashlib.sha256(repr(shown(trainer.network)).encode()).hexdigest())
    assert len(digests) == 1


def test_latent_weights_stay_in_range():
    for given in ({}, {"clip_norm": "1"}, {"optimizer": "sgd", "momentum": "0.9", "lr": "4"}):
        trainer = Trainer(settings(lr="0.5", **given) if "lr" not in given else settings(**given),
                          small(60))
        trainer.train_epoch()
        for stage in stages(trainer.network):
            assert abs(stage.product.w.fields["value"]).max() == 1


@pytest.mark.parametrize("given", [
    {"binarize_input": "threshold"}, {"binarize_input": "probability"},
    {"binarize_input": "none"}, {"norm": "none"}, {"hidden": ()},
    {"hidden": (), "binarize_input": "none"}], ids=str)
def test_a_network_learns_and_its_bits_predict_the_same(given):
    trainer = Trainer(settings(**{"hidden": (100, 40), "epochs": 12, "val": 100, **given}),
                      small(1442, 355))
    for _ in range(12):
        record = trainer.train_epoch()
    assert record.test_accuracy > (0.9 if given.get("binarize_input") == "none" else 0.8)
    assert_bits_say_the_same(trainer)


@pytest.mark.parametrize("given", [{}, {"binarize_input": "none"}, {"norm": "none"},
                                   {"model": "lenet-wide"}], ids=str)
def test_a_convolution_network_s_bits_predict_the_same(given):
    trainer = Trainer(settings(**{"model": "lenet5", "epochs": 2, **given}),
                      large(120, 60))
    for _ in range(2):
        trainer.train_epoch()
    for stage in stages(trainer.network):
        if hasattr(stage.norm, "gamma"):  # norms that rise, fall, and are none at all
            stage.norm.gamma.fields["value"][0, ::3] *= -1
            stage.norm.gamma.fields["value"][0, 1] = 0
    assert_bits_say_the_same(trainer)


def assert_bits_say_the_same(trainer):
    images, labels = trainer.test
    packed, network = fold(trainer.network), trainer.network
    assert (packed.predict(images) == evaluate(network, images, labels).predicted).all()
    program, layers = network.program(len(labels), False), network.layers
    program.run(images, labels)
    *bits, counts = packed.answers(images)
    assert (2 * counts - packed.layers[-1].span == network.ar.reals(program.values[-2])).all()
    signs = [network.ar.reals(y) for layer, y in zip(layers, program.values[1:])
             if isinstance(plain_layer(layer), Sign)]
    for words, layer, sign in zip(bits[1:], packed.layers[:-1], signs, strict=True):
        found = np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little")
        assert (found[:, :layer.outputs] == (sign > 0)).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_no_number_is_told_with_its_cure():
    trainer = Trainer(settings(hidden=()), small(60))
    set_values(plain_layer(trainer.network.layers[-1]).log_scale, np.nan)
    record = trainer.train_epoch()
    assert record.loss is None
    assert record.warnings[0].startswith("loss: it is not a finite number any more; a smaller lr")
    with pytest.raises(FoldError, match="dense1 holds values that are not finite numbers"):
        fold(trainer.network)


def test_layers_in_another_order_have_no_bits():
    s = settings()
    network = make_network(make_arithmetic(s), np.random.default_rng(0), s, (8, 8), 10)
    network.layers[1], network.layers[0] = network.layers[0], network.layers[1]
    with pytest.raises(FoldError, match="BinaryNorm has no place there in a network of bits"):
        fold(network)


def test_sums_that_float32_would_round_are_refused():
    s = settings(binarize_input="none", hidden=(2,))
    with pytest.raises(ValueError, match="dense1: sums of 90,000 numbers up to 255 need more"):
        make_network(make_arithmetic(s), np.random.default_rng(0), s, (300, 300), 10)
    s = replace(s, binarize_input="threshold")
    make_network(make_arithmetic(s), np.random.default_rng(0), s, (300, 300), 10)


def test_an_input_of_another_size_is_refused_by_every_layer_with_its_name():
    ar = make_arithmetic(settings())
    b = Builder(ar, np.random.default_rng(0), (8, 8, 1), lambda n, _: 0.1,
                kinds=(BinaryDense, BinaryConv2d, type(None)))
    b.conv(3, 3).flat().dense(4)
    for layer, text in zip(b.layers, ("conv1: takes 8 x 8 x 1 = 64 numbers, got 7",
                                      "dense1: takes 108 numbers, .* 108 x 4, got 7")):
        with pytest.raises(ValueError, match=text):
            layer.forward(ar, ar.empty(2, 7, "activations"))


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


def test_dropout_of_pixels_goes_with_any_arithmetic_and_moves_nothing_else():
    for arith in ("float32", "lns16"):
        given = {"dataset": "digits", "arith": arith, "hidden": (8,), "val": 7, "batch": 10}
        plain, dropped = (Trainer(settings_for({**given, **more}), small(60))
                          for more in ({}, {"dropout_input": "0.5"}))
        first = [np.array(t.network.ar.words(t.network.parameters()[f"{i}.w"]))
                 for i, t in enumerate((plain, dropped))]
        assert np.array_equal(*first)
        record = dropped.train_epoch()
        assert list(record.gradient_norms) == ["1.w", "3.w"]
        x = dropped.network.ar.reals(dropped.network.program(10, True).values[1])
        whole = dropped.network.ar.reals(dropped.network.program(10, True).x)
        assert (x[whole > 0] == 0).mean() == pytest.approx(0.5, abs=0.15)
