"""Layers of min-selectors against plain loops over float64 numbers."""

import itertools
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from nets.arithmetic.choose import make_arithmetic
from nets.arithmetic.tensor import Tensor
from nets.layers.minselect.layers import SelectorConv2d, SelectorDense
from nets.layers.window import Window
from nets.settings.settings import Settings

SHAPES = {
    "dense": None,
    "valid": Window("conv1", (6, 5, 3), 3),
    "same": Window("conv1", (5, 4, 2), 3, 1, "same"),
    "strided": Window("conv1", (7, 6, 2), 3, 2, "same"),
}
SETTINGS = [
    {},
    {"statistics": "tensor"},
    {"clip_operands": "no"},
    {"backward": "sub"},
    {"backward": "sub", "statistics": "tensor", "gain": "1.5"},
    {"backward": "sub", "clip_operands": "no"},
    {"arith": "float32", "clip_operands": "yes"},
    {"arith": "float32", "clip_operands": "yes", "statistics": "tensor"},
]


def sign(v):
    return (v > 0) - (v < 0)


def mean(values):
    values = [abs(v) for v in values]
    return sum(values) / len(values)


class Loops:
    """One layer, a number at a time; x images x numbers, w depth x outputs."""

    def __init__(self, settings, window, x, w, b):
        self.s, self.x, self.w, self.b = settings, x.tolist(), w.tolist(), b.tolist()
        self.exact = settings.arith == "float32"
        self.clip = settings.clip_operands != "no"
        self.gain = 1.0 if self.exact else float(settings.gain)
        depth, self.outputs = w.shape
        columns = [[row[f] for row in self.w] for f in range(self.outputs)]
        if settings.statistics == "tensor":
            columns = [sum(columns, [])] * self.outputs
        self.mu_w = [mean(column) for column in columns]
        self.mu_x = mean([v for row in self.x for v in row])
        self.windows = [range(depth)] if window is None else list(_windows(window))

    def forward(self):
        rows = [[self.sum(row, at, f) for at in self.windows for f in range(self.outputs)]
                for row in self.x]
        return np.array(rows)

    def sum(self, row, at, f):
        terms = [self.term(row[i], self.w[k][f], f) for k, i in enumerate(at) if i is not None]
        return self.b[f] + math.fsum(terms)

    def clipped(self, v, mu):
        return max(-2 * mu, min(2 * mu, v)) if self.clip else v

    def term(self, x, w, f):
        x, w = self.clipped(x, self.mu_x), self.clipped(w, self.mu_w[f])
        if self.exact:
            return x * w
        size = min(abs(x), self.mu_x / self.mu_w[f] * abs(w))
        return self.gain * self.mu_w[f] * sign(x) * sign(w) * size

    def slopes(self, x, w, f):
        """Return dz/dx and dz/dw."""
        mu_x, mu_w = self.mu_x, self.mu_w[f]
        cx, cw = self.clipped(x, mu_x), self.clipped(w, mu_w)
        if self.exact or self.s.backward == "ste":
            dx, dw = cw, cx
        elif abs(cx) < mu_x / mu_w * abs(cw):
            dx, dw = self.gain * mu_w * sign(w), 0.0
        else:
            dx, dw = 0.0, self.gain * mu_x * sign(x)
        free_x = not self.clip or abs(x) < 2 * mu_x
        free_w = not self.clip or abs(w) < 2 * mu_w
        return dx * free_x, dw * free_w

    def backward(self, dy):
        dx, dw = np.zeros((len(self.x), len(self.x[0]))), np.zeros((len(self.w), self.outputs))
        for n, (p, at), f in itertools.product(range(len(self.x)), enumerate(self.windows),
                                               range(self.outputs)):
            d = dy[n, p * self.outputs + f]
            for k, i in enumerate(at):
                if i is not None:
                    to_x, to_w = self.slopes(self.x[n][i], self.w[k][f], f)
                    dx[n, i] += d * to_x
                    dw[k, f] += d * to_w
        return dx, dw


