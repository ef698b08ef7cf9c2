"""Convolutions in float32 over lanes; nets.layers.spatial.gather states what they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from fxp.run.execute import WORTH_A_THREAD
from fxp.run.threads import in_threads, parts_of
from nets.arithmetic.real.arithmetic import RealArithmetic
from nets.arithmetic.tensor import Tensor
from nets.layers.lanes.kernels import LANES, OUTPUTS, kernels
from nets.layers.lanes.layout import by_position, packed_like, places_of, turned_like
from nets.layers.window import Window

__all__ = ["convolve", "convolve_gradient", "descend", "fits"]

Calls = list[Callable[[], None]]


def fits(ar, images: int) -> bool:
    """Whether these kernels serve an arithmetic, float32, compiled, and fill half their lanes."""
    compiled = isinstance(ar, RealArithmetic) and ar.backend == "vector"
    return compiled and ar.dtype == np.float32 and images >= LANES // 2


def convolve(ar, window: Window, x: Tensor, w: Tensor, b: Tensor, y: Tensor) -> Calls:
    """y = the windows of x times w, plus b; w is depth x channels of y."""
    places, loops = places_of(window), kernels()
    given, weights, starts, out = (t.fields["value"] for t in (x, w, b, y))
    numbers, sums, packed = turned_like(given, 1), turned_like(out), packed_like(weights)
    bias = np.zeros(packed.shape[0] * packed.shape[2], np.float32)
    multiply = _shared(ar, loops.multiply, (numbers, places, packed, bias, sums, w.columns),
                       numbers.shape[1], LANES)

    def run() -> None:
        loops.turn(given, numbers[:-1])
        loops.pack(weights, packed)
        bias[: w.columns] = starts[0]
        multiply()
        loops.turn(sums[: y.columns, : y.rows], out)

    return [run]


def convolve_gradient(ar, window: Window, dy: Tensor, w: Tensor, dx: Tensor) -> Calls:
    """dx = dy spread through w."""
    places, loops = places_of(window), kernels()
    given, weights, out = (t.fields["value"] for t in (dy, w, dx))
    slopes, sums, packed = turned_like(given), turned_like(out, 1), packed_like(weights)
    multiply = _shared(ar, loops.multiply_back, (sums, places, packed, slopes, w.columns),
                       sums.shape[1], LANES)

    def run() -> None:
        loops.turn(given, slopes[: dy.columns])
        loops.pack(weights, packed)
        sums.fill(0)
        multiply()
        loops.turn(sums[: dx.columns, : dx.rows], out)

    return [run]


def descend(ar, window: Window, w: Tensor, b: Tensor, x: Tensor, dy: Tensor) -> Calls:
    """Take the step of w and b against their gradients."""
    places, loops = places_of(window), kernels()
    given, above = (t.fields["value"] for t in (x, dy))
    numbers, slopes = turned_like(given, 1), turned_like(above)
    sums = packed_like(w.fields["value"]).reshape(w.rows, -1)
    multiply = _shared(ar, loops.multiply_weights, (numbers, places, sums, slopes, w.columns),
                       sums.shape[1], OUTPUTS)

    def gradient() -> np.ndarray:
        loops.turn(given, numbers[:-1])
        loops.turn(above, slopes[: dy.columns])
        sums.fill(0)
        multiply()
        return sums[:, : w.columns]

    def bias() -> np.ndarray:  # after the gradient of w, which turns the slopes
        return by_position(slopes, len(places), w.columns).sum(axis=(0, 2))[None]

    return [ar.moving(w, gradient), ar.moving(b, bias)]


def _shared(ar, loop, given: tuple, size: int, each: int) -> Callable[[], None]:
    """Return loop(*given, first, last) for 0..size, shared out by threads: parts are lanes or
    outputs, by multiples of `each`, so that no sum knows of them."""
    parts = parts_of(size // each, given[1].size * size, WORTH_A_THREAD, ar.threads, each=1)
    return in_threads([partial(loop, *given, low * each, high * each) for low, high in parts])
