"""Min-selectors over words: forward and backward against exact fractions."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from helpers.front_door import DIGITS
from helpers.small_convolutions import SHAPE, assert_same, plain, steps, strided

from fxp.format import FormatError
from lnsarith.cli import main
from nets.arithmetic.choose import make_arithmetic
from nets.layers.minselect.fixed import FixedSelectorConv2d, FixedSelectorDense
from nets.layers.window import Window
from nets.network.models import Builder, kinds_of
from nets.network.network import Network
from nets.settings.settings import Settings
from nets.train.run import Run

ONE = {"mean": 1 << 24, "scale": 1 << 16}
SETTINGS = [
    {}, {"statistics": "tensor"}, {"clip_operands": "no"}, {"scales": "power-of-two"},
    {"arith": "minselect12.8", "gain": "1.5"},
    {"weights": "fixed16.13", "activations": "fixed12.6"},
]


def nearest(value):
    """Halves up, of what is not negative."""
    return int(value + Fraction(1, 2) - (value + Fraction(1, 2)) % 1)


def to_even(value):
    return round(value)  # of a Fraction: halves to even


class Exact:
    """A layer's words as the text of the spec has them, in fractions."""

    def __init__(self, s, x, w, b):
        self.s, self.f, self.g = s, s.format("activations"), s.format("weights")
        self.x, self.w, self.b = x.tolist(), w.tolist(), b.tolist()
        self.clip, self.power = s.clip_operands != "no", s.scales == "power-of-two"
        everything = [v for row in self.w for v in row]
        self.mu_x = self.mean([v for row in self.x for v in row], self.f)
        self.mu_w = [self.mean(everything if s.statistics == "tensor" else column, self.g)
                     for column in zip(*self.w)]

    def mean(self, words, f):
        total = Fraction(sum(abs(v) for v in words), len(words) << f.frac)
        return Fraction(nearest(total * ONE["mean"]), ONE["mean"])

    def word(self, value):
        if self.power:
            powers = [Fraction(2) ** n for n in range(-30, 9)]
            value = min(powers, key=lambda p: (max(p / value, value / p), -p))
        return Fraction(nearest(value * ONE["scale"]), ONE["scale"])

    def limit(self, k, f):
        """Return the magnitude that a weight leaves of an input."""
        size = self.size(k, f) * self.word(self.mu_x / self.mu_w[f])
        return Fraction(min(to_even(size * 2**self.f.frac), self.f.high), 2**self.f.frac)

    def size(self, k, f):
        size = Fraction(abs(self.w[k][f]), 2**self.g.frac)
        return min(size, self.top(self.mu_w[f], self.g)) if self.clip else size

    def top(self, mu, f):
        return Fraction(int(2 * mu * 2**f.frac), 2**f.frac)

    def output(self, row, at, f):
        total = Fraction(0)
        for k, i in enumerate(at):
            if i is not None:
                x, w = Fraction(row[i], 2**self.f.frac), self.w[k][f]
                size = min(abs(x), self.limit(k, f))
                total += size if (x < 0) == (w < 0) else -size
        total *= self.word(Fraction(self.s.gain) * self.mu_w[f])
        total += Fraction(self.b[f], 2**self.g.frac)
        return max(self.f.low, min(self.f.high, to_even(total * 2**self.f.frac)))


def windows(window, numbers):
    if window is None:
        return [range(numbers)]
    found = []
    for top, left in itertools.product(range(window.out[0]), range(window.out[1])):
        places = itertools.product(range(window.size), range(window.size), range(window.shape[2]))
        at = []
        for i, j, c in places:
            y, x = (p * window.stride + d - before for p, d, before in
                    zip((top, left), (i, j), window.before))
            inside = 0 <= y < window.shape[0] and 0 <= x < window.shape[1]
            at.append((y * window.shape[1] + x) * window.shape[2] + c if inside else None)
        found.append(at)
    return found


