"""Batch normalisation, in every arithmetic.

The formulas of `nets.arithmetic.formulas` are read by the algebra of each arithmetic: LNS takes
each operation in its register (a division by the batch's size is a product with a word, a
root halves a log; its sums by `norm_delta`, for a coarse table's errors, which all go one
way, add up in means and running statistics), fixed point rounds once at the end of a
formula (the root by way of logarithms from 12-bit tables, `lnsarith.lns.convert`), floats as
they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nets.arithmetic.registers import copying
from nets.arithmetic.tensor import Tensor
from nets.layers import norm_real
from nets.layers.dense import Layer
from nets.layers.window import Shape

__all__ = ["BatchNorm"]

Calls = list[Callable[[], None]]
TILE = 1 << 12  # numbers that formulas take at a time, at least


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
        rows, put = self._rows(ar, x)
        root = ar.empty(1, self.shape[2], "activations")
        normal, _ = self._empty(ar, x, "activations")
        apart, tile_mean = _tiled(ar, self.mean, rows, x.rows)
        roots, tile_root = _tiled(ar, root, rows, x.rows)
        y, calls = self._scaled(ar, x, normal)
        return y, [*put, ar.formula("deviation", root, self.variance), *tile_mean, *tile_root,
                   ar.formula("minus", normal, rows, apart),
                   ar.formula("times", normal, normal, roots), *calls]

    def forward_training(self, ar, x):
        self.check(x)
        if norm_real.fits(ar):
            y, root, values, calls = norm_real.forward_training(ar, self, x)
            self._seen[id(x)] = values, root
            return y, calls
        rows, put = self._rows(ar, x)
        mean, variance, root = (ar.empty(1, self.shape[2], "activations") for _ in range(3))
        centred, squares, normal = (self._empty(ar, x, "activations")[0] for _ in range(3))
        apart, tile_mean = _tiled(ar, mean, rows, x.rows)
        roots, tile_root = _tiled(ar, root, rows, x.rows)
        self._seen[id(x)] = normal, root
        y, calls = self._scaled(ar, x, normal)
        return y, [
            *put, ar.mean_of_rows(rows, mean), *tile_mean,
            ar.formula("minus", centred, rows, apart),
            ar.formula("times", squares, centred, centred), ar.mean_of_rows(squares, variance),
            ar.formula("deviation", root, variance), *tile_root,
            ar.formula("times", normal, centred, roots), *calls,
            ar.formula("blend", self.mean, self.mean, mean),
            ar.formula("blend", self.variance, self.variance, variance)]

    def backward(self, ar, x, dy, wanted):
        normal, root = self._seen[id(x)]
        if norm_real.fits(ar):
            dx = ar.empty(x.rows, x.columns, "gradients") if wanted else None
            return dx, norm_real.backward(ar, self, normal, root, dy, dx)
        rows, put = self._rows(ar, dy)
        along, _ = self._empty(ar, x, "gradients")
        calls, dx = [*put, ar.formula("times", along, rows, normal)], None
        if wanted:  # before gamma moves
            dx, more = self._input_gradient(ar, x, rows, along, normal, root)
            calls += more
        return dx, [*calls, ar.descend_bias(self.gamma, along, x.rows),
                    ar.descend_bias(self.beta, rows, x.rows)]

    def _input_gradient(self, ar, x: Tensor, rows: Tensor, along: Tensor, normal: Tensor,
                        root: Tensor) -> tuple[Tensor, Calls]:
        channels = self.shape[2]
        means = [ar.empty(1, channels, "gradients") for _ in range(2)]
        factor = ar.empty(1, channels, "activations")
        (level, tile_level), (slant, tile_slant), (factors, tile_factor) = (
            _tiled(ar, t, rows, x.rows) for t in (*means, factor))
        dx = ar.empty(x.rows, x.columns, "gradients")
        moved, take = self._into(ar, dx)
        return dx, [ar.mean_of_rows(rows, means[0]), ar.mean_of_rows(along, means[1]),
                    *tile_level, *tile_slant,
                    ar.formula("times", factor, root, self.gamma), *tile_factor,
                    ar.formula("centred", moved, rows, level, normal, slant),
                    ar.formula("times", moved, moved, factors), *take]

    def _scaled(self, ar, x: Tensor, normal: Tensor) -> tuple[Tensor, Calls]:
        """Return gamma normal + beta in the shape of x, and the calls."""
        gammas, tile_gamma = _tiled(ar, self.gamma, normal, x.rows)
        betas, tile_beta = _tiled(ar, self.beta, normal, x.rows)
        y = ar.empty(x.rows, x.columns, "activations")
        out, take = self._into(ar, y)
        return y, [*tile_gamma, *tile_beta, ar.formula("affine", out, normal, gammas, betas),
                   *take]

    def _rows(self, ar, x: Tensor) -> tuple[Tensor, Calls]:
        """Return a tensor with a row for each position of x, and the calls that fill it: none
        where x's own numbers lie so."""
        if _lies_whole(ar, x):
            return _as_rows(x, self.shape[2]), []
        rows = ar.empty(x.rows * x.columns // self.shape[2], self.shape[2], x.role)
        return rows, [copying(ar, [(row, image) for image, row in _pairs(x, rows)])]

    def _empty(self, ar, x: Tensor, role: str) -> tuple[Tensor, Calls]:
        """Return a tensor like the rows of x."""
        return self._into(ar, ar.empty(x.rows, x.columns, role))

    def _into(self, ar, y: Tensor) -> tuple[Tensor, Calls]:
        """Return a tensor with a row for each position of y, and the calls that put it there."""
        if _lies_whole(ar, y):
            return _as_rows(y, self.shape[2]), []
        rows = ar.empty(y.rows * y.columns // self.shape[2], self.shape[2], y.role)
        return rows, [copying(ar, _pairs(y, rows))]


def _lies_whole(ar, x: Tensor) -> bool:
    """Whether the images of a tensor follow each other without padding, which kernels take."""
    return ar.backend == "vector" and all(v.shape[1] == x.columns and v.flags.c_contiguous
                                          for v in x.fields.values())


def _as_rows(x: Tensor, channels: int) -> Tensor:
    return Tensor({k: v.reshape(-1, channels) for k, v in x.fields.items()}, channels, x.role)


def _pairs(x: Tensor, rows: Tensor):
    """Return views of each field of x and of the tensor that has a row for each position."""
    form = (x.rows, -1, rows.columns)
    return [(v[:, : x.columns].reshape(form), rows.fields[k][:, : rows.columns].reshape(form))
            for k, v in x.fields.items()]


def _tiled(ar, t: Tensor, like: Tensor, images: int) -> tuple[Tensor, Calls]:
    """Return a tensor whose rows all are t, and the calls that make them so: as many as some
    images have, that formulas of kernels meet again for the others; else as many as another
    tensor has. First come those of one image, then the other images'."""
    rows, width = next(iter(like.fields.values())).shape
    each, together = rows // images, images
    if ar.backend == "vector":
        together = next(n for n in range(1, images + 1)
                        if not images % n and (n == images or n * each * width >= TILE))
    tiles = {k: np.empty((together, each, width), v.dtype) for k, v in t.fields.items()}
    first = copying(ar, [(v[0], t.fields[k][:, :width]) for k, v in tiles.items()])
    others = copying(ar, [(v[1:], v[0]) for v in tiles.values()])
    return Tensor({k: v.reshape(-1, width) for k, v in tiles.items()}, t.columns, t.role), [
        first, others]
