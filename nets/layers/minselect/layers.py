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

from nets.arithmetic.tensor import Tensor
from nets.layers.dense import Dense, Layer
from nets.layers.lanes.kernels import kernels
from nets.layers.lanes.layout import by_position, packed_like, places_of, turned_like
from nets.layers.spatial.conv import Conv2d
from nets.settings.settings import Settings, parse_real

__all__ = ["Selector", "SelectorConv2d", "SelectorDense"]

class Selector(Layer):
    """What a dense layer and a convolution of min-selectors share; see the module."""

    w: Tensor
    b: Tensor

    def prepare(self, ar, places: np.ndarray) -> None:
        """Take the numbers of the input that each output's weights meet."""
        s: Settings = ar.settings
        self.places, self.positions = places, len(places)
        self.exact, self.clips = not s.selects, s.clips
        self.whole, self.ste = s.statistics == "tensor", s.backward != "sub"
        self.gain = np.float32(1 if self.exact else parse_real("gain", s.gain))
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
        self.prepare(ar, np.arange(inputs)[None])


class SelectorConv2d(Selector, Conv2d):
    """Each output is the window below it min-selected with w, summed up, plus b."""

    def __init__(self, ar, rng, window, channels, std):
        Conv2d.__init__(self, ar, rng, window, channels, std)
        self.prepare(ar, places_of(window))


class _Bound:
    """A layer bound to the input and output of one batch size; see nets.layers.lanes."""

    def __init__(self, layer: Selector, x: Tensor, y: Tensor):
        self.layer, self.kernels = layer, kernels()
        self.x, self.y = x.fields["value"], y.fields["value"]
        self.turned, self.out = turned_like(self.x, 1), turned_like(self.y)
        self.packed = packed_like(layer.w.fields["value"])
        self.limits = packed_like(layer.w.fields["value"], 2)
        self.ratio, self.scale, self.bias = np.zeros(
            (3, self.packed.shape[0] * self.packed.shape[2]), np.float32)
        self.dw = self.db = np.zeros(0, np.float32)

    def forward(self, training: bool) -> None:
        layer, x = self.layer, self.turned[:-1]
        self.kernels.turn(self.x, x)
        mu = layer.mu.fields["value"]
        self.mu = mu[0, 0]
        if training:
            self.mu = np.abs(x).sum() / x.dtype.type(self.x.size)
            mu += (self.mu - mu) / 8
        if layer.clips and (training or layer.exact):
            np.clip(x, -2 * self.mu, 2 * self.mu, out=x)
        w, outputs = layer.w.fields["value"], layer.w.columns
        self.bias[:outputs] = layer.b.fields["value"][0]
        sizes = np.abs(w)
        self.mean = sizes.mean(axis=None if layer.whole else 0, keepdims=True)
        self.free = sizes < 2 * self.mean
        clipped = np.clip(w, -2 * self.mean, 2 * self.mean) if layer.clips else w
        if layer.exact or layer.ste:
            self.kernels.pack(clipped, self.packed)
        if layer.exact:
            self.kernels.multiply(self.turned, layer.places, self.packed, self.bias, self.out,
                                  outputs, 0, self.turned.shape[1])
        else:
            self._select(clipped)
        self.kernels.turn(self.out[: self.y.shape[1], : len(self.y)], self.y)

    def _select(self, w: np.ndarray) -> None:
        outputs = w.shape[1]
        # Where all weights are zero, so is the sum, and any scale will do but zero, by
        # which gradients are divided.
        self.scale[:outputs] = np.where(self.mean == 0, 1, self.layer.gain * self.mean)
        self.ratio[:outputs] = np.divide(self.mu, self.mean, out=np.zeros_like(self.mean),
                                         where=self.mean > 0)
        self.kernels.pack_limits(w, self.ratio, self.limits)
        self.kernels.select(self.turned, self.layer.places, self.limits, self.scale, self.bias,
                            self.out, outputs)

    def backward(self, dy: Tensor, dx: Tensor | None) -> None:
        layer, upstream = self.layer, np.zeros_like(self.out)
        self.kernels.turn(dy.fields["value"], upstream[: dy.columns])
        outputs = layer.w.columns
        above = by_position(upstream, layer.positions, outputs)
        self.db = above.sum(axis=(0, 2))[None]
        dw = np.zeros((layer.w.rows, self.bias.size), np.float32)
        slopes = np.zeros_like(self.turned)
        if layer.exact or layer.ste:
            self.kernels.multiply_weights(self.turned, layer.places, dw, upstream, outputs, 0,
                                          dw.shape[1])
            if dx is not None:
                self.kernels.multiply_back(slopes, layer.places, self.packed, upstream, outputs,
                                           0, slopes.shape[1])
        else:
            above *= self.scale[:outputs, None]
            self.kernels.differentiate(self.turned, layer.places, self.limits, upstream,
                                       slopes, dw, outputs)
            dw[:, :outputs] *= layer.gain * self.mu / self.scale[:outputs]
        self.dw = dw[:, :outputs]
        if layer.clips:
            self.dw *= self.free
            slopes *= np.abs(self.turned) < 2 * self.mu
        if dx is not None:
            self.kernels.turn(slopes[:-1, : dx.rows], dx.fields["value"])
