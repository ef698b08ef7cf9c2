"""Convolutions in float32 over lanes; nets.layers.spatial.gather states what they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from fxp.run.execute import WORTH_A_THREAD
from fxp.run.threads import in_threads, parts_of
from nets.arithmetic.real.arithmetic import RealArithmetic
from nets.arithmetic.tensor import Tensor
from nets.layers.lanes.kernels import LANES, OUTPUTS, kernels, padded_to, taken_together
from nets.layers.lanes.layout import by_position, packed_like, places_of, turned_like
from nets.layers.window import Window

__all__ = ["convolve", "convolve_gradient", "descend", "fits"]

Calls = list[Callable[[], None]]
Images = Callable[[int, int], None]  # what is done for the images first..last


def fits(ar, images: int) -> bool:
    """Whether these kernels serve an arithmetic, float32, compiled, and fill half their lanes."""
    compiled = isinstance(ar, RealArithmetic) and ar.backend == "vector"
    return compiled and ar.dtype == np.float32 and images >= LANES // 2


def convolve(ar, window: Window, x: Tensor, w: Tensor, b: Tensor, y: Tensor) -> Calls:
    """y = the windows of x times w, plus b; w is depth x channels of y."""
    places, loops = places_of(window), kernels()
    given, weights, starts, out = (t.fields["value"] for t in (x, w, b, y))
    packed = packed_like(weights)
    bias = np.zeros(packed.shape[0] * packed.shape[2], np.float32)

    def some(images: int) -> Images:
        numbers, sums = turned_like(given[:images], 1), turned_like(out[:images])

        def multiply(first: int, last: int) -> None:
            loops.turn(given[first:last], numbers[:-1])
            loops.multiply(numbers, places, packed, bias, sums, w.columns, 0, sums.shape[1])
            loops.turn(sums[: y.columns, : last - first], out[first:last])

        return multiply

    every = _by_images(ar, x.rows, w.rows * y.columns, some)

    def run() -> None:
        loops.pack(weights, packed)
        bias[: w.columns] = starts[0]
        every()

    return [run]


def convolve_gradient(ar, window: Window, dy: Tensor, w: Tensor, dx: Tensor) -> Calls:
    """dx = dy spread through w."""
    places, loops = places_of(window), kernels()
    given, weights, out = (t.fields["value"] for t in (dy, w, dx))
    packed = packed_like(weights)

    def some(images: int) -> Images:
        slopes, sums = turned_like(given[:images]), turned_like(out[:images], 1)

        def multiply(first: int, last: int) -> None:
            loops.turn(given[first:last], slopes[: dy.columns])
            sums.fill(0)
            loops.multiply_back(sums, places, packed, slopes, w.columns, 0, sums.shape[1])
            loops.turn(sums[: dx.columns, : last - first], out[first:last])

        return multiply

    every = _by_images(ar, dx.rows, w.rows * dy.columns, some)

    def run() -> None:
        loops.pack(weights, packed)
        every()

    return [run]


def descend(ar, window: Window, w: Tensor, b: Tensor, x: Tensor, dy: Tensor) -> Calls:
    """Take the step of w and b against their gradients."""
    places, loops = places_of(window), kernels()
    given, above = (t.fields["value"] for t in (x, dy))
    numbers, slopes = turned_like(given, 1), turned_like(above)
    sums = packed_like(w.fields["value"]).reshape(w.rows, -1)
    multiply = _by_outputs(ar, loops.multiply_weights, (numbers, places, sums, slopes, w.columns),
                           sums.shape[1])

    def gradient() -> np.ndarray:
        loops.turn(given, numbers[:-1])
        loops.turn(above, slopes[: dy.columns])
        sums.fill(0)
        multiply()
        return sums[:, : w.columns]

    def bias() -> np.ndarray:  # after the gradient of w, which turns the slopes
        return by_position(slopes, len(places), w.columns).sum(axis=(0, 2))[None]

    return [ar.moving(w, gradient), ar.moving(b, bias)]


def _by_images(ar, images: int, steps: int, some: Callable[[int], Images]) -> Callable[[], None]:
    """Return the call of some(n)(first, last) for up to n images at a time, of so many steps
    each: as few as registers take, for what a window sees of more would not stay in the first
    cache. Threads share them out, each with memory of its own."""
    size = min(taken_together(), padded_to(-(-images // ar.threads), LANES))
    groups = -(-images // size)
    parts = parts_of(groups, images * steps, WORTH_A_THREAD, ar.threads, each=1)

    def part(multiply: Images, low: int, high: int) -> None:
        for group in range(low, high):
            multiply(group * size, min((group + 1) * size, images))

    return in_threads([partial(part, some(size), low, high) for low, high in parts])


def _by_outputs(ar, loop, given: tuple, size: int) -> Callable[[], None]:
    """Return loop(*given, first, last) for the outputs 0..size, shared out by threads: no sum
    knows of the parts."""
    parts = parts_of(size // OUTPUTS, given[1].size * size, WORTH_A_THREAD, ar.threads, each=1)
    return in_threads([partial(loop, *given, low * OUTPUTS, high * OUTPUTS)
                       for low, high in parts])
