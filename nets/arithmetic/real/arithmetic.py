"""Training in floating point: float32, float64, and the published linear baseline.

The `paper` mode does what the code published with ICASSP 2020 does: float64
master weights, rates and gradients, and a fixed-point grid only for inputs,
initial weights, the sums of both layers and the hidden activation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from fxp.format import Fixed
from fxp.once import cached_property
from fxp.run.execute import WORTH_A_THREAD
from fxp.run.threads import in_threads, parts_of
from fxp.spec import random_word
from nets.arithmetic.algebra import RealAlgebra
from nets.arithmetic.elementwise import DROPOUT
from nets.arithmetic.formulas import FORMULAS
from nets.arithmetic.losses import LOSSES
from nets.arithmetic.real.descent import RealDescent
from nets.arithmetic.tensor import Tensor
from nets.settings.settings import Settings

__all__ = ["RealArithmetic"]


class RealArithmetic(RealDescent):
    """The operations of a network in float32 or float64, or float64 with a grid (paper)."""

    frac = 32  # statistics are integers: losses in units of 2**-32 octaves

    def __init__(self, settings: Settings, threads: int = 1, backend: str = "vector"):
        super().__init__()
        self.settings = settings
        self.step = 0
        self.threads = threads
        self.backend = backend
        self.grid = settings.format("activations") if settings.mode == "paper" else None
        arith = "float64" if settings.arith == "float64" else "float32"
        self.dtype = np.dtype(np.float64 if self.grid else arith)
        self.formats = dict.fromkeys(("weights", "activations", "gradients"), str(self.dtype))

    def on_grid(self, values: np.ndarray) -> np.ndarray:
        """Return values rounded to the grid and saturated, where there is one."""
        if not isinstance(self.grid, Fixed):
            return values
        words = np.clip(np.rint(np.ldexp(values, self.grid.frac)), *self.grid.words)
        return np.ldexp(words, -self.grid.frac)

    def empty(self, rows, columns, role):
        return Tensor({"value": np.zeros((rows, columns), self.dtype)}, columns, role)

    def normal(self, rng, rows, columns, std):
        t = self.empty(rows, columns, "weights")
        t.fields["value"][...] = self.on_grid(rng.standard_normal((rows, columns)) * std)
        return t

    def encode(self, x):
        values = [float(self.settings.pixel(v)) for v in range(256)]
        table = self.on_grid(np.array(values)).astype(self.dtype)
        return lambda pixels: np.take(table, pixels, out=_value(x), mode="clip")

    def encode_training(self, x):
        return self.encode(x)

    def affine(self, x, w, b, y):
        x, w, b, y = map(_value, (x, w, b, y))

        def run():
            np.matmul(x, w, out=y)
            np.add(y, b, out=y)
            if self.grid:
                y[...] = self.on_grid(y)

        return run

    def affine_gradient(self, dy, w, dx):
        return lambda: np.matmul(_value(dy), _value(w).T, out=_value(dx))

    def descend(self, w, x, dy, images=0):
        return self.moving(w, lambda: _value(x).T @ _value(dy))

    def descend_bias(self, b, dy, images=0):
        return self.moving(b, lambda: _value(dy).sum(axis=0, keepdims=True))

    def by_rows(self, function: Callable, *tensors: Tensor):
        """Return the call of function(arrays), shared out by rows among threads."""
        arrays = [_value(t) for t in tensors]
        parts = parts_of(len(arrays[0]), arrays[0].size, WORTH_A_THREAD, self.threads, each=1)
        return in_threads([partial(function, *(a[low:high] for a in arrays))
                           for low, high in parts])

    def leaky(self, x, y):
        slope = self.dtype.type(2.0**self.settings.slope)

        def run(x, y):
            np.multiply(x, slope, out=y)
            np.maximum(x, y, out=y)
            if self.grid:
                y[...] = self.on_grid(y)

        return self.by_rows(run, x, y)

    def leaky_gradient(self, x, dy, dx):
        slope = self.dtype.type(2.0**self.settings.slope)
        return self.by_rows(lambda x, dy, dx: np.multiply(dy, np.where(x < 0, slope, 1), out=dx),
                            x, dy, dx)

    def formula(self, name, out, *operands):
        values = [_value(t) for t in operands]
        if name == "plus":  # of whole images: without a copy
            return partial(np.add, *values, out=_value(out))
        return lambda: np.copyto(_value(out), FORMULAS[name](RealAlgebra, *values))

    def mean_of_rows(self, rows, mean):
        return lambda: np.mean(_value(rows), axis=0, keepdims=True, out=_value(mean))

    def fill(self, t, value):
        _value(t).fill(float(value))

    def constant(self, value):
        return self.dtype.type(float(value))

    def relu(self, x, y):
        return self.by_rows(lambda x, y: np.maximum(x, 0, out=y), x, y)

    def relu_gradient(self, x, dy, dx):
        return self.by_rows(lambda x, dy, dx: np.multiply(dy, x > 0, out=dx), x, dy, dx)

    def spindle(self, x, y, function):
        return self.applied(function.real, y, x)

    def spindle_gradient(self, x, dy, dx, function):
        return self.applied(lambda d, v: d * function.slope(v), dx, dy, x)

    def dropped(self, x, y, threshold, factor, number):
        places = np.arange(_value(x).size).reshape(_value(x).shape)
        salt = (self.settings.seed * 65599 + DROPOUT + number) & 0xFFFFFFFF
        if self.backend == "vector":
            drop, scale = _dropping(), self.dtype.type(float(factor))
            return lambda: drop(_value(x), _value(y), random_word(self.step & 0xFFFFFFFF, salt),
                                threshold, scale)

        def run():
            bits = random_word(places, random_word(self.step & 0xFFFFFFFF, salt)) & 0xFFFF
            np.multiply(_value(x), self.dtype.type(float(factor)), out=_value(y))
            _value(y)[bits < threshold] = 0

        return run

    def applied(self, function, out, *operands):
        """out = a function of arrays, of one shape or to be broadcast."""
        values = [_value(t) for t in operands]
        return lambda: np.copyto(_value(out), function(*values))

    def loss(self, outputs, labels, gradient, stats):
        z, function = _value(outputs), LOSSES[self.settings.loss]

        def run():
            losses, d = function(z, labels)
            octaves = losses.astype(np.float64).sum() / math.log(2)
            if octaves < 1 << 20:  # not for a NaN either
                stats[0] += int(octaves * (1 << self.frac))
            else:
                stats[3] += 1
            stats[1] += int((z.argmax(axis=1) == labels).sum())
            mean = np.nan_to_num(z.mean(dtype=np.float64), posinf=0, neginf=0)
            stats[2] += int(np.clip(mean, -(1 << 20), 1 << 20) * z.size / math.log(2)) << self.frac
            if gradient is not None:
                np.divide(d, d.dtype.type(labels.size), out=_value(gradient))

        return run

    @cached_property
    def one(self):
        return Tensor({"value": np.ones((1, 1), self.dtype)}, 1)

    def words(self, t):
        return _value(t)

    def set_words(self, t, words):
        _value(t)[...] = words

    def set_reals(self, t, values):
        _value(t)[...] = values

    def reals(self, t):
        return _value(t).astype(np.float64)


def _value(t: Tensor) -> np.ndarray:
    return t.fields["value"]


def _dropping():
    """Return the loop of dropout: the bits and results of `dropped` by NumPy."""
    from fxp.compile.cache import scalar_kernel
    from fxp.trace.circuit import trace

    word = (0, (1 << 32) - 1)
    bits = trace(random_word, {"counter": word, "seed": word}, name="bits")
    return scalar_kernel("dropped", {"bits": bits}, _DROPPED)


_DROPPED = """\
@njit(cache=True, nogil=True)
def run(x, y, seed, threshold, factor):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            chosen = bits(i * x.shape[1] + j, seed) & 0xFFFF
            y[i, j] = x.dtype.type(0) if chosen < threshold else x[i, j] * factor
"""
