"""Span plans bound to arrays: the steps of a convolution, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fxp.run.execute import LANES, WORTH_A_THREAD, Arrays, Call, kernel_of
from fxp.run.threads import parts_of
from fxp.trace.plans import SpanPlan

__all__ = ["Loops", "Place", "bind_spans"]

MANY = 8  # parts for each thread: images have unequally many numbers that are not zero
AXES = ("image", "row", "column", "channel", "tap")


class Place(NamedTuple):
    """Arrays of one layout and how far apart, in elements, their neighbours lie
    along images, rows, columns, channels and taps."""

    arrays: Arrays
    strides: tuple[int, int, int, int, int]


class Loops(NamedTuple):
    """How far the loops go: the taps of a window, each way; `unit` numbers a column of a span;
    the row and column of the first tap at 0, 0, and the bounds of both; how far it moves.

    `split` names what threads may share out: image or channel, whichever keeps
    their states apart, or nothing. With `each`, call(image=n, images=n + 1) takes one image.
    """

    taps: int
    unit: int
    first: tuple[int, int]
    bound: tuple[int, int]
    stride: int = 1
    split: str = ""
    each: bool = False


def bind_spans(plan: SpanPlan, a: Arrays, vectors: Place, state: Place, loops: Loops,
               threads: int = 1):
    """Return call() that runs a span plan; a's arrays are images x rows x columns x channels.

    The span of a number is that of as many columns as there are taps; those outside of the
    bound need not be computed. It is filled up to a multiple of LANES numbers; vectors and
    state must reach that far behind their last one. What lies there is read, and in the state
    written.
    """
    first = next(iter(a.values()))
    images, height, width, channels = first.shape
    kernel = kernel_of(plan)
    values = {"height": height, "taps": loops.taps,
              "first_row": loops.first[0], "stride": loops.stride, "rows": loops.bound[0]}
    steps = [s // first.itemsize for s in first.strides]
    values.update(zip(("a_image", "a_row"), steps))
    for name, place in (("vector", vectors), ("state", state)):
        values.update((f"{name}_{axis}", s) for axis, s in zip(AXES, place.strides)
                      if axis in ("image", "row", "tap"))
    for group in (a, vectors.arrays, state.arrays):
        values.update((name, array.ctypes.data) for name, array in group.items())
    lanes = -(-loops.taps * loops.unit // LANES) * LANES
    work = first.size * loops.taps * lanes
    every = {"image": images, "channel": channels}
    parts, kept = [], []
    for share in _shares(every, loops.split, work, threads):
        table = _table(width, range(*share.pop("channel", (0, channels))), loops, steps[2:],
                       state.strides[2:4], vectors.strides[2:4])
        scratch = np.empty((1 + len(a)) * (len(table) + 1), np.int64)
        kept.append((table, scratch))
        beside = np.array_equal(table[:, 0], np.arange(len(table)))
        if not loops.each:
            values.update(zip(("image", "images"), share.get("image", (0, images))))
        parts.append({**values, "entries": len(table), "beside": int(beside),
                      "table": table.ctypes.data, "scratch": scratch.ctypes.data})
    return Call(kernel, parts, threads, (a, vectors, state, kept))


def _table(width: int, channels: range, loops: Loops, *strides) -> np.ndarray:
    """Return the table of a span plan; strides are those of columns and channels, of a, state
    and vectors."""
    x, c = (v.reshape(-1) for v in np.meshgrid(np.arange(width), channels, indexing="ij"))
    column = loops.first[1] + loops.stride * x
    begin = np.maximum(0, -column)
    end = np.minimum(loops.bound[1] - column, loops.taps)
    places = [x * of_column + c * of_channel for of_column, of_channel in strides]
    return np.stack([*places, begin * loops.unit, end * loops.unit], axis=1).astype(np.int64)


def _shares(every: dict[str, int], split: str, work: int, threads: int
            ) -> list[dict[str, tuple[int, int]]]:
    """Return the bounds of each part."""
    if not split:
        return [{}]
    each = MANY if split == "image" else 2  # parts of others all go through all images
    return [{split: bounds}
            for bounds in parts_of(every[split], work, WORTH_A_THREAD, threads, each)]
