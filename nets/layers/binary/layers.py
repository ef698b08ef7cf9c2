"""Layers of binary networks: products with signs, norm and scale of their sums, the sign.

A product computes S = x sign(w) over inputs that are integers, so S is an integer too and
float32 holds it exactly, whatever the order of its sums. The latent weights w stay in -1..1;
the gradient of sign(w) is taken for theirs (straight-through). Where norm and scale decide
signs and classes they compute in float64, each step monotone in S, so that integer
thresholds can say the same.
"""

from __future__ import annotations

import math

import numpy as np

from nets.arithmetic.binary.arithmetic import BinaryArithmetic
from nets.arithmetic.formulas import EPSILON
from nets.arithmetic.registers import copying
from nets.arithmetic.tensor import Tensor
from nets.layers.dense import Dense, Layer
from nets.layers.norm import BatchNorm
from nets.layers.spatial.conv import Conv2d
from nets.layers.window import Window, as_images

__all__ = ["BinaryConv2d", "BinaryDense", "BinaryNorm", "Product", "Scale", "Sign"]


class Product(Layer):
    """What a dense layer and a convolution of signs share; w is depth x outputs.

    Inputs are integers in -peak..peak: 1, or 255 of pixels that are not binarised.
    """

    name: str
    w: Tensor
    sign: Tensor
    peak = 1

    def prepare(self, ar: BinaryArithmetic, rng: np.random.Generator, name: str, depth: int,
                outputs: int) -> None:
        """Draw the latent weights."""
        self.name = name
        self.w = ar.latent(rng, depth, outputs)
        self.sign = ar.empty(depth, outputs, "weights")

    @property
    def unit(self) -> float:
        """What brings sums to about the size of 1."""
        return 1 / math.sqrt(self.w.rows) / self.peak

    @property
    def positive(self) -> np.ndarray:
        """Whether weights stand for 1, depth x outputs; 0 does."""
        return self.w.fields["value"] >= 0

    def parameters(self):
        return {"w": self.w}


class BinaryDense(Product, Dense):
    """S = x sign(w), with w inputs x outputs; no bias."""

    def __init__(self, ar, rng, inputs, outputs, std, zero_bias=False, name="dense"):
        self.prepare(ar, rng, name, inputs, outputs)

    def forward(self, ar, x):
        self.check(x)
        y = ar.empty(x.rows, self.w.columns, "activations")
        return y, [ar.signs(self.w, self.sign), ar.product(x, self.sign, y)]

    def backward(self, ar, x, dy, wanted):
        dx, calls = None, []
        if wanted:
            dx = ar.empty(x.rows, x.columns, "gradients")
            calls.append(ar.affine_gradient(dy, self.sign, dx))
        return dx, [*calls, ar.descend(self.w, x, dy)]


class BinaryConv2d(Product, Conv2d):
    """S of the windows of an image; with padding `same` the least number lies around it,
    -peak: that of a black pixel, bits -1."""

    def __init__(self, ar, rng, window: Window, channels: int, std: float):
        self.prepare(ar, rng, window.layer, window.depth, channels)
        self.window, self.shape = window, (*window.out, channels)
        height, width = window.reach()
        self.inner = Window(window.layer, (height, width, window.shape[2]), window.size,
                            window.stride)
        self.nothing = ar.empty(1, channels, "weights")  # for a bias
        self._framed: dict[int, Tensor] = {}  # by the identity of the input

    def forward(self, ar, x):
        self.check(x)
        framed, put = self._frame(ar, x)
        self._framed[id(x)] = framed
        y = ar.empty(x.rows, int(np.prod(self.shape)), "activations")
        ways = self._ways(ar, x.rows)
        return y, [ar.signs(self.w, self.sign), *put,
                   *ways.convolve(ar, self.inner, framed, self.sign, self.nothing, y)]

    def backward(self, ar, x, dy, wanted):
        framed, ways, dx, calls = self._framed[id(x)], self._ways(ar, x.rows), None, []
        if wanted:
            around = ar.empty(framed.rows, framed.columns, "gradients")
            dx = ar.empty(x.rows, x.columns, "gradients")
            calls = [*ways.convolve_gradient(ar, self.inner, dy, self.sign, around),
                     copying(ar, list(zip(as_images(dx, self.window.shape).values(),
                                          self._inside(around))))]
        *steps, _ = ways.descend(ar, self.inner, self.w, self.nothing, framed, dy)
        return dx, [*calls, *steps]  # all but the bias's

    def _frame(self, ar, x: Tensor):
        """Return x with what lies around it, and the calls that fill it."""
        if self.inner == self.window:
            return x, []
        framed = ar.empty(x.rows, int(np.prod(self.inner.shape)), "activations")
        ar.fill(framed, -self.peak)
        images = as_images(x, self.window.shape).values()
        return framed, [copying(ar, list(zip(self._inside(framed), images)))]

    def _inside(self, framed: Tensor) -> list[np.ndarray]:
        (top, left), (height, width, _) = self.window.before, self.window.shape
        return [v[:, top : top + height, left : left + width]
                for v in as_images(framed, self.inner.shape).values()]


