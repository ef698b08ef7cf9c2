"""The gradients of the steps of a graph, in words of one format, side by side with their forms
in `nets.graph.words.steps`.

A gradient is that of values, whatever power of two their words share. Sums are those of the
arithmetic, product by product; a function of one number is the word nearest to it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nets.graph.graph import Unsupported
from nets.graph.words.arithmetics import Arithmetics
from nets.graph.words.placed import Placed, placed_for
from nets.graph.words.steps import Combine, Function, Greatest, Mean, Move, Step, filled

__all__ = ["Words", "backward", "moved_by", "plus", "scattered"]

Words = np.ndarray


def backward(step: Step, bench: Arithmetics, g: Placed, given: list[Words], of: list[Placed],
             dy: Words) -> list[Words]:
    """Return the gradient of each input of a step that has no weights; Unsupported, naming it,
    for one without."""
    kinds: dict[type, Callable] = {Function: _function, Move: _move, Greatest: _greatest,
                                   Mean: _mean, Combine: _combine}
    return kinds[type(step)](step, bench, g, given, of, dy)


def plus(bench: Arithmetics, g: Placed, a: Words, b: Words) -> Words:
    """Return the sum of two gradients."""
    ar = bench.of({"a": g.f, "out": g.f})
    out = ar.empty(len(a), a.shape[1], "out")
    ar.formula("plus", out, filled(ar, a, "a"), filled(ar, b, "a"))()
    return ar.words(out)


def moved_by(g: Placed, words: Words, shift: int) -> Words:
    """Return gradients times a power of two."""
    return g.words(np.ldexp(g.reals(words), shift)) if shift else words


def scattered(bench: Arithmetics, g: Placed, words: Words, index: np.ndarray, size: int) -> Words:
    """Return, for so many places, the sum of the words whose index is the place, in their
    order; -1 is no place."""
    index = index.reshape(-1)
    order = np.argsort(index, kind="stable")
    order = order[np.searchsorted(index[order], 0):]
    places = index[order]
    counts = np.bincount(places, minlength=size)
    rank = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    padded = np.concatenate([words, np.full((len(words), 1), g.zero, words.dtype)], 1)
    total = words[:, :0]
    for k in range(max(1, counts.max(initial=0))):
        column = np.full(size, -1)
        column[places[rank == k]] = order[rank == k]
        part = padded.take(column, 1)
        total = plus(bench, g, total, part) if k else part
    return total


def _times(bench: Arithmetics, g: Placed, dy: Words, other: Words, kind: Placed) -> Words:
    """Return gradients times words of another kind, number by number."""
    ar = bench.of({"a": g.f, "b": kind.f, "out": g.f})
    out = ar.empty(len(dy), dy.shape[1], "out")
    other = np.broadcast_to(other, dy.shape)
    ar.formula("times", out, filled(ar, dy, "a"), filled(ar, other, "b"))()
    return moved_by(g, ar.words(out), kind.shift)


def _function(step: Function, bench, g, given, of, dy):
    if step.slope is None:
        raise Unsupported(f"node {step.name}: it has no slope here, so what comes before it cannot "
                          "be trained")
    values = of[0].reals(given[0])
    if step.places:
        values = values.reshape(len(values), *step.shape[1:])
    slopes = np.asarray(step.slope(values), np.float64).reshape(dy.shape)
    if np.isin(slopes, (0.0, 1.0)).all():
        return [np.where(slopes != 0, dy, g.zero).astype(dy.dtype)]
    kind = placed_for(bench.f, float(max(1.0, np.abs(slopes).max())))
    return [_times(bench, g, dy, kind.words(slopes), kind)]


def _move(step: Move, bench, g, given, of, dy):
    sizes = [words.shape[1] for words in given]
    every = scattered(bench, g, dy, step.index, sum(sizes))
    return np.split(every, np.cumsum(sizes)[:-1], axis=1)


def _greatest(step: Greatest, bench, g, given, of, dy):
    chosen = step.chosen(of[0].heights(given[0]))
    count = step.index.shape[1]
    spread = np.where(chosen[:, :, None] == step.index, dy[:, :, None], g.zero)
    first = np.arange(count) == (chosen[:, :, None] == step.index).argmax(2)[:, :, None]
    spread = np.where(first, spread, g.zero).astype(dy.dtype)
    return [scattered(bench, g, spread.reshape(len(dy), -1), step.index, given[0].shape[1])]


def _mean(step: Mean, bench, g, given, of, dy):
    parts, places = [], []
    for results, index in step.parts:
        share = g.words(g.reals(dy[:, results]) / len(index))
        parts.append(np.tile(share, (1, len(index))))
        places.append(index.reshape(-1))
    return [scattered(bench, g, np.concatenate(parts, 1), np.concatenate(places),
                      given[0].shape[1])]


def _combine(step: Combine, bench, g, given, of, dy):
    if step.formula == "plus":
        return [dy, dy]
    if step.formula == "minus":
        return [dy, g.words(-g.reals(dy))]
    if step.formula == "times":
        return [_times(bench, g, dy, given[1 - i], of[1 - i]) for i in range(2)]
    factor = step.constants[0]
    kind = placed_for(bench.f, float(np.abs(factor).max()))
    return [_times(bench, g, dy, kind.words(factor), kind)]
