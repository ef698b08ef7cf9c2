"""Convolutions in float32 over channels; nets.layers.spatial.gather states what they are.

A sum and a number's gradient take their products in the order of `nets.layers.lanes`, and are
equal to its to the bit; a weight's gradient is summed up image by image.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from fxp.run.execute import WORTH_A_THREAD
from fxp.run.threads import in_threads, parts_of
from nets.arithmetic.real.arithmetic import RealArithmetic
from nets.arithmetic.registers import copying
from nets.arithmetic.tensor import Tensor
from nets.layers.channels.kernels import CHANNELS, kernels, tiles_of
from nets.layers.window import Window

__all__ = ["convolve", "convolve_gradient", "descend", "fits"]

Calls = list[Callable[[], None]]


def fits(ar, channels: int) -> bool:
    """Whether these kernels serve an arithmetic, float32, compiled, and channels fill vectors."""
    compiled = isinstance(ar, RealArithmetic) and ar.backend == "vector"
    return compiled and ar.dtype == np.float32 and channels % CHANNELS == 0


def convolve(ar, window: Window, x: Tensor, w: Tensor, b: Tensor, y: Tensor) -> Calls:
    """y = the windows of x times w, plus b; w is depth x channels of y."""
    (height, _, channels), (rows, columns) = window.shape, window.out
    weights, starts, pack = _packed(ar, [_by_taps(window, w)])
    first = _Windows(0, 0, window.stride, window.stride * channels, window.size,
                     window.size * channels, starts[0], 0, 0, 1, w.columns, rows, columns)
    multiply = _by_images(ar, _rows(x, height), _canvas(window), _place(window), [first],
                          weights, b.fields["value"][0], _rows(y, rows))
    return [pack, multiply]


def convolve_gradient(ar, window: Window, dy: Tensor, w: Tensor, dx: Tensor) -> Calls:
    """dx = dy spread through w. With a stride only every so many rows and columns of dx see the
    same weights: a convolution of dy for each of these."""
    height, _, channels = window.shape
    numbers, by_taps = w.columns, _by_taps(window, w).transpose(0, 1, 3, 2)
    down, across = _Steps.along(window, 0), _Steps.along(window, 1)
    (top, after), (left, behind) = _room(window, down, 0), _room(window, across, 1)
    canvas = window.out[0] + top + after, (window.out[1] + left + behind) * numbers
    pairs = [(a, b) for a in down for b in across]
    weights, starts, pack = _packed(ar, [by_taps[a.taps, b.taps] for a, b in pairs])
    windows = [
        _Windows(top + a.first, (left + b.first) * numbers, 1, numbers, a.seen,
                 b.seen * numbers, start, a.begin, b.begin * channels, window.stride,
                 window.stride * channels, a.places, b.places)
        for (a, b), start in zip(pairs, starts)]
    multiply = _by_images(ar, _rows(dy, window.out[0]), canvas, (top, left * numbers), windows,
                          weights, np.zeros(channels, np.float32), _rows(dx, height))
    return [pack, multiply]


def descend(ar, window: Window, w: Tensor, b: Tensor, x: Tensor, dy: Tensor) -> Calls:
    """Take the step of w and b against their gradients."""
    tiles, channels = tiles_of(w.columns), window.shape[2]
    numbers, above = _rows(x, window.shape[0]), _rows(dy, window.out[0])
    sums, loops = np.empty((w.rows, w.columns), np.float32), kernels(tiles)
    count = window.size * -(-window.size * channels // tiles.weights[0])
    multiply = in_threads([  # each with a canvas of its own
        partial(loops.multiply_weights, numbers, np.zeros(_canvas(window), np.float32),
                _place(window), window.stride, window.stride * channels, above, sums,
                window.size, *part)
        for part in parts_of(count, above.size * w.rows, WORTH_A_THREAD, ar.threads, each=1)])

    def gradient() -> np.ndarray:
        sums.fill(0)
        multiply()
        return sums

    def bias() -> np.ndarray:  # over images first: shorter sums lose less
        return above.sum(axis=0).reshape(-1, w.columns).sum(axis=0, keepdims=True)

    return [ar.moving(w, gradient), ar.moving(b, bias)]


class _Windows(NamedTuple):
    """A row of what `multiply` takes as windows."""

    row: int
    number: int
    down: int
    across: int
    taps: int
    run: int
    begin: int
    y_row: int
    y_number: int
    y_down: int
    y_across: int
    rows: int
    columns: int


class _Steps(NamedTuple):
    """What the places begin, begin + stride, ... of one side of an image see of dy: as many
    numbers as there are taps of the weights, the first place from `first` on, each other one
    place further."""

    begin: int
    places: int
    taps: slice
    seen: int
    first: int

    @classmethod
    def along(cls, window: Window, axis: int) -> list[_Steps]:
        """Return them for every begin. A tap further back sees what is ahead: they are turned."""
        stride, side, before = window.stride, window.shape[axis], window.before[axis]
        found = []
        for begin in range(stride):
            ahead, least = divmod(begin + before, stride)
            seen = len(range(least, window.size, stride))
            taps = slice(least + (seen - 1) * stride, least - stride if least >= stride else None,
                         -stride) if seen else slice(0)
            found.append(cls(begin, len(range(begin, side, stride)), taps, seen,
                             ahead - max(seen - 1, 0)))
        return found


def _room(window: Window, steps: list[_Steps], axis: int) -> tuple[int, int]:
    """Return how much room dy needs before and behind it."""
    first = min(s.first for s in steps)
    last = max(s.first + s.places + max(s.seen - 1, 0) for s in steps)
    return max(0, -first), max(0, last - window.out[axis])


def _by_taps(window: Window, w: Tensor) -> np.ndarray:
    """View w as window rows x columns x channels of x x channels of y."""
    return w.fields["value"].reshape(window.size, window.size, window.shape[2], w.columns)


def _packed(ar, parts: list[np.ndarray]) -> tuple[np.ndarray, list[int], Callable[[], None]]:
    """Return room for weights, rows x columns x numbers x channels each, as `multiply` takes
    them, where those of each part begin, and the call that copies them there."""
    group = tiles_of(parts[0].shape[3]).group
    starts = [0, *np.cumsum([p.size for p in parts]).tolist()]
    weights = np.empty(starts[-1], np.float32)
    pairs = []
    for part, begin, end in zip(parts, starts, starts[1:]):
        apart = part.reshape(*part.shape[:3], part.shape[3] // group, group)
        groups = apart.transpose(3, 0, 1, 2, 4)
        pairs.append((weights[begin:end].reshape(groups.shape), groups))
    return weights, starts, copying(ar, [pair for pair in pairs if pair[0].size])


def _canvas(window: Window) -> tuple[int, int]:
    """Return the rows and numbers of a row of an image with the room around it."""
    rows, columns = window.reach()
    return rows, columns * window.shape[2]


def _place(window: Window) -> tuple[int, int]:
    """Return where an image begins on its canvas."""
    top, left = window.before
    return top, left * window.shape[2]


def _rows(t: Tensor, rows: int) -> np.ndarray:
    """View t as images x rows x numbers of a row."""
    value = t.fields["value"]
    assert value.flags.c_contiguous  # or it were a copy
    return value.reshape(len(value), rows, -1)


def _by_images(ar, x: np.ndarray, canvas, place, windows: list[_Windows], weights: np.ndarray,
               bias: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """Return the call of `multiply`; threads share out the images, each with its own canvas."""
    loops, table = kernels(tiles_of(len(bias))), np.array(windows, np.int64)
    parts = parts_of(len(x), y.size * table[0, 4] * table[0, 5], WORTH_A_THREAD, ar.threads)
    return in_threads([partial(loops.multiply, x[low:high], np.zeros(canvas, np.float32), place,
                               table, weights, bias, y[low:high]) for low, high in parts])