class BinaryNorm(BatchNorm):
    """Batch normalisation whose running statistics are applied in float64."""

    def normed(self, sums: np.ndarray) -> np.ndarray:
        """Return the norm of sums (.. x channels) by the running statistics, float32 of
        float64."""
        mean, root, gamma, beta = self.constants()
        return ((sums - mean) * root * gamma + beta).astype(np.float32)

    def constants(self) -> list[np.ndarray]:
        """Return mean, 1 / deviation, gamma and beta of each channel, float64."""
        mean, variance, gamma, beta = (
            t.fields["value"][0].astype(np.float64)
            for t in (self.mean, self.variance, self.gamma, self.beta))
        return [mean, 1 / np.sqrt(variance + EPSILON), gamma, beta]

    def forward(self, ar, x):
        self.check(x)
        return _by_channel(x, self.shape[2], ar.empty(x.rows, x.columns, "activations"),
                           self.normed)


class Scale(Layer):
    """y = unit e^log_scale S + b: one positive scale, a b for each channel; float64.

    It makes logits of the last sums, and stands before signs without batch norm.
    """

    def __init__(self, ar, product: Product):
        self.product = product
        self.log_scale = ar.empty(1, 1, "weights")
        self.b = ar.empty(1, product.w.columns, "weights")

    def parameters(self):
        return {"log_scale": self.log_scale, "b": self.b}

    @property
    def scale(self) -> float:
        """What sums are multiplied with."""
        return self.product.unit * math.exp(self.log_scale.fields["value"][0, 0])

    def normed(self, sums: np.ndarray) -> np.ndarray:
        """Return y, float64, of sums (.. x channels)."""
        return sums * self.scale + self.b.fields["value"][0]

    def constants(self) -> list[np.ndarray]:
        """Return mean, 1 / deviation, gamma and beta of each channel, as a norm has them."""
        b = self.b.fields["value"][0].astype(np.float64)
        return [np.zeros_like(b), np.full_like(b, self.scale), np.ones_like(b), b]

    def forward(self, ar, x):
        y = Tensor({"value": np.zeros((x.rows, x.columns))}, x.columns, "activations")
        return _by_channel(x, self.b.columns, y, self.normed)

    def backward(self, ar, x, dy, wanted):
        dx, sums, above = None, x.fields["value"], dy.fields["value"]
        calls = []
        if wanted:
            dx = ar.empty(x.rows, x.columns, "gradients")
            calls = [ar.applied(lambda d: d * above.dtype.type(self.scale), dx, dy)]

        def gradient() -> np.ndarray:
            along = np.einsum("ij,ij->", above, sums, dtype=np.float64)
            return np.full((1, 1), along * self.scale, above.dtype)

        def bias() -> np.ndarray:
            return above.reshape(-1, self.b.columns).sum(axis=0, keepdims=True)

        return dx, [*calls, ar.moving(self.log_scale, gradient, decays=False),
                    ar.moving(self.b, bias, decays=False)]


class Sign(Layer):
    """y = 1 where x is 0 or more, else -1; the gradient passes where x is in -1..1."""

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.signs(x, y)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.signs_gradient(x, dy, dx)]


def _by_channel(x: Tensor, channels: int, y: Tensor, function):
    """Return y and the call that fills it with a function of x, rows x channels."""
    sums, out = (t.fields["value"].reshape(-1, channels) for t in (x, y))
    return y, [lambda: np.copyto(out, function(sums), casting="same_kind")]
