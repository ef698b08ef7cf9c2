"""Batch normalisation: its formulas, its gradients, its running statistics, bit by bit."""

import numpy as np
import pytest
from helpers.small_convolutions import SHAPE, assert_same, batch, network, steps

import nets.layers.norm
from fxp.format import Fixed
from lnsarith.catalogue.array import LnsArray
from nets.arithmetic.choose import make_arithmetic
from nets.layers.norm import BatchNorm
from nets.settings.settings import Settings

WIDE = [
    ({"arith": "float32"}, 2e-3),
    ({"arith": "lns26.18", "delta": "interp:r=1/64,dmax=20",
      "norm_delta": "interp:r=1/64,dmax=20",
      "softmax_delta": "lut:r=1/4096,dmax=12,index=truncate,sample=mid"}, 1e-2),
    ({"arith": "fixed26.16", "gradients": "fixed26.20", "update": "nearest"}, 3e-2),
]
NARROW = [{}, {"arith": "lns12", "guard": 2}, {"arith": "lns12", "order": "tree"},
          {"arith": "lns12", "order": "images", "guard": 3},
          {"arith": "fixed16"}, {"arith": "fixed12", "momentum": "0.5"}, {"arith": "fixed32.20"}]


def normed(b):
    return b.conv(5, 3, padding="same").norm().max_pool(2).active().conv(4, 3).norm().active()


@pytest.mark.parametrize("tile", [1, 1 << 12])
@pytest.mark.parametrize("options", NARROW, ids=str)
def test_compiled_steps_write_the_words_of_numpy_integers(options, tile, monkeypatch):
    monkeypatch.setattr(nets.layers.norm, "TILE", tile)  # of an image, of all of them
    both = [network(options, normed, backend=b) for b in ("vector", "numpy")]
    assert_same(*map(steps, both))
    kept = [[n.ar.words(t) for t in n.kept().values()] for n in both]
    assert_same(*kept)
    evaluated = []
    for net in both:
        program = net.program(6, False)
        program.run(*batch(6, 1))
        evaluated.append([net.ar.words(t) for t in program.values])
    assert_same(*evaluated)


def layer(options, rows=7, shape=(4, 5, 3)):
    """Return an arithmetic, a layer with a gamma and beta of its own, and an input."""
    ar = make_arithmetic(Settings(lr="1", weight_decay="0", **options))
    norm = BatchNorm(ar, shape)
    rng = np.random.default_rng(2)
    for t in (norm.gamma, norm.beta):
        ar.set_words(t, ar.words(ar.normal(rng, 1, shape[2], 0.5)))
    x = ar.normal(rng, rows, int(np.prod(shape)), 0.7)
    x = type(x)(x.fields, x.columns, "activations")
    return ar, norm, x


def formulas(x, gamma, beta):
    mean, variance = x.mean(axis=(0, 1)), x.var(axis=(0, 1))
    return gamma * (x - mean) / np.sqrt(variance + 2.0**-10) + beta


def run(calls):
    for call in calls:
        call()


@pytest.mark.parametrize("options", NARROW, ids=str)
def test_images_without_padding_are_taken_as_they_lie(options, monkeypatch):
    """What copies of them give, word for word: 8 x 4 positions of 3 or of 4 channels."""
    found = []
    for whole in (True, False):
        if not whole:
            monkeypatch.setattr(nets.layers.norm, "_lies_whole", lambda ar, t: False)
        for channels in (3, 4):
            ar, norm, x = layer(options, 3, (8, 4, channels))
            dy = ar.normal(np.random.default_rng(3), 3, 32 * channels, 0.2)
            dy = type(x)(dy.fields, dy.columns, "gradients")
            y, calls = norm.forward_training(ar, x)
            dx, more = norm.backward(ar, x, dy, True)
            z, last = norm.forward(ar, x)
            run([*calls, *more, *last])
            found.append([ar.words(t) for t in (y, dx, z, norm.gamma, norm.beta, norm.mean,
                                                norm.variance)])
    assert_same(*found[::2])
    assert_same(*found[1::2])


@pytest.mark.parametrize(("options", "tolerance"), WIDE)
def test_forward_and_backward_are_those_of_the_formulas(options, tolerance):
    ar, norm, x = layer(options)
    values = ar.reals(x).reshape(7, 20, 3)
    gamma, beta = (ar.reals(t)[0].copy() for t in (norm.gamma, norm.beta))
    y, calls = norm.forward_training(ar, x)
    run(calls)
    expected = formulas(values, gamma, beta)
    np.testing.assert_allclose(ar.reals(y).reshape(7, 20, 3), expected, atol=2 * tolerance)
    dy = ar.normal(np.random.default_rng(8), 7, 60, 0.1)
    if not options["arith"].startswith("fixed"):
        dy = type(dy)(dy.fields, dy.columns, "gradients")
    else:  # the formats differ
        wide, dy = dy, ar.empty(7, 60, "gradients")
        ar.set_words(dy, ar.words(wide) << 4)
    upstream = ar.reals(dy).reshape(7, 20, 3)

    def loss(v, g=gamma, b=beta):
        return (upstream * formulas(v, g, b)).sum()

    dx, calls = norm.backward(ar, x, dy, True)
    run(calls)
    found, scale = ar.reals(dx).reshape(7, 20, 3), abs(ar.reals(dx)).max()
    for place in np.random.default_rng(1).integers(0, values.size, 15):
        up, down = values.copy(), values.copy()
        up.flat[place] += 1e-5
        down.flat[place] -= 1e-5
        slope = (loss(up) - loss(down)) / 2e-5
        assert found.flat[place] == pytest.approx(slope, abs=tolerance * scale)
    for t, before, unit in ((norm.gamma, gamma, "g"), (norm.beta, beta, "b")):
        step = before - ar.reals(t)[0]
        for c in range(3):
            moved = before.copy()
            moved[c] += 1e-5
            slope = (loss(values, **{unit: moved}) - loss(values)) / 1e-5
            assert step[c] == pytest.approx(slope, abs=tolerance * max(1, abs(step).max()))


