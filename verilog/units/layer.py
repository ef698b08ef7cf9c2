"""A dense layer as the words that a unit takes, and the words that it must answer.

a is images x inputs, w inputs x outputs, bias one word an output, out images x outputs:
words of a network that was trained, out those of the engine that trained it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fxp.format import FormatError
from verilog.design.design import Design, Words

__all__ = ["Layer", "feed"]


@dataclass(frozen=True)
class Layer:
    """The words of a layer; zero and one are the words of these numbers. partial(a, w,
    init) is the engine's sum over some of the inputs, where words hold it exactly."""

    a: np.ndarray
    w: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    zero: int
    one: int
    partial: Callable | None = None


def feed(design: Design, shape: str, layer: Layer, stationary: str = "output") -> Design:
    """Return the unit with the layer for its stimulus and its model.

    shape is mac-unit or systolic. Asked for some words, its stimulus gives the first of
    the layer's, and for 0 all; the model of some is the unit's own. Raises FormatError for
    a unit that cannot take it.
    """
    if shape == "mac-unit":
        words, answers = _sums(layer)
    elif shape == "systolic" and stationary == "output":
        words, answers = _tiles(layer, design.lanes["a"][0], design.lanes["b"][0])
    elif shape == "systolic":
        words, answers = _weights(layer, design.lanes["a"][0], design.lanes["w"][0])
    else:
        raise FormatError("a layer runs on a mac-unit or a systolic array")
    whole = len(words["a"])

    def stimulus(count: int, seed: int) -> Words:
        return {name: column[:count or None] for name, column in words.items()}

    def model(given: Words) -> Words:
        return answers if len(given["a"]) == whole else design.model(given)

    return replace(design, stimulus=stimulus, model=model)


def _sums(layer: Layer) -> tuple[Words, Words]:
    """Return one sum after the other, image by image, output by output."""
    images, inputs = layer.a.shape
    outputs = layer.w.shape[1]
    k = np.tile(np.arange(inputs), images * outputs)
    words = {"start": (k == 0).astype(np.int64), "last": (k == inputs - 1).astype(np.int64),
             "init": np.tile(np.repeat(layer.bias, inputs), images),
             "a": np.repeat(layer.a, outputs, axis=0).ravel(),
             "b": np.tile(layer.w.T.ravel(), images)}
    return words, {"out": layer.out.ravel()}


def _tiles(layer: Layer, rows: int, columns: int) -> tuple[Words, Words]:
    """Return tiles of rows images x columns outputs; the bias comes first, times one."""
    a = np.hstack([np.full((len(layer.a), 1), layer.one), layer.a])
    w = np.vstack([layer.bias, layer.w])
    a, w = _padded(a, rows, 0, layer.zero), _padded(w, columns, 1, layer.zero)
    out = _padded(_padded(layer.out, rows, 0, layer.zero), columns, 1, layer.zero)
    depth = a.shape[1]
    parts, answers = [], []
    for m in range(0, len(a), rows):
        for n in range(0, w.shape[1], columns):
            parts.append((a[m : m + rows].T, w[:, n : n + columns]))
            answers.append(out[m : m + rows, n : n + columns])
    k = np.tile(np.arange(depth), len(parts))
    words = {"start": (k == 0).astype(np.int64), "last": (k == depth - 1).astype(np.int64),
             "a": np.concatenate([p[0] for p in parts]),
             "b": np.concatenate([p[1] for p in parts])}
    return words, {"out": np.concatenate(answers)}


def _weights(layer: Layer, rows: int, columns: int) -> tuple[Words, Words]:
    """Return, for each block of weights, its rows and then all images."""
    inputs = layer.a.shape[1]
    partial = layer.partial
    if inputs > rows and partial is None:
        raise FormatError(f"{inputs} inputs need as many rows: with guard bits or an exact "
                          f"register a sum cannot be handed on as a word; rows is {rows}")
    a, w = _padded(layer.a, rows, 1, layer.zero), _padded(
        _padded(layer.w, rows, 0, layer.zero), columns, 1, layer.zero)
    bias = _padded(layer.bias[None], columns, 1, layer.zero)
    final = _padded(layer.out, columns, 1, layer.zero)
    stream, answers = [], []
    for n in range(0, w.shape[1], columns):
        init = np.repeat(bias[:, n : n + columns], len(a), axis=0)
        for k in range(0, a.shape[1], rows):
            block = w[k : k + rows, n : n + columns]
            stream += [_loads(block, a, layer.zero), _goes(a[:, k : k + rows], init, layer.zero)]
            if partial is None or k + rows >= a.shape[1]:
                init = final[:, n : n + columns]
            else:
                init = partial(a[:, k : k + rows], block, init)
            answers.append(init)
    return ({key: np.concatenate([part[key] for part in stream]) for key in stream[0]},
            {"out": np.concatenate(answers)})


def _loads(block: np.ndarray, a: np.ndarray, zero: int) -> Words:
    """Return the words that load a block of weights, its last row first."""
    rows, columns = block.shape
    none = np.zeros(rows, np.int64)
    return {"load": none + 1, "swap": none, "go": none, "a": np.full((rows, rows), zero),
            "w": block[::-1], "init": np.full((rows, columns), zero)}


def _goes(a: np.ndarray, init: np.ndarray, zero: int) -> Words:
    """Return the words that swap the weights in and take all images."""
    images = len(a)
    none = np.zeros(images, np.int64)
    return {"load": none, "swap": (np.arange(images) == 0).astype(np.int64), "go": none + 1,
            "a": a, "w": np.full(init.shape, zero), "init": init}


def _padded(x: np.ndarray, size: int, axis: int, zero: int) -> np.ndarray:
    """Return x with zeros up to a multiple of size along an axis."""
    missing = -x.shape[axis] % size
    pad = [(0, missing if k == axis else 0) for k in range(x.ndim)]
    return np.pad(x, pad, constant_values=zero)
