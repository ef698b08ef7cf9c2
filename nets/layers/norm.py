"""Batch normalisation, in every arithmetic.

The formulas of `nets.arithmetic.formulas` are read by the algebra of each arithmetic: LNS takes
each operation in its register (a division by the batch's size is a product with a word, a
root halves a log; its sums by `norm_delta`, for a coarse table's errors, which all go one
way, add up in means and running statistics), fixed point rounds once at the end of a
formula (the root by way of logarithms from 12-bit tables, `lnsarith.lns.convert`), floats as
they are.
"""

from __future__ import annotations

import numpy as np

from nets.arithmetic.registers import copying
from nets.arithmetic.tensor import Tensor
from nets.layers import norm_real
from nets.layers.dense import Layer
from nets.layers.window import Shape

__all__ = ["BatchNorm"]


class BatchNorm(Layer):
    """y = gamma (x - mean) / sqrt(variance + 2**-10) + beta, each channel for itself.

    In training mean and variance are those of the batch, over images, rows and columns
    (the variance divided by their count); otherwise they are the running ones, which move by an
    eighth towards each batch's, and are kept with the model. gamma and beta are
    weights, what comes between activations. `shape` is height, width, channels.
    """

    def __init__(self, ar, shape: Shape, name: str = "norm"):
        self.shape, self.name = shape, name
        channels = shape[2]
        self.gamma, self.beta, self.mean, self.variance = (
            ar.empty(1, channels, role) for role in ("weights",) * 2 + ("activations",) * 2)
        for t in (self.gamma, self.variance):
            ar.fill(t, 1)
        self._seen: dict[int, tuple] = {}  # x normalised, 1 / deviation; by the input's identity

    def parameters(self):
        return {"gamma": self.gamma, "beta": self.beta}

    def kept(self):
        return {"mean": self.mean, "variance": self.variance}

    def check(self, x):
        if x.columns != int(np.prod(self.shape)):
            raise ValueError(f"{self.name}: takes {' x '.join(map(str, self.shape))} numbers, "
                             f"got {x.columns}")

    def forward(self, ar, x):
        self.check(x)
        if norm_real.fits(ar):
            return norm_real.forward(ar, self, x)
        rows, put = self._rows(ar, x, "activations")
        root = ar.empty(1, self.shape[2], "activations")
        normal = ar.empty(rows.rows, rows.columns, "activations")
        apart, tile_mean = _tiled(ar, self.mean, rows.rows)
        roots, tile_root = _tiled(ar, root, rows.rows)
        y, calls = self._scaled(ar, x, normal)
        return y, [put, ar.formula("deviation", root, self.variance), tile_mean, tile_root,
                   ar.formula("minus", normal, rows, apart),
                   ar.formula("times", normal, normal, roots), *calls]

    def forward_training(self, ar, x):
        self.check(x)
        if norm_real.fits(ar):
            y, root, normal, calls = norm_real.forward_training(ar, self, x)
            self._seen[id(x)] = normal, root
            return y, calls
        rows, put = self._rows(ar, x, "activations")
        channels = self.shape[2]
        mean, variance, root = (ar.empty(1, channels, "activations") for _ in range(3))
        squares, normal = (ar.empty(rows.rows, channels, "activations") for _ in range(2))
        apart, tile_mean = _tiled(ar, mean, rows.rows)
        roots, tile_root = _tiled(ar, root, rows.rows)
        self._seen[id(x)] = normal, root
        y, calls = self._scaled(ar, x, normal)
        return y, [
            put, ar.mean_of_rows(rows, mean), tile_mean, ar.formula("minus", rows, rows, apart),
            ar.formula("times", squares, rows, rows), ar.mean_of_rows(squares, variance),
            ar.formula("deviation", root, variance), tile_root,
            ar.formula("times", normal, rows, roots), *calls,
            ar.formula("blend", self.mean, self.mean, mean),
            ar.formula("blend", self.variance, self.variance, variance)]

    def backward(self, ar, x, dy, wanted):
        normal, root = self._seen[id(x)]
        if norm_real.fits(ar):
            dx = ar.empty(x.rows, x.columns, "gradients") if wanted else None
            return dx, norm_real.backward(ar, self, normal, root, dy, dx)
        rows, put = self._rows(ar, dy, "gradients")
        along = ar.empty(rows.rows, rows.columns, "gradients")
        calls, dx = [put, ar.formula("times", along, rows, normal)], None
        if wanted:  # before gamma moves
            dx = ar.empty(x.rows, x.columns, "gradients")
            calls += self._input_gradient(ar, rows, along, normal, root, dx)
        return dx, [*calls, ar.descend_bias(self.gamma, along), ar.descend_bias(self.beta, rows)]

    def _input_gradient(self, ar, rows: Tensor, along: Tensor, normal: Tensor, root: Tensor,
                        dx: Tensor):
        channels = self.shape[2]
        means = [ar.empty(1, channels, "gradients") for _ in range(2)]
        factor = ar.empty(1, channels, "activations")
        (level, tile_level), (slant, tile_slant), (factors, tile_factor) = (
            _tiled(ar, t, rows.rows) for t in (*means, factor))
        moved = ar.empty(rows.rows, channels, "gradients")
        take = copying(ar, _pairs(dx, moved))
        return [ar.mean_of_rows(rows, means[0]), ar.mean_of_rows(along, means[1]), tile_level,
                tile_slant, ar.formula("times", factor, root, self.gamma), tile_factor,
                ar.formula("centred", moved, rows, level, normal, slant),
                ar.formula("times", moved, moved, factors), take]

    def _scaled(self, ar, x: Tensor, normal: Tensor):
        """Return gamma normal + beta in the shape of x, and the calls."""
        gammas, tile_gamma = _tiled(ar, self.gamma, normal.rows)
        betas, tile_beta = _tiled(ar, self.beta, normal.rows)
        out = ar.empty(normal.rows, normal.columns, "activations")
        y = ar.empty(x.rows, x.columns, "activations")
        take = copying(ar, _pairs(y, out))
        return y, [tile_gamma, tile_beta, ar.formula("affine", out, normal, gammas, betas), take]

    def _rows(self, ar, x: Tensor, role: str):
        """Return a tensor with a row for each position of x, and the call that fills it."""
        channels = self.shape[2]
        rows = ar.empty(x.rows * x.columns // channels, channels, role)
        return rows, copying(ar, [(row, image) for image, row in _pairs(x, rows)])


def _pairs(x: Tensor, rows: Tensor):
    """Return views of each field of x and of the tensor that has a row for each position."""
    form = (x.rows, -1, rows.columns)
    return [(v[:, : x.columns].reshape(form), rows.fields[k][:, : rows.columns].reshape(form))
            for k, v in x.fields.items()]


def _tiled(ar, t: Tensor, rows: int):
    """Return a tensor whose rows all are t, and the call that makes them so."""
    tiles = ar.empty(rows, t.columns, t.role)
    return tiles, copying(ar, [(tiles.fields[k], v) for k, v in t.fields.items()])
