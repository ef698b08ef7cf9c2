"""Layers of min-selectors in float32, and of exact products of clipped operands.

For each input x and weight w of a layer, with mu a mean absolute value,

    z = sgn(x) sgn(w) g mu_w min(|x|, (mu_x / mu_w) |w|)

stands for x w (MinConvNets, Yang et al., arXiv 2101.09492; the reading of the signs, of
the gradients and of what follows is this project's). mu_w is of a filter (an output's
weights) or of the whole tensor, mu_x of the layer's whole input: in training that of the
batch, so that a step sees what it changes; otherwise the running one, which moves by an
eighth towards each batch's and is kept with the model, as with batch normalisation.

Clipped, w and x stay within twice their mu, which is taken before the clip.
(mu_x / mu_w) |w| is then 2 mu_x at most, so clipping x changes no min: it decides
gradients alone, and inference leaves it out. The exact product of clipped operands, which
prepares weights for min-selectors, does change, so there x is clipped at inference too.

Gradients hold mu_x and mu_w constant and are zero where an operand is at or beyond its clip:

    ste     those of the exact product of the clipped operands, whatever g:
            dz/dx = w, dz/dw = x
    sub     of z itself: where |x| < (mu_x / mu_w) |w|, dz/dx = g mu_w sgn(w) and dz/dw = 0;
            elsewhere (ties too) dz/dx = 0 and dz/dw = g mu_x sgn(x)

The gain g makes up for a min being less than its product. For independent half-normal
operands, 1.9459 = 1 / (sqrt 2 (1 - 2/pi)) makes the squared error least, 1.7071 =
1 + 1/sqrt 2 the mean right. A min is homogeneous, so g scales sums and changes no shape:
batch normalisation undoes it, the logits of the last layer keep it.
"""

from __future__ import annotations

import numpy as np

from nets.conv import Conv2d
from nets.layers import Dense, Layer
from nets.minselect_kernels import LANES, OUTPUTS, kernels
from nets.settings import Settings, parse_real
from nets.tensor import Tensor
from nets.window import Window

__all__ = ["SelectorConv2d", "SelectorDense", "Selector", "places_of"]

PATCHES = 1 << 18  # numbers of gathered patches that fit near the processor


def places_of(window: Window) -> np.ndarray:
    """Return the number of x (or one beyond the last: zero) under each window,
    positions x depth; depth goes by window row, column, channel."""
    (height, width), (top, left) = window.out, window.before
    rows, columns, channels = window.shape
    i = np.arange(height)[:, None] * window.stride - top + np.arange(window.size)
    j = np.arange(width)[:, None] * window.stride - left + np.arange(window.size)
    i, j = i[:, None, :, None, None], j[None, :, None, :, None]
    inside = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
    found = np.where(inside, (i * columns + j) * channels + np.arange(channels),
                     rows * columns * channels)
    return found.reshape(height * width, window.depth)


class Selector(Layer):
    """What a dense layer and a convolution of min-selectors share; see the module."""

    w: Tensor
    b: Tensor

    def prepare(self, ar, places: np.ndarray, features: int) -> None:
        """Take the numbers of the input that each output's weights meet."""
        s: Settings = ar.settings
        self.features, self.positions = features, len(places)
        self.exact, self.clips = not s.selects, s.clips
        self.whole, self.ste = s.statistics == "tensor", s.backward != "sub"
        self.gain = np.float32(1 if self.exact else parse_real("gain", s.gain))
        self.places = np.ascontiguousarray(places, np.int64)
        self.mu = ar.empty(1, 1, "activations")
        ar.fill(self.mu, 1)
        self._bound: dict[int, _Bound] = {}  # by the identity of the input

    def kept(self):
        return {"mu": self.mu}

    def forward(self, ar, x):
        bound, y = self._bind(ar, x)
        return y, [lambda: bound.forward(False)]

    def forward_training(self, ar, x):
        bound, y = self._bind(ar, x)
        self._bound[id(x)] = bound
        return y, [lambda: bound.forward(True)]

    def _bind(self, ar, x: Tensor):
        self.check(x)
        y = ar.empty(x.rows, self.positions * self.w.columns, "activations")
        return _Bound(self, x, y), y

    def backward(self, ar, x, dy, wanted):
        bound = self._bound[id(x)]
        dx = ar.empty(x.rows, x.columns, "gradients") if wanted else None
        return dx, [lambda: bound.backward(dy, dx),  # before w moves
                    ar.moving(self.w, lambda: bound.dw), ar.moving(self.b, lambda: bound.db)]


class SelectorDense(Selector, Dense):
    """y = the min-selected x w, summed up, plus b, with w inputs x outputs."""

    def __init__(self, ar, rng, inputs, outputs, std, zero_bias=False, name="dense"):
        Dense.__init__(self, ar, rng, inputs, outputs, std, zero_bias, name)
        self.prepare(ar, np.arange(inputs)[None], inputs)


class SelectorConv2d(Selector, Conv2d):
    """Each output is the window below it min-selected with w, summed up, plus b."""

    def __init__(self, ar, rng, window, channels, std):
        Conv2d.__init__(self, ar, rng, window, channels, std)
        self.prepare(ar, places_of(window), int(np.prod(window.shape)))


