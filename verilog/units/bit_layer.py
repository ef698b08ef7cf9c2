"""A layer of bits as the words that the xnor unit takes, and the answers it must give."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from verilog.design.design import Design

__all__ = ["BitLayer", "feed_bits"]


@dataclass(frozen=True)
class BitLayer:
    """The bits of a dense layer as 0 and 1: a images x inputs, w units x inputs; and of
    each unit its threshold, of each image and unit the count of equal bits."""

    a: np.ndarray
    w: np.ndarray
    thresholds: np.ndarray
    counts: np.ndarray


def feed_bits(design: Design, layer: BitLayer) -> Design:
    """Return the xnor unit with the layer for its stimulus and its model: every image's row
    against every unit's, word after word, the lowest bits first."""
    bits = design.inputs["a"][1].bit_length()
    a, w = _words(layer.a, bits, 0), _words(layer.w, bits, 1)  # beyond the row they differ
    images, units, length = len(a), len(w), a.shape[1]
    k = np.tile(np.arange(length), images * units)
    words = {"start": (k == 0).astype(np.int64), "last": (k == length - 1).astype(np.int64),
             "threshold": np.tile(np.repeat(layer.thresholds, length), images),
             "a": np.repeat(a, units, axis=0).ravel(), "b": np.tile(w.ravel(), images)}
    answers = {"fire": (layer.counts >= layer.thresholds).ravel().astype(int),
               "count": layer.counts.ravel()}
    return replace(design, stimulus=lambda count, seed: words, model=lambda given: answers)


def _words(rows: np.ndarray, bits: int, beyond: int) -> np.ndarray:
    """Return rows of 0 and 1 as words of so many bits, int64."""
    missing = -rows.shape[1] % bits
    filled = np.pad(rows.astype(np.int64), ((0, 0), (0, missing)), constant_values=beyond)
    return filled.reshape(len(rows), -1, bits) @ (np.int64(1) << np.arange(bits, dtype=np.int64))