@pytest.mark.parametrize("options", [o for o, _ in WIDE] + [{}, {"arith": "fixed16"}], ids=str)
def test_running_statistics_move_towards_those_of_batches_and_serve_evaluation(options):
    ar, norm, x = layer(options)
    values = ar.reals(x).reshape(-1, 3)
    _, calls = norm.forward_training(ar, x)
    for _ in range(40):
        run(calls)
    np.testing.assert_allclose(ar.reals(norm.mean)[0], values.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(ar.reals(norm.variance)[0], values.var(axis=0), rtol=0.03)
    y, calls = norm.forward(ar, x)
    run(calls)
    expected = formulas(values[None], ar.reals(norm.gamma)[0], ar.reals(norm.beta)[0])
    np.testing.assert_allclose(ar.reals(y).reshape(-1, 3), expected[0], atol=0.15)


def test_statistics_are_part_of_the_model():
    net = network({"momentum": "0.5"}, normed)
    names = set(net.kept()) - set(net.parameters())
    assert {"1.mean", "1.variance", "5.mean", "5.variance", "1.gamma.velocity"} <= names


def test_an_input_of_another_size_is_refused():
    ar = make_arithmetic(Settings())
    with pytest.raises(ValueError, match="norm: takes 9 x 8 x 2 numbers, got 5"):
        BatchNorm(ar, SHAPE).forward(ar, ar.empty(1, 5, "activations"))


@pytest.mark.parametrize("options, tolerance", [
    ({"norm_delta": "exact"}, 0.005), ({"norm_delta": "lut"}, 0.12), ({}, 0.015),
    ({"arith": "fixed16"}, 0.005)], ids=str)
@pytest.mark.parametrize("count", [1, 61, 12544, 37 * 784])
def test_the_mean_of_many_numbers_is_right(options, tolerance, count):
    ar = make_arithmetic(Settings(**options))
    values = np.random.default_rng(1).uniform(0.1, 3, (count, 5)) - 1
    rows, mean = (ar.empty(n, 5, "activations") for n in (count, 1))
    ar.set_words(rows, words_of(ar, values))
    ar.mean_of_rows(rows, mean)()
    np.testing.assert_allclose(ar.reals(mean)[0], ar.reals(rows).mean(axis=0), rtol=tolerance,
                               atol=0.001)


@pytest.mark.parametrize("arith", ["lns16", "lns12"])
def test_the_mean_of_small_numbers_is_not_lost(arith):
    ar = make_arithmetic(Settings(arith=arith))
    rows, mean = (ar.empty(n, 5, "gradients") for n in (4096, 1))
    ar.fill(rows, 2**-14)
    ar.mean_of_rows(rows, mean)()
    np.testing.assert_allclose(ar.reals(mean), 2.0**-14, rtol=0.03)


def words_of(ar, values):
    """Return the nearest words to values; logs to nearest, numbers to nearest."""
    f = ar.formats["activations"]
    if isinstance(f, Fixed):
        return np.rint(np.ldexp(values, f.frac)).astype(f.dtype)
    return LnsArray.from_float(values, f).words


@pytest.mark.parametrize("shape", [(4, 5, 6), (1, 1, 40), (3, 3, 1)])
@pytest.mark.parametrize("arith", ["float32", "float64"])
def test_loops_over_floats_give_what_the_formulas_give(arith, shape):
    found = []
    for backend in ("vector", "numpy"):
        ar = make_arithmetic(Settings(arith=arith, lr="0.5", momentum="0.5"), 1, backend)
        norm, rng = BatchNorm(ar, shape), np.random.default_rng(4)
        for t in (norm.gamma, norm.beta):
            t.fields["value"][...] = rng.normal(1, 0.3, (1, shape[2]))
        x, dy = (ar.empty(9, int(np.prod(shape)), r) for r in ("activations", "gradients"))
        y, calls = norm.forward_training(ar, x)
        dx, more = norm.backward(ar, x, dy, True)
        for _ in range(3):
            x.fields["value"][...] = rng.normal(2, 3, (9, x.columns))
            dy.fields["value"][...] = rng.normal(0, 1, (9, x.columns))
            run([*calls, *more])
        evaluated, calls = norm.forward(ar, x)
        run(calls)
        found.append([ar.reals(t) for t in (y, dx, evaluated, norm.gamma, norm.beta, norm.mean,
                                            norm.variance)])
    close = 1e-5 if arith == "float32" else 1e-13
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=0, atol=close * max(1, np.abs(other).max()))
