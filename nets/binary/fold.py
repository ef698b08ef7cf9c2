"""Batch norm and sign as one integer threshold a unit, proved on every count."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import numpy as np

from fxp.popcount import pack_bits, words_of
from nets.binary.layers import EPSILON, Head, Hidden
from nets.binary.network import BinaryNetwork
from nets.binary.packed import BitInput, PackedLayer, PackedNetwork

__all__ = ["FoldError", "fold", "fold_head", "fold_hidden"]

FRACTION = 40  # bits of a score behind the point, at most
PIECE = 4096  # counts proved in one go


class FoldError(ValueError):
    """A layer whose thresholds would not answer as its floats do."""


def fold(network: BinaryNetwork) -> PackedNetwork:
    """Return the network in bits, which predicts what its running statistics do.

    FoldError where that cannot be proved, naming the layer.
    """
    for name, array in network.state().items():
        if not np.isfinite(array).all():
            where = network.layers[int(name.partition(".")[0])].name
            raise FoldError(f"{where} holds values that are not finite numbers: its training "
                            "diverged")
    settings = network.settings
    threshold = None if settings.binarize_input == "none" else settings.threshold
    entry, planes, layers = BitInput(network.layers[0].inputs, threshold), settings.planes, []
    for layer in network.hidden:
        layers.append(fold_hidden(layer, planes))
        planes = 1
    return PackedNetwork(entry, [*layers, fold_head(network.head, planes)])


def fold_hidden(layer: Hidden, planes: int) -> PackedLayer:
    """Return a hidden layer in bits. Rows of units with gamma < 0 are inverted.

    With t = mean - beta sd / gamma and S = 2 p - span, a unit of gamma > 0 fires from
    p = ceil((t + span) / 2) on; one of gamma < 0 up to floor((t + span) / 2), so its
    inverted row, of which span - p bits are equal, from span - that on. Without gamma
    beta alone decides. Thresholds are taken in rationals and held against the
    float64 norm for every count.
    """
    span = layer.inputs * ((1 << planes) - 1)
    deviation = np.sqrt(layer.variance + EPSILON)
    columns = (layer.gamma, layer.beta, layer.mean, deviation)
    firsts = [_first([Fraction(x) for x in row], span)
              for row in zip(*(c.tolist() for c in columns))]
    thresholds = np.array([min(max(first, 0), span + 1) for first in firsts], np.int64)
    inverted = layer.gamma < 0
    _prove_hidden(layer, span, inverted, thresholds)
    rows = _rows(np.where(inverted, -layer.sign, layer.sign))
    return PackedLayer(layer.name, layer.inputs, rows, planes, thresholds)


def _first(norm: list[Fraction], span: int) -> int:
    """Return the count of equal bits, of an inverted row if gamma < 0, that first fires."""
    gamma, beta, mean, deviation = norm
    if gamma == 0:
        return 0 if beta >= 0 else span + 1
    middle = (mean - beta * deviation / gamma + span) / 2
    return ceil(middle) if gamma > 0 else span - floor(middle)


def _prove_hidden(layer: Hidden, span: int, inverted: np.ndarray, thresholds: np.ndarray):
    """Raise FoldError unless thresholds and norm agree on all counts 0..span."""
    for low in range(0, span + 1, PIECE):
        counts = np.arange(low, min(low + PIECE, span + 1))[:, None]
        fires = np.where(inverted, span - counts, counts) >= thresholds
        wrong = fires != (layer.normed(2 * counts - span) >= 0)
        if wrong.any():
            row, unit = np.argwhere(wrong)[0]
            raise FoldError(f"{layer.name}: the threshold {thresholds[unit]} of unit {unit} and "
                            f"its batch norm differ for {counts[row, 0]} equal bits")


def fold_head(head: Head, planes: int) -> PackedLayer:
    """Return the last layer in bits, with as few bits behind the point as will do.

    Logits are scale (2 p - span) + bias, so p + bias / (2 scale) has their order.
    """
    span = head.inputs * ((1 << planes) - 1)
    sums = 2 * np.arange(span + 1)[:, None] - span
    logits = head.logits(sums).T
    wanted = [Fraction(float(b)) / (2 * Fraction(float(head.scale))) for b in head.bias]
    for fraction in range(FRACTION):
        biases = np.array([round(w * (1 << fraction)) for w in wanted], np.int64)
        scores = (np.arange(span + 1) << fraction) + biases[:, None]
        if _same_order(logits, scores):
            return PackedLayer(head.name, head.inputs, _rows(head.sign), planes,
                               biases=biases, fraction=fraction)
    raise FoldError(f"{head.name}: no integers of {FRACTION} bits behind the point order the "
                    "classes as the logits do")


def _same_order(logits: np.ndarray, scores: np.ndarray) -> bool:
    """Whether two classes always compare alike; both are classes x counts, rising."""
    classes = range(len(logits))
    return all(np.array_equal(np.searchsorted(logits[i], logits[j], side),
                              np.searchsorted(scores[i], scores[j], side))
               for i in classes for j in classes if i < j for side in ("left", "right"))


def _rows(sign: np.ndarray) -> np.ndarray:
    """Return the bits of signs, inputs x units, packed as units x words."""
    bits = np.ascontiguousarray((sign.T > 0).astype(np.uint8))
    rows = np.zeros((len(bits), words_of(bits.shape[1])), np.uint64)
    pack_bits(bits, rows)
    return rows
