"""Span plans bound to arrays: the steps of a convolution, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fxp.run.execute import LANES, WORTH_A_THREAD, Arrays, Call, kernel_of
from fxp.run.threads import PARTS, parts_of
from fxp.trace.plans import SpanPlan

__all__ = ["Loops", "Place", "bind_spans"]

AXES = ("image", "row", "column", "channel", "tap")


class Place(NamedTuple):
    """Arrays of one layout and how far apart, in elements, their neighbours lie
    along images, rows, columns, channels and taps."""

    arrays: Arrays
    strides: tuple[int, int, int, int, int]


class Loops(NamedTuple):
    """How far the loops go, see `fxp.trace.plans.SpanPlan`: first and bound of rows and columns.

    `split` names what threads may share out: image or channel, whichever keeps
    their states apart, or nothing.
    """

    taps: int
    unit: int
    first: tuple[int, int]
    bound: tuple[int, int]
    stride: int = 1
    split: str = ""


def bind_spans(plan: SpanPlan, a: Arrays, vectors: Place, state: Place, loops: Loops,
               threads: int = 1):
    """Return call() that runs a span plan; a's arrays are images x rows x columns x channels.

    A span is filled up to a multiple of LANES numbers; vectors and state must reach
    that far behind their last one. What lies there is read, and in the state written.
    """
    first = next(iter(a.values()))
    images, height, width, channels = first.shape
    kernel = kernel_of(plan)
    values = {"image": 0, "images": images, "height": height, "width": width,
              "channel": 0, "channels": channels, "taps": loops.taps, "unit": loops.unit,
              "first_row": loops.first[0], "first_column": loops.first[1],
              "stride": loops.stride, "rows": loops.bound[0], "columns": loops.bound[1]}
    steps = [s // first.itemsize for s in first.strides]
    values.update(zip(("a_image", "a_row", "a_column", "a_channel"), steps))
    for name, place in (("vector", vectors), ("state", state)):
        values.update((f"{name}_{axis}", s) for axis, s in zip(AXES, place.strides))
    for group in (a, vectors.arrays, state.arrays):
        values.update((name, array.ctypes.data) for name, array in group.items())
    lanes = -(-loops.taps * loops.unit // LANES) * LANES
    work = first.size * loops.taps * lanes
    parts, kept = [], []
    for share in _shares(values, loops.split, work, threads):
        kept.append(np.empty((4 + len(a)) * (width * channels + 1), np.int64))
        parts.append({**values, **share, "scratch": kept[-1].ctypes.data})
    return Call(kernel, parts, threads, (a, vectors, state, kept))


def _shares(values: dict, split: str, work: int, threads: int) -> list[dict]:
    """Return the bounds of each part."""
    if not split:
        return [{}]
    each = PARTS if split == "image" else 1  # all channels' parts go through all images
    return [{split: low, f"{split}s": high}
            for low, high in parts_of(values[f"{split}s"], work, WORTH_A_THREAD, threads, each)]
