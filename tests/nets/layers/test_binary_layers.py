"""Layers of binary networks: gradients by differences, the edge, draws, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.small_binary import settings

from nets.arithmetic.choose import make_arithmetic
from nets.layers.binary.layers import BinaryConv2d, BinaryDense, Scale, Sign
from nets.layers.window import Window
from nets.network.models import Builder, make_network


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
    at = layer.log_scale.fields["value"].astype(np.float64)
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
