"""Convolution and pooling over any number of axes, as ONNX means them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nets.graph.graph import Unsupported

__all__ = ["WINDOWS", "Frame", "average_counts", "frame_of"]

MOST = 1 << 12  # numbers that a window or a padding spans along an axis


class Frame(NamedTuple):
    """How a window moves over an image: for each axis its numbers, the step, the distance of
    its numbers, the padding before and behind the image (which ceil_mode may make larger:
    `beyond` tells by how much), and the number of positions."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    behind: tuple[int, ...]
    beyond: tuple[int, ...]
    out: tuple[int, ...]


def frame_of(a: dict, sides, kernel) -> Frame:
    """Return the frame that attributes mean for an image of these sides."""
    n = len(kernel)
    if len(sides) != n:
        raise ValueError(f"a window of {n} axes does not fit an image of {len(sides)}")
    strides = tuple(a.get("strides") or [1] * n)
    dilations = tuple(a.get("dilations") or [1] * n)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    pads, auto = list(a.get("pads") or [0] * (2 * n)), a.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        more = [max(0, (-(-side // s) - 1) * s + span - side)
                for side, s, span in zip(sides, strides, spans)]
        small, large = [m // 2 for m in more], [m - m // 2 for m in more]
        pads = small + large if auto == "SAME_UPPER" else large + small
    elif auto == "VALID":
        pads = [0] * (2 * n)
    before, behind = tuple(pads[:n]), tuple(pads[n:])
    if min(pads, default=0) < 0 or min(strides) < 1 or min(dilations) < 1 or min(kernel) < 1:
        raise Unsupported(f"pads {pads}, strides {list(strides)}: none may be negative or zero")
    if max(*pads, *spans) > MOST:
        raise Unsupported(f"pads {pads} and windows of {spans}: more than {MOST} are not supported")
    out, beyond = [], []
    for side, s, span, first, last in zip(sides, strides, spans, before, behind):
        room = side + first + last - span
        count = (-(-room // s) if a.get("ceil_mode") else room // s) + 1
        if a.get("ceil_mode") and (count - 1) * s >= side + first:
            count -= 1  # a window must begin on the image or before it
        if count < 1:
            raise ValueError(f"a window of {span} does not fit {side} with padding "
                             f"{first}, {last}")
        out.append(count)
        beyond.append(max(0, (count - 1) * s + span - side - first - last))
    return Frame(tuple(kernel), strides, dilations, before, behind, tuple(beyond), tuple(out))


def _patches(x: np.ndarray, f: Frame, fill) -> np.ndarray:
    """Return a view, images x channels x positions... x numbers of the window..."""
    sides = [(0, 0), (0, 0), *((p, q + r) for p, q, r in zip(f.before, f.behind, f.beyond))]
    if any(p or q for p, q in sides):
        x = np.pad(x, sides, constant_values=fill)
    n = len(f.kernel)
    spans = tuple((k - 1) * d + 1 for k, d in zip(f.kernel, f.dilations))
    view = sliding_window_view(x, spans, tuple(range(2, 2 + n)))
    steps = tuple(slice(None, s * (c - 1) + 1, s) for s, c in zip(f.strides, f.out))
    holes = tuple(slice(None, None, d) for d in f.dilations)
    places = (slice(None), slice(None), *steps, *holes)
    return view[places]


def conv(a, x, w, b=None):
    if w.ndim != x.ndim or tuple(a.get("kernel_shape") or w.shape[2:]) != w.shape[2:]:
        raise ValueError(f"weights of shape {w.shape} do not fit kernel_shape "
                         f"{a.get('kernel_shape')} and an input of {x.ndim} axes")
    f, groups, n = frame_of(a, x.shape[2:], w.shape[2:]), int(a.get("group", 1)), x.ndim - 2
    if x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
        raise ValueError(f"weights of shape {w.shape} in {groups} groups do not fit "
                         f"{x.shape[1]} channels")
    maps = w.shape[0]
    y = np.empty((len(x), maps, *f.out), x.dtype)
    view = _patches(x, f, 0)
    for low in range(0, len(x), 16):
        part = view[low : low + 16]
        if w.shape[1] == 1 and maps == groups:
            axes = list(range(n))
            y[low : low + 16] = np.einsum(
                part, [50, 51, *(9 + i for i in axes), *axes], w[:, 0], [51, *axes],
                [50, 51, *(9 + i for i in axes)], optimize=False)
            continue
        for g in range(groups):
            channels = slice(g * w.shape[1], (g + 1) * w.shape[1])
            here = slice(g * maps // groups, (g + 1) * maps // groups)
            inner = [1, *range(2 + n, 2 + 2 * n)]
            product = np.tensordot(part[:, channels], w[here], (inner, [1, *range(2, 2 + n)]))
            y[low : low + 16, here] = np.moveaxis(product, -1, 1)
    return y if b is None else y + b.reshape(-1, *[1] * n)


def max_pool(a, x):
    if a.get("storage_order"):
        raise Unsupported("storage_order 1 is not supported, 0 is")
    low = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    view = _patches(x, frame_of(a, x.shape[2:], a["kernel_shape"]), low)
    return view.max(axis=tuple(range(x.ndim, view.ndim)))


def average_counts(a: dict, sides, f: Frame) -> np.ndarray:
    """Return for each position the numbers that a mean is taken over: those on the image,
    with count_include_pad those on its padding too, never what lies beyond."""
    inner = np.ones((1, 1, *sides), np.float32)
    if a.get("count_include_pad"):
        inner = np.pad(inner, [(0, 0), (0, 0), *zip(f.before, f.behind)], constant_values=1)
        f = f._replace(before=(0,) * len(sides), behind=(0,) * len(sides))
    view = _patches(inner, f, 0)
    return view.sum(axis=tuple(range(inner.ndim, view.ndim)))[0, 0]


def average_pool(a, x):
    f = frame_of(a, x.shape[2:], a["kernel_shape"])
    view = _patches(x, f, 0)
    total = view.sum(axis=tuple(range(x.ndim, view.ndim)))
    return (total / average_counts(a, x.shape[2:], f)).astype(x.dtype)


def _over(function):
    return lambda a, x: function(x, axis=tuple(range(2, x.ndim)), keepdims=True)


WINDOWS = {"Conv": conv, "MaxPool": max_pool, "AveragePool": average_pool,
           "GlobalAveragePool": _over(np.mean), "GlobalMaxPool": _over(np.max)}
