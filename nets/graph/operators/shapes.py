"""Operators that move numbers and compute none, products of matrices, and what shapes are
computed with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nets.graph.graph import Unsupported

__all__ = ["SHAPES", "gemm"]

MOST = 1 << 28  # numbers of a tensor
TYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32,
         7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64}


def gemm(a, x, w, c=None):
    x = x.T if a.get("transA") else x
    y = x @ (w.T if a.get("transB") else w)
    alpha, beta = a.get("alpha", 1.0), a.get("beta", 1.0)
    y = y if alpha == 1 else y * np.asarray(alpha, y.dtype)
    return y if c is None else y + (c if beta == 1 else c * np.asarray(beta, c.dtype))


def flatten(a, x):
    axis = a.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(math.prod(x.shape[:axis]), -1) if x.size else x.reshape(
        math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def reshape(a, x, shape=None):
    wanted = [int(n) for n in (a["shape"] if shape is None else np.atleast_1d(shape))]
    if not a.get("allowzero"):
        wanted = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    return x.reshape(wanted)


def _axes(a, given):
    found = a.get("axes") if given is None else given
    return None if found is None else tuple(int(n) for n in np.atleast_1d(found))


def squeeze(a, x, axes=None):
    return np.squeeze(x, _axes(a, axes))


def unsqueeze(a, x, axes=None):
    return np.expand_dims(x, _axes(a, axes))


def reduce_mean(a, x, axes=None):
    found = _axes(a, axes)
    if not found:
        if a.get("noop_with_empty_axes"):
            return x
        found = None
    return np.asarray(x.mean(axis=found, keepdims=bool(a.get("keepdims", 1)))).astype(x.dtype)


def pad(a, x, pads=None, value=None, axes=None):
    pads = [int(n) for n in (a.get("pads", a.get("paddings")) if pads is None else pads)]
    value = a.get("value", 0) if value is None else value
    if min(pads, default=0) < 0:
        raise Unsupported(f"negative pads {pads} are not supported, others are")
    chosen = range(x.ndim) if axes is None else [int(n) % x.ndim for n in axes]
    sides = [(0, 0)] * x.ndim
    for i, axis in enumerate(chosen):
        sides[axis] = (pads[i], pads[i + len(pads) // 2])
    if math.prod(n + p + q for n, (p, q) in zip(x.shape, sides)) > MOST:
        raise Unsupported(f"pads {pads} make a tensor of more than {MOST:,} numbers")
    mode = a.get("mode", "constant")
    if mode == "constant":
        return np.pad(x, sides, constant_values=np.asarray(value).reshape(-1)[:1].astype(x.dtype)[0]
                      if np.asarray(value).size else 0)
    return np.pad(x, sides, mode)


def cut(a, x, starts=None, ends=None, axes=None, steps=None):
    starts, ends = (a[k] if v is None else v for k, v in (("starts", starts), ("ends", ends)))
    axes = a.get("axes", range(len(starts))) if axes is None else axes
    places = [slice(None)] * x.ndim
    for i, axis in enumerate(axes):
        step = 1 if steps is None else int(steps[i])
        end: int | None = int(ends[i])
        if step < 0 and end is not None and end < -x.shape[int(axis)]:
            end = None
        places[int(axis)] = slice(int(starts[i]), end, step)
    return x[tuple(places)]


def cast(a, x):
    if a["to"] not in TYPES:
        raise Unsupported(f"to {a['to']}: floats of 16 to 64 bits and integers are supported")
    return x.astype(TYPES[a["to"]])


def constant(a):
    for key, kind in (("value", None), ("value_float", np.float32), ("value_int", np.int64),
                      ("value_floats", np.float32), ("value_ints", np.int64)):
        if key in a:
            return np.asarray(a[key], kind)
    raise Unsupported("sparse tensors and texts are not supported, value is")


def full(a, shape):
    value = np.asarray(a.get("value", np.zeros(1, np.float32))).reshape(-1)[0]
    return np.full(_checked(shape), value)


def expand(a, x, shape):
    return x * np.ones(_checked(shape), x.dtype)


def _checked(shape) -> list[int]:
    sizes = [int(n) for n in shape]
    if math.prod(sizes) > MOST:
        raise Unsupported(f"a tensor of {sizes} is more than {MOST:,} numbers")
    return sizes


def arg_max(a, x):
    axis = a.get("axis", 0)
    found = x.argmax(axis)
    if a.get("select_last_index"):
        found = x.shape[axis] - 1 - np.flip(x, axis).argmax(axis)
    return np.expand_dims(found, axis) if a.get("keepdims", 1) else found


def top_k(a, x, k=None):
    k, axis = int(np.ravel(a["k"] if k is None else k)[0]), a.get("axis", -1)
    if x.dtype.kind == "u":
        raise Unsupported(f"numbers of {x.dtype} are not supported, signed ones are")
    order = np.argsort(-x if a.get("largest", 1) else x, axis=axis, kind="stable")
    chosen = np.take(order, range(k), axis=axis)
    return np.take_along_axis(x, chosen, axis), chosen


def split(a, x, sizes=None):
    sizes, axis = a.get("split") if sizes is None else sizes, a.get("axis", 0)
    if sizes is None:
        size = -(-x.shape[axis] // a.get("num_outputs", a["outputs"]))
        return tuple(np.split(x, range(size, x.shape[axis], size), axis))
    return tuple(np.split(x, np.cumsum([int(n) for n in sizes])[:-1], axis))


SHAPES: dict[str, Callable[..., Any]] = {
    "Gemm": gemm, "MatMul": lambda a, x, w: np.matmul(x, w), "Flatten": flatten,
    "Reshape": reshape, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "ReduceMean": reduce_mean,
    "Pad": pad, "Slice": cut, "Cast": cast, "Constant": constant, "ConstantOfShape": full,
    "Expand": expand, "ArgMax": arg_max, "TopK": top_k, "Split": split,
    "Transpose": lambda a, x: np.transpose(x, a.get("perm")),
    "Concat": lambda a, *xs: np.concatenate(xs, a.get("axis", 1)),
    "Shape": lambda a, x: np.array(x.shape[a.get("start", 0) : a.get("end", None)], np.int64),
    "Gather": lambda a, x, i: np.take(x, i, a.get("axis", 0)),
}
