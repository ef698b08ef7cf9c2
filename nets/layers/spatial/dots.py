"""Convolutions of fixed-point words as exact products, whose order does not matter.

To the bit what `nets.layers.spatial.gather` states, but no patch is written: a product reads
the numbers of a window where they lie.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from fxp.run.execute import WORTH_DOTS
from fxp.trace.plans import MatmulPlan
from nets.arithmetic.registers import copying
from nets.arithmetic.tensor import Tensor, padded
from nets.layers.spatial import gather
from nets.layers.window import Shape, Window, as_images

__all__ = ["convolve", "convolve_gradient", "descend", "fits"]

Calls = list[Callable[[], None]]
WRITTEN = 16  # numbers that are written together, at most


def fits(plan: MatmulPlan, rows: int, steps: int) -> bool:
    """Whether sums of so many steps are exact, and there are enough of them."""
    return plan.adds_products() and min(rows, steps) >= WORTH_DOTS


def convolve(ar, window: Window, x: Tensor, w: Tensor, b: Tensor, y: Tensor) -> Calls:
    """y = the windows of x times w, plus b; w is depth x channels of y."""
    seen, fill = _windows(ar, window, x)
    rows, _, take = _rows(ar, window, y, w.columns)
    return [*fill, ar._matmul(ar._affine, seen, w, b.broadcast(rows.rows), rows), *take]


def convolve_gradient(ar, window: Window, dy: Tensor, w: Tensor, dx: Tensor) -> Calls:
    """dx = dy spread through w: windows of dy, with zeros between, times w turned round."""
    inner, canvas, put = gather.spread(ar, window, dy, w.columns)
    seen, fill = _windows(ar, inner, canvas)
    size, form = window.size, (window.size, window.size, window.shape[2], w.columns)
    turned = ar.empty(inner.depth, window.shape[2], "weights")
    turn = copying(ar, [(turned.fields[k][:, : form[2]].reshape(size, size, form[3], form[2]),
                         v[:, : form[3]].reshape(form)[::-1, ::-1].transpose(0, 1, 3, 2))
                        for k, v in w.fields.items()])
    rows, _, take = _rows(ar, inner, dx, window.shape[2])
    zero = ar.empty(1, window.shape[2], "gradients").broadcast(rows.rows)
    return [put, *fill, turn, ar._matmul(ar._input_gradient, seen, turned, zero, rows), *take]


def descend(ar, window: Window, w: Tensor, b: Tensor, x: Tensor, dy: Tensor) -> Calls:
    """Take the step of w and b against their gradients."""
    seen, fill = _windows(ar, window, x)
    rows, put, _ = _rows(ar, window, dy, w.columns)
    turned = {k: v.transpose(3, 4, 5, 0, 1, 2) for k, v in seen.fields.items()}
    step = ar._descend(w, Tensor(turned, rows.rows, x.role), rows)
    return [*fill, *put, step, ar.descend_bias(b, rows)]


def _windows(ar, window: Window, x: Tensor) -> tuple[Tensor, Calls]:
    """Return what the windows see, by image, position and place in the window, and the calls
    that put zeros around it."""
    images, calls = as_images(x, window.shape), []
    (top, left), (height, width, channels) = window.before, window.shape
    if (top, left, *window.reach()) != (0, 0, height, width):
        shape: Shape = (*window.reach(), channels)
        canvas = as_images(ar.empty(x.rows, int(np.prod(shape)), x.role), shape)
        calls = [copying(ar, [(v[:, top : top + height, left : left + width], images[k])
                              for k, v in canvas.items()])]
        images = canvas
    steps = (slice(None), slice(None, None, window.stride), slice(None, None, window.stride))
    rows, columns = window.out
    seen = {k: sliding_window_view(v, (window.size,) * 2, (1, 2))[steps]
            .transpose(0, 1, 2, 4, 5, 3)[:, :rows, :columns] for k, v in images.items()}
    return Tensor(seen, window.depth, x.role), calls


def _rows(ar, window: Window, t: Tensor, channels: int) -> tuple[Tensor, Calls, Calls]:
    """Return a tensor with a row for each position of t, and the calls that copy to it and back:
    none where the rows are t's own."""
    size = int(np.prod(window.out)) * channels
    whole = all(v.strides[0] == size * v.itemsize for v in t.fields.values())
    if channels % WRITTEN or not whole:
        rows, put, take = gather.rows_of(ar, window, t, channels)
        return rows, [put], [take]
    shape = t.rows * int(np.prod(window.out)), padded(channels)
    own = {k: as_strided(v, shape, (channels * v.itemsize, v.itemsize))
           for k, v in t.fields.items()}
    return Tensor(own, channels, t.role), [], []