def made(options, window, images=3, outputs=5):
    settings = Settings(**{"arith": "minselect16", "weight_decay": "0", "lr": "1",
                           "update": "nearest", "gradients": "fixed24.16", **options})
    ar, rng = make_arithmetic(settings), np.random.default_rng(0)
    numbers = 21 if window is None else int(np.prod(window.shape))
    layer = (FixedSelectorDense(ar, rng, 21, outputs, 0.3) if window is None else
             FixedSelectorConv2d(ar, rng, window, outputs, 0.3))
    x = ar.empty(images, numbers, "activations")
    words = np.rint(rng.standard_normal((images, numbers)) * 2**ar.formats["activations"].frac)
    ar.set_words(x, words * (rng.random(words.shape) < 0.7))
    ar.set_words(layer.b, ar.words(ar.normal(rng, 1, outputs, 0.3)))
    return ar, layer, x, Exact(settings, ar.words(x), ar.words(layer.w), ar.words(layer.b)[0])


SHAPES = {"dense": None, "same": Window("conv1", (5, 4, 2), 3, 1, "same"),
          "strided": Window("conv1", (7, 6, 2), 3, 2)}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_sums_are_those_of_exact_fractions(options, shape):
    ar, layer, x, exact = made(options, SHAPES[shape])
    y, calls = layer.forward_training(ar, x)
    for call in calls:
        call()
    places = windows(SHAPES[shape], x.columns)
    expected = [[exact.output(row, at, f) for at in places for f in range(5)] for row in exact.x]
    np.testing.assert_array_equal(ar.words(y), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("clip", ["yes", "no"])
def test_gradients_are_those_of_the_clipped_product(shape, clip):
    ar, layer, x, exact = made({"clip_operands": clip, "weights": "fixed24.16"}, SHAPES[shape])
    y, calls = layer.forward_training(ar, x)
    for call in calls:
        call()
    dy = ar.empty(y.rows, y.columns, "gradients")
    ar.set_words(dy, np.rint(np.random.default_rng(1).standard_normal((y.rows, y.columns)) * 900))
    before = ar.reals(layer.w)
    dx, calls = layer.backward(ar, x, dy, True)
    for call in calls:
        call()
    xs, ws, up = ar.reals(x), before, ar.reals(dy)
    bound_x, bound_w = 2 * float(exact.mu_x), 2 * np.array([float(m) for m in exact.mu_w])
    free_x, free_w = np.abs(xs) < np.inf, np.abs(ws) < np.inf
    if clip == "yes":
        free_x, free_w = np.abs(xs) < bound_x, np.abs(ws) < bound_w
        xs, ws = np.clip(xs, -bound_x, bound_x), np.clip(ws, -bound_w, bound_w)
    by_x, by_w = np.zeros_like(xs), np.zeros_like(ws)
    for p, at in enumerate(windows(SHAPES[shape], x.columns)):
        slope = up[:, 5 * p : 5 * p + 5]
        for k, i in enumerate(at):
            if i is not None:
                by_x[:, i] += slope @ ws[k]
                by_w[k] += xs[:, i] @ slope
    assert not free_w.all() or clip == "no"
    np.testing.assert_allclose(ar.reals(dx), by_x * free_x, rtol=0, atol=2e-4)
    np.testing.assert_allclose(before - ar.reals(layer.w), by_w * free_w, rtol=0, atol=2e-3)


def bounded(value, f):
    return max(f.low, min(f.high, to_even(value * 2**f.frac)))


def sub_gradients(exact, dy, places):
    """Return dx, not rounded, and dw of the forward step's own words, in fractions."""
    s, f = exact.s, exact.f
    gain, up = Fraction(s.gain), s.format("gradients").frac
    outputs = range(len(exact.w[0]))
    limits = [[exact.limit(k, o) for o in outputs] for k in range(len(exact.w))]
    scales, own = [exact.word(gain * m) for m in exact.mu_w], exact.word(gain * exact.mu_x)
    by_x = [[Fraction(0)] * len(row) for row in exact.x]
    by_w = [[Fraction(0)] * len(outputs) for _ in exact.w]
    for m, (row, slopes) in enumerate(zip(exact.x, dy.tolist())):
        for (p, at), o in itertools.product(enumerate(places), outputs):
            slope = Fraction(slopes[p * len(outputs) + o], 2**up)
            for k, i in enumerate(at):
                if i is None:
                    continue
                x, w = Fraction(row[i], 2**f.frac), exact.w[k][o]
                if abs(x) < limits[k][o]:
                    by_x[m][i] += scales[o] * slope * (1 if w > 0 else -1)
                elif x:
                    by_w[k][o] += own * slope * (1 if x > 0 else -1)
    return by_x, by_w


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_sub_gradients_are_those_of_exact_fractions(options, shape):
    ar, layer, x, exact = made({"backward": "sub", **options}, SHAPES[shape])
    y, calls = layer.forward_training(ar, x)
    for call in calls:
        call()
    dy = ar.empty(y.rows, y.columns, "gradients")
    ar.set_words(dy, np.rint(np.random.default_rng(1).standard_normal((y.rows, y.columns)) * 9000))
    dx, calls = layer.backward(ar, x, dy, True)
    for call in calls:
        call()
    f, g, to = exact.f, exact.g, ar.formats["gradients"]
    by_x, by_w = sub_gradients(exact, ar.words(dy), windows(SHAPES[shape], x.columns))
    top = exact.top(exact.mu_x, f) * 2**f.frac if exact.clip else 1 << 40
    expected = [[bounded(v, to) if abs(w) < top else 0 for v, w in zip(*rows)]
                for rows in zip(by_x, exact.x)]
    assert any(w and v == 0 for row in zip(expected, exact.x) for v, w in zip(*row))
    np.testing.assert_array_equal(ar.words(dx), expected)
    tops = [exact.top(m, g) * 2**g.frac if exact.clip else 1 << 40 for m in exact.mu_w]
    after = [[bounded(Fraction(w, 2**g.frac) - (v if abs(w) < t else 0), g)
              for w, v, t in zip(*rows, tops)] for rows in zip(exact.w, by_w)]
    assert np.any(after != np.array(exact.w))
    np.testing.assert_array_equal(ar.words(layer.w), after)


def test_sums_of_sub_gradients_that_do_not_fit_are_refused():
    with pytest.raises(FormatError, match="sub-gradients need .* give gradients of fewer bits"):
        ar, layer, x, _ = made({"backward": "sub", "gradients": "fixed32.20"}, None, outputs=300)
        y, _ = layer.forward_training(ar, x)
        layer.backward(ar, x, ar.empty(y.rows, y.columns, "gradients"), True)


@pytest.mark.parametrize("make", [plain, strided])
@pytest.mark.parametrize("options", [{}, {"statistics": "tensor", "momentum": "0.5"},
                                     {"backward": "sub"}], ids=str)
def test_compiled_convolutions_write_the_words_of_numpy_integers(options, make):
    found = []
    for backend in ("vector", "numpy"):
        settings = Settings(dataset="digits", batch=6, arith="minselect16", **options)
        ar = make_arithmetic(settings, 1, backend)
        b = Builder(ar, np.random.default_rng(3), SHAPE, lambda n, _: (2 / n) ** 0.5,
                    kinds=kinds_of(settings))
        net = Network(ar, make(b).flat().dense(10).layers, int(np.prod(SHAPE)), 10)
        found.append([*steps(net), *(ar.words(t).copy() for t in net.kept().values())])
    assert_same(*found)


def test_the_running_mean_size_moves_by_an_eighth():
    ar, layer, x, exact = made({}, None)
    _, calls = layer.forward_training(ar, x)
    running = 1 << 24
    for _ in range(3):
        for call in calls:
            call()
        running += (int(exact.mu_x * (1 << 24)) - running + 4) >> 3
    assert ar.words(layer.mu)[0, 0] == running


def test_a_run_of_words_starts_from_a_run_of_floats_and_goes_on(tmp_path):
    base = [*DIGITS, "--batch", "32", "--hidden", "20", "--norm", "batch", "--threads", "1"]
    floats, whole, parts = (tmp_path / n for n in ("floats", "whole", "parts"))
    assert main([*base, "--arith", "minselect-float", "--epochs", "8", "--out", str(floats)]) == 0
    words = [*base, "--arith", "minselect16", "--transfer", str(floats), "--lr", "2^-8"]
    assert main([*words, "--epochs", "2", "--out", str(whole)]) == 0
    before, after = (Run.open(f).records[-1]["test_accuracy"] for f in (floats, whole))
    assert after > before - 0.03
    assert main([*words, "--epochs", "1", "--out", str(parts)]) == 0
    assert main([*words, "--epochs", "2", "--out", str(parts), "--resume"]) == 0
    assert (whole / "model.npz").read_bytes() == (parts / "model.npz").read_bytes()
