"""Convolutions as products of gathered patches, in any arithmetic, any stride and order.

A patch is a row: its numbers by window row, column, channel. So a sum starts from the
bias and takes its products in this order; a weight's gradient is summed over images,
rows, columns; an input's gradient over rows, columns and channels of the output. The
kernels of `nets.layers.spatial.spans` go the same ways and give the same words.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nets.arithmetic.registers import copying
from nets.arithmetic.tensor import Tensor
from nets.layers.window import Shape, Window, as_images

__all__ = ["convolve", "convolve_gradient", "descend", "patches", "patches_of", "rows_of",
           "spreading"]

Calls = list[Callable[[], None]]


def convolve(ar, window: Window, x: Tensor, w: Tensor, b: Tensor, y: Tensor) -> Calls:
    """y = the windows of x times w, plus b; w is depth x channels of y."""
    patches, fill = patches_of(ar, window, x)
    rows, _, take = rows_of(ar, window, y, w.columns)
    return [fill, ar.affine(patches, w, b, rows), take]


def convolve_gradient(ar, window: Window, dy: Tensor, w: Tensor, dx: Tensor) -> Calls:
    """dx = dy spread through w: windows of dy, with zeros between, times w turned round."""
    inner, canvas, put = spread(ar, window, dy, w.columns)
    patches, fill = patches_of(ar, inner, canvas)
    turned = ar.empty(window.shape[2], inner.depth, "weights")
    form = (window.size, window.size, window.shape[2], w.columns)
    turn = _copies(ar, {k: v[:, : inner.depth].reshape(-1, *form[:2], w.columns)
                        for k, v in turned.fields.items()},
                   {k: v[:, : w.columns].reshape(form)[::-1, ::-1].transpose(2, 0, 1, 3)
                    for k, v in w.fields.items()})
    rows, _, take = rows_of(ar, inner, dx, window.shape[2])
    return [put, fill, turn, ar.affine_gradient(patches, turned, rows), take]


def descend(ar, window: Window, w: Tensor, b: Tensor, x: Tensor, dy: Tensor) -> Calls:
    """Take the step of w and b against their gradients."""
    patches, fill = patches_of(ar, window, x)
    rows, put, _ = rows_of(ar, window, dy, w.columns)
    return [fill, put, ar.descend(w, patches, rows, x.rows), ar.descend_bias(b, rows, x.rows)]


def spread(ar, window: Window, dy: Tensor, channels: int):
    """Return the window of an input's gradient, dy with zeros between and around it, and the
    call that puts it there."""
    size, (height, width) = window.size, window.out
    top, left = (size - 1 - n for n in window.before)
    shape = (window.shape[0] + size - 1, window.shape[1] + size - 1, channels)
    canvas = ar.empty(dy.rows, int(np.prod(shape)), "gradients")
    places = (slice(None), slice(top, top + (height - 1) * window.stride + 1, window.stride),
              slice(left, left + (width - 1) * window.stride + 1, window.stride))
    put = _copies(ar, {k: v[places] for k, v in as_images(canvas, shape).items()},
                  as_images(dy, (height, width, channels)))
    return Window(window.layer, shape, size), canvas, put


def patches_of(ar, window: Window, x: Tensor) -> tuple[Tensor, Callable[[], None]]:
    """Return the patches of x, one a row, and the call that fills them."""
    (height, width), (top, left) = window.reach(), window.before
    shape: Shape = (height, width, window.shape[2])
    canvas = ar.empty(x.rows, int(np.prod(shape)), x.role)
    places = (slice(None), slice(top, top + window.shape[0]), slice(left, left + window.shape[1]))
    put = _copies(ar, {k: v[places] for k, v in as_images(canvas, shape).items()},
                  as_images(x, window.shape))
    patches = ar.empty(x.rows * int(np.prod(window.out)), window.depth, x.role)
    form = (x.rows, *window.out, window.size, window.size, window.shape[2])
    steps = (slice(None), slice(None, None, window.stride), slice(None, None, window.stride))
    cut = _copies(ar, {k: v[:, : window.depth].reshape(form) for k, v in patches.fields.items()},
                  {k: sliding_window_view(v, (window.size,) * 2, (1, 2))[steps]
                   .transpose(0, 1, 2, 4, 5, 3)[:, : form[1], : form[2]]
                   for k, v in as_images(canvas, shape).items()})

    def fill() -> None:
        put()
        cut()

    return patches, fill


def patches(images: np.ndarray, window: Window) -> np.ndarray:
    """Return images x rows x columns x depth patches of plain numbers."""
    (height, width), (top, left) = window.reach(), window.before
    sides = ((top, height - top - window.shape[0]), (left, width - left - window.shape[1]))
    canvas = np.pad(images, ((0, 0), *sides, (0, 0)))
    found = sliding_window_view(canvas, (window.size,) * 2, (1, 2))
    found = found[:, :: window.stride, :: window.stride].transpose(0, 1, 2, 4, 5, 3)
    rows, columns = window.out
    return found[:, :rows, :columns].reshape(len(images), rows, columns, -1)


def rows_of(ar, window: Window, t: Tensor, channels: int):
    """Return a tensor with a row for each position of t, and calls that copy to it and back."""
    rows = ar.empty(t.rows * int(np.prod(window.out)), channels, t.role)
    form = (t.rows, *window.out, channels)
    apart = {k: v[:, :channels].reshape(form) for k, v in rows.fields.items()}
    packed = as_images(t, form[1:])
    return rows, _copies(ar, apart, packed), _copies(ar, packed, apart)


def spreading(window: Window, parts: Tensor, x: Tensor) -> Callable[[], None]:
    """x = for each of its numbers the sum of what patches, a row each, hold for it."""
    (height, width), (top, left) = window.out, window.before
    rows, columns, channels = window.shape
    pairs = [(v[:, : window.depth].reshape(x.rows, height, width, window.size, window.size,
                                           channels),
              np.empty((x.rows, *window.reach(), channels), v.dtype),
              as_images(x, window.shape)[k]) for k, v in parts.fields.items()]
    down, across = ((n - 1) * window.stride + 1 for n in window.out)

    def run() -> None:
        for patches, canvas, images in pairs:
            canvas.fill(0)
            for i, j in np.ndindex(window.size, window.size):
                canvas[:, i : i + down : window.stride,
                       j : j + across : window.stride] += patches[:, :, :, i, j]
            images[...] = canvas[:, top : top + rows, left : left + columns]

    return run


def _copies(ar, to: dict[str, np.ndarray], of: dict[str, np.ndarray]) -> Callable[[], None]:
    return copying(ar, [(to[k], of[k]) for k in to])
