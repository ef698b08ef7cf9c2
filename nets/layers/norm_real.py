"""Batch normalisation of floats in few passes: sums first, then every number once.

All loops go along images' rows, of which each number has its channel's parameters beside
it, so they need no copies and take any count of channels in whole vectors. Sums are over
images first, then over positions (in pairs, by NumPy).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from fxp.compile.loading import compiler
from nets.arithmetic.real.arithmetic import RealArithmetic
from nets.arithmetic.tensor import Tensor

__all__ = ["backward", "fits", "forward", "forward_training"]

Calls = list[Callable[[], None]]


def fits(ar) -> bool:
    """Whether these loops serve an arithmetic: floats, compiled."""
    return isinstance(ar, RealArithmetic) and ar.backend == "vector"


def forward(ar, layer, x: Tensor) -> tuple[Tensor, Calls]:
    """Return y of the running statistics, and the calls."""
    root, y = ar.empty(1, layer.shape[2], "activations"), ar.empty(x.rows, x.columns, x.role)
    given, out, loops = _value(x), _value(y), _loops()

    def run() -> None:
        rows = [_along(_value(t), given) for t in (layer.mean, root, layer.gamma, layer.beta)]
        loops.normalise(given, *rows, out, out)

    return y, [ar.formula("deviation", root, layer.variance), run]


def forward_training(ar, layer, x: Tensor) -> tuple[Tensor, Tensor, np.ndarray, Calls]:
    """Return y of the batch's statistics, 1 / its deviation, x normalised, and the calls."""
    channels = layer.shape[2]
    mean, variance, root = (ar.empty(1, channels, "activations") for _ in range(3))
    y = ar.empty(x.rows, x.columns, x.role)
    given, out, loops = _value(x), _value(y), _loops()
    normal, sums = np.empty_like(given), np.empty(given.shape[1], given.dtype)

    def moments() -> None:
        loops.add(given, sums)
        _value(mean)[...] = _mean(sums, channels, len(given))
        loops.add_squares(given, _along(_value(mean), given), sums)
        _value(variance)[...] = _mean(sums, channels, len(given))

    def run() -> None:
        rows = [_along(_value(t), given) for t in (mean, root, layer.gamma, layer.beta)]
        loops.normalise(given, *rows, normal, out)

    return y, root, normal, [
        moments, ar.formula("deviation", root, variance), run,
        ar.formula("blend", layer.mean, layer.mean, mean),
        ar.formula("blend", layer.variance, layer.variance, variance)]


def backward(ar, layer, normal: np.ndarray, root: Tensor, dy: Tensor,
             dx: Tensor | None) -> Calls:
    """Return the calls for dx, if asked for, and the steps of gamma and beta."""
    channels, above, loops = layer.shape[2], _value(dy), _loops()
    sums = np.empty((2, above.shape[1]), above.dtype)
    means = np.empty((2, channels), above.dtype)
    count = above.size // channels

    def begin() -> None:
        loops.add_products(above, normal, sums)
        for i in range(2):
            means[i] = _mean(sums[i], channels, len(above))

    def spread(out: np.ndarray) -> None:
        factors = _value(root) * _value(layer.gamma)
        loops.centre(above, normal, *(_along(t, above) for t in (*means, factors)), out)

    calls: Calls = [begin]
    if dx is not None:  # before gamma moves
        calls.append(partial(spread, _value(dx)))
    return [*calls,
            ar.moving(layer.gamma, lambda: means[1:] * above.dtype.type(count)),
            ar.moving(layer.beta, lambda: means[:1] * above.dtype.type(count))]


def _value(t: Tensor) -> np.ndarray:
    return t.fields["value"]


def _along(of_channels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return each channel's number beside every number of an image."""
    along = np.empty(rows.shape[1], rows.dtype)
    along.reshape(-1, of_channels.size)[...] = of_channels
    return along


def _mean(sums: np.ndarray, channels: int, images: int) -> np.ndarray:
    """Return the channels' means from sums over images."""
    by_position = sums.reshape(-1, channels)
    return by_position.mean(axis=0) / sums.dtype.type(images)


def _loops():
    return compiler().compile_module("norm", _TEXT)


_TEXT = '''\
from fxp.compile.cache import njit


@njit(cache=True, nogil=True)
def add(x, sums):
    sums[:] = 0
    for n in range(x.shape[0]):
        for i in range(sums.size):
            sums[i] += x[n, i]


@njit(cache=True, nogil=True)
def add_squares(x, mean, sums):
    sums[:] = 0
    for n in range(x.shape[0]):
        for i in range(sums.size):
            away = x[n, i] - mean[i]
            sums[i] += away * away


@njit(cache=True, nogil=True)
def add_products(x, by, sums):
    sums[:] = 0
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            sums[0, i] += x[n, i]
            sums[1, i] += x[n, i] * by[n, i]


@njit(cache=True, nogil=True)
def normalise(x, mean, root, gamma, beta, normal, y):
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            value = (x[n, i] - mean[i]) * root[i]
            normal[n, i] = value
            y[n, i] = value * gamma[i] + beta[i]


@njit(cache=True, nogil=True)
def centre(dy, normal, level, slant, factor, dx):
    for n in range(dy.shape[0]):
        for i in range(dy.shape[1]):
            dx[n, i] = (dy[n, i] - level[i] - normal[n, i] * slant[i]) * factor[i]
'''