class _Bound:
    """A layer bound to the input and output of one batch size.

    x and y lie turned, as features x batch, the batch padded to LANES with zeros and the
    features of x with a row of zeros.
    """

    def __init__(self, layer: Selector, x: Tensor, y: Tensor):
        self.layer, self.kernels = layer, kernels()
        self.x, self.y = x.fields["value"], y.fields["value"]
        dtype, lanes = self.x.dtype, _up(x.rows, LANES)
        self.turned = np.zeros((layer.features + 1, lanes), dtype)
        self.out = np.zeros((y.columns + OUTPUTS, lanes), dtype)[: y.columns]
        blocks = -(-layer.w.columns // OUTPUTS)
        self.packed = np.zeros((blocks, layer.w.rows, 2, OUTPUTS), dtype)
        self.ratio, self.scale, self.bias = np.zeros((3, blocks * OUTPUTS), dtype)
        self.dw = self.db = np.zeros(0, dtype)
        depth = layer.w.rows
        step = max(1, PATCHES // (depth * lanes))
        self.parts = [layer.places[i : i + step] for i in range(0, layer.positions, step)]

    def forward(self, training: bool) -> None:
        layer, x = self.layer, self.turned[: self.layer.features]
        self.kernels.turn(self.x, x)
        mu = layer.mu.fields["value"]
        self.mu = mu[0, 0]
        if training:
            self.mu = np.abs(x).sum() / x.dtype.type(self.x.size)
            mu += (self.mu - mu) / 8
        if layer.clips and (training or layer.exact):
            np.clip(x, -2 * self.mu, 2 * self.mu, out=x)
        w, bias = layer.w.fields["value"], layer.b.fields["value"][0]
        sizes = np.abs(w)
        self.mean = sizes.mean(axis=None if layer.whole else 0, keepdims=True)
        self.free = sizes < 2 * self.mean
        self.clipped = np.clip(w, -2 * self.mean, 2 * self.mean) if layer.clips else w
        if layer.exact:
            self._multiply(bias)
        else:
            self._select(bias)
        self.kernels.turn(self.out[:, : len(self.y)], self.y)

    def _select(self, bias: np.ndarray) -> None:
        w, outputs = self.clipped, self.clipped.shape[1]
        self.bias[:outputs] = bias
        # Where all weights are zero, so is the sum, and any scale will do but zero, by
        # which gradients are divided.
        self.scale[:outputs] = np.where(self.mean == 0, 1, self.layer.gain * self.mean)
        self.ratio[:outputs] = np.divide(self.mu, self.mean, out=np.zeros_like(self.mean),
                                         where=self.mean > 0)
        self.kernels.pack(w, self.ratio, self.packed)
        self.kernels.select(self.turned, self.layer.places, self.packed, self.scale, self.bias,
                            self.out, outputs)

    def _multiply(self, bias: np.ndarray) -> None:
        outputs = self._by_position(self.out)
        for part, patches, here in self._patches():
            sums = self.clipped.T @ patches
            outputs[here] = (sums + bias[:, None]).reshape(
                len(sums), len(part), -1).transpose(1, 0, 2)

    def backward(self, dy: Tensor, dx: Tensor | None) -> None:
        layer = self.layer
        upstream = np.zeros_like(self.out.base)[: len(self.out)]
        self.kernels.turn(dy.fields["value"], upstream[:, : dy.rows])
        self.db = self._by_position(upstream).sum(axis=(0, 2))[None]
        self.dw = np.zeros_like(layer.w.fields["value"])
        slopes = np.zeros_like(self.turned)
        if layer.exact or layer.ste:
            self._straight(upstream, slopes, dx is not None)
        else:
            self._differentiate(upstream, slopes)
        if layer.clips:
            self.dw *= self.free
            slopes *= np.abs(self.turned) < 2 * self.mu
        if dx is not None:
            self.kernels.turn(slopes[: layer.features, : dx.rows], dx.fields["value"])

    def _differentiate(self, upstream: np.ndarray, slopes: np.ndarray) -> None:
        """Add the sub-gradients; changes upstream."""
        outputs = self.dw.shape[1]
        sums = np.zeros((len(self.dw), len(self.scale)), self.dw.dtype)
        by_output = self._by_position(upstream)
        by_output *= self.scale[:outputs, None]
        self.kernels.differentiate(self.turned, self.layer.places, self.packed, upstream,
                                   slopes, sums, outputs)
        self.dw += sums[:, :outputs] * (self.layer.gain * self.mu / self.scale[:outputs])

    def _straight(self, upstream: np.ndarray, slopes: np.ndarray, wanted: bool) -> None:
        """Add the gradients of the exact product."""
        above = self._by_position(upstream)
        for part, patches, here in self._patches():
            rows = above[here].transpose(1, 0, 2).reshape(above.shape[1], -1)
            self.dw += patches @ rows.T
            if wanted and self.layer.positions == 1:
                slopes[:-1] += self.clipped @ rows
            elif wanted:
                back = (self.clipped @ rows).reshape(len(patches), len(part), -1)
                self.kernels.spread(back, part, slopes)

    def _patches(self):
        """Give positions, their patches (depth x positions * batch), and where they are."""
        at = 0
        for part in self.parts:
            here = slice(at, at + len(part))
            at += len(part)
            if self.layer.positions == 1:
                yield part, self.turned[:-1], here
            else:
                rows = np.take(self.turned, part.T, axis=0)
                yield part, rows.reshape(len(rows), -1), here

    def _by_position(self, t: np.ndarray) -> np.ndarray:
        """View positions * outputs x batch as positions x outputs x batch."""
        return t.reshape(self.layer.positions, -1, t.shape[1])


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