def _windows(window):
    """Yield the numbers of x under each window, None outside the image."""
    (height, width, channels), size, step = window.shape, window.size, window.stride
    for top, left in itertools.product(range(window.out[0]), range(window.out[1])):
        at = []
        for i, j, c in itertools.product(range(size), range(size), range(channels)):
            y, x = top * step + i - window.before[0], left * step + j - window.before[1]
            inside = 0 <= y < height and 0 <= x < width
            at.append((y * width + x) * channels + c if inside else None)
        yield at


def made(options, window, images=5, outputs=6, seed=0):
    """Return an arithmetic, a layer, its input and the loops of the same numbers."""
    settings = Settings(**{"arith": "minselect-float", "weight_decay": "0", "lr": "1", **options})
    ar, rng = make_arithmetic(settings), np.random.default_rng(seed)
    if window is None:
        layer, numbers = SelectorDense(ar, rng, 37, outputs, 0.3), 37
    else:
        layer = SelectorConv2d(ar, rng, window, outputs, 0.3)
        numbers = int(np.prod(window.shape))
    values = rng.standard_normal((images, numbers)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = 0  # as behind a ReLU, but of both signs
    layer.b.fields["value"][...] = rng.standard_normal((1, outputs))
    layer.w.fields["value"][1, 0] = 0
    x = Tensor({"value": values}, numbers, "activations")
    loops = Loops(settings, window, values.astype(float), ar.reals(layer.w), ar.reals(layer.b)[0])
    return ar, layer, x, loops


def called(calls):
    for call in calls:
        call()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_sums_and_gradients_are_those_of_the_formulas(options, shape):
    ar, layer, x, loops = made(options, SHAPES[shape])
    y, calls = layer.forward_training(ar, x)
    called(calls)
    np.testing.assert_allclose(ar.reals(y), loops.forward(), rtol=0, atol=2e-5)
    upstream = np.random.default_rng(1).standard_normal((y.rows, y.columns)).astype(np.float32)
    dy = Tensor({"value": upstream}, y.columns, "gradients")
    before = [ar.reals(t) for t in (layer.w, layer.b)]
    dx, calls = layer.backward(ar, x, dy, True)
    called(calls)
    expected_dx, expected_dw = loops.backward(upstream.astype(float))
    np.testing.assert_allclose(ar.reals(dx), expected_dx, rtol=0, atol=5e-5)
    np.testing.assert_allclose(before[0] - ar.reals(layer.w), expected_dw, rtol=0, atol=2e-4)
    db = upstream.astype(float).reshape(-1, layer.w.columns).sum(0)
    np.testing.assert_allclose((before[1] - ar.reals(layer.b))[0], db, rtol=0, atol=5e-5)


@pytest.mark.parametrize("images", [1, 15, 16, 17, 64, 100, 150])
@pytest.mark.parametrize("outputs", [1, 4, 10])
def test_every_size_of_batch_and_output_is_summed(images, outputs):
    ar, layer, x, loops = made({}, SHAPES["same"], images, outputs)
    y, calls = layer.forward_training(ar, x)
    called(calls)
    np.testing.assert_allclose(ar.reals(y), loops.forward(), rtol=0, atol=2e-5)


@pytest.mark.parametrize("clip", ["yes", "no"])
@pytest.mark.parametrize("shape", ["dense", "same"])
def test_sub_gradients_are_finite_differences_away_from_ties(shape, clip):
    """With mu held constant, as the rule says, of every input and weight."""
    options = {"backward": "sub", "clip_operands": clip}
    ar, layer, x, loops = made(options, SHAPES[shape], images=2, outputs=2)
    y, calls = layer.forward_training(ar, x)
    called(calls)
    upstream = np.random.default_rng(2).standard_normal((y.rows, y.columns)).astype(np.float32)
    dy, before = Tensor({"value": upstream}, y.columns, "gradients"), ar.reals(layer.w)
    dx, calls = layer.backward(ar, x, dy, True)
    called(calls)

    def slope(row, place, step=1e-7):
        middle, found = row[place], []
        for value in (middle + step, middle - step):
            row[place] = value
            found.append((loops.forward() * upstream).sum())
        row[place] = middle
        return (found[0] - found[1]) / (2 * step)

    # Where an input or a weight is zero, a min of the other has a kink at no tie.
    by_x = np.array([[slope(row, i) for i in range(len(row))] for row in loops.x])
    by_w = np.array([[slope(row, f) for f in range(len(row))] for row in loops.w])
    np.testing.assert_allclose(ar.reals(dx), by_x, rtol=0, atol=1e-4)
    np.testing.assert_allclose(before - ar.reals(layer.w), by_w, rtol=0, atol=1e-4)


def test_a_tie_counts_for_the_weight():
    options = {"backward": "sub", "clip_operands": "no", "gain": "1"}
    ar, layer, _, _ = made(options, None, outputs=1)
    layer.w.fields["value"][...] = np.where(np.arange(37) % 2, 1, -1)[:, None]  # all mu
    x = Tensor({"value": np.full((1, 37), 0.5, np.float32)}, 37, "activations")  # all mu
    dy = Tensor({"value": np.ones((1, 1), np.float32)}, 1, "gradients")
    _, calls = layer.forward_training(ar, x)
    called(calls)
    before = ar.reals(layer.w)
    dx, calls = layer.backward(ar, x, dy, True)
    called(calls)
    assert not ar.reals(dx).any()
    np.testing.assert_array_equal(before - ar.reals(layer.w), np.full((37, 1), 0.5))


def test_evaluation_takes_the_running_mean_size():
    ar, layer, x, loops = made({}, SHAPES["valid"])
    _, calls = layer.forward_training(ar, x)
    running, batch = 1.0, loops.mu_x
    for _ in range(3):
        called(calls)
        running += (batch - running) / 8
    np.testing.assert_allclose(ar.reals(layer.mu), running, rtol=1e-6)
    y, calls = layer.forward(ar, x)
    called(calls)
    loops.mu_x = running
    np.testing.assert_allclose(ar.reals(y), loops.forward(), rtol=0, atol=2e-5)


def test_nothing_but_zeros_gives_the_bias():
    ar, layer, x, _ = made({"backward": "sub"}, SHAPES["valid"])
    for t in (x, layer.w):
        t.fields["value"].fill(0)
    y, calls = layer.forward_training(ar, x)
    called(calls)
    expected = np.tile(ar.reals(layer.b), (x.rows, y.columns // 6))
    np.testing.assert_array_equal(ar.reals(y), expected)


LOOPS = """
import hashlib, numpy as np
from nets.layers.lanes.kernels import kernels
k, rng = kernels(), np.random.default_rng(0)
x, dy = (rng.standard_normal((n, 80)).astype(np.float32) for n in (30, 2 * 6 + 4))
w, places = rng.standard_normal((21, 6)).astype(np.float32), rng.integers(0, 30, (2, 21))
weights, y, dx = np.zeros((2, 21, 2, 4), np.float32), np.zeros_like(dy), np.zeros_like(x)
k.pack_limits(w, np.full(8, 1.3, np.float32), weights)
scale, bias, dw = *rng.standard_normal((2, 8)).astype(np.float32), np.zeros((21, 8), np.float32)
k.select(x, places, weights, scale, bias, y, 6)
k.differentiate(x, places, weights, dy, dx, dw, 6)
assert all(a.any() for a in (y, dx, dw[:, :6]))
print(hashlib.sha256(y[:12].tobytes() + dx.tobytes() + dw[:, :6].tobytes()).hexdigest())
"""


def test_sums_and_sub_gradients_have_the_same_bits_on_every_processor():
    digests = set()
    for processor in ("", "haswell", "nehalem"):
        env = {**os.environ, "NUMBA_CPU_NAME": processor} if processor else os.environ
        run = subprocess.run([sys.executable, "-c", LOOPS], env=env, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        digests.add(run.stdout)
    assert len(digests) == 1
