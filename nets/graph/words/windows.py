"""Pooling among the steps: the greatest number or the mean of each window."""

from __future__ import annotations

import numpy as np

from nets.graph.graph import Node, Unsupported
from nets.graph.operators.windows import _patches, average_counts, frame_of
from nets.graph.words.steps import Greatest, Mean, Step

__all__ = ["WINDOWED", "step"]

WINDOWED = ("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean")


def step(lowering, node: Node, name: str) -> Step:
    """Return the step of a pooling node or of a mean over axes."""
    places, source = lowering.places(name), lowering.source(name)
    if node.op in ("MaxPool", "AveragePool"):
        if places.ndim != 4:
            raise Unsupported(f"windows over {places.ndim - 2} axes are not supported in words, "
                              "over two are")
        frame = frame_of(node.attributes, places.shape[2:], node.attributes["kernel_shape"])
        view = _patches(places, frame, -1)
        shape = view.shape[:4]
        index = view.reshape(int(np.prod(shape)), -1)
        if node.op == "MaxPool":
            return Greatest(node.name, (source,), node.outputs[0], shape, _first_real(index))
        counts = average_counts(node.attributes, places.shape[2:], frame).astype(np.int64)
        every = np.broadcast_to(counts, shape).reshape(-1)
        return Mean(node.name, (source,), node.outputs[0], shape, _parts(index, every), True)
    axes, kept = tuple(range(2, places.ndim)), True
    if node.op == "ReduceMean":
        given = lowering.constants.get(node.inputs[1]) if len(node.inputs) > 1 else None
        found = node.attributes.get("axes") if given is None else given
        axes = tuple(int(n) % places.ndim for n in (
            range(places.ndim) if found is None else np.atleast_1d(found)))
        kept = bool(node.attributes.get("keepdims", 1))
    others = [i for i in range(places.ndim) if i not in axes]
    index = places.transpose(*others, *axes).reshape(
        int(np.prod([places.shape[i] for i in others])), -1)
    shape = tuple(1 if i in axes else n for i, n in enumerate(places.shape)
                  if kept or i not in axes)
    if node.op == "GlobalMaxPool":
        return Greatest(node.name, (source,), node.outputs[0], shape, index)
    counts = np.full(len(index), index.shape[1])
    return Mean(node.name, (source,), node.outputs[0], shape, _parts(index, counts))


def _first_real(index: np.ndarray) -> np.ndarray:
    """Return windows with a number of the image in the first place, that of the others kept."""
    order = np.argsort(index < 0, axis=1, kind="stable")
    return np.take_along_axis(index, order, 1)


def _parts(index: np.ndarray, counts: np.ndarray):
    """Return for each count of numbers the results that are means of so many, and their
    places, count x results: those on the image, and zeros for the others."""
    sorted_ = _first_real(index)
    parts = []
    for count in np.unique(counts):
        results = np.flatnonzero(counts == count)
        parts.append((results, sorted_[results, :count].T.copy()))
    return parts
