"""Batch norm and sign as one integer threshold a unit, proved on every count.

Max pooling stands before the norm, so it passes it: of a unit whose norm rises with its sum
the greatest of a window fires if any does, of one whose norm falls if all do.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np

from fxp.run.popcount import pack_bits, words_of
from nets.binary.packed import BitInput, PackedLayer, PackedNetwork
from nets.layers.binary.layers import BinaryConv2d, BinaryNorm, Product, Scale, Sign
from nets.layers.dropout import Dropout
from nets.layers.spatial.pool import MaxPool
from nets.network.network import Network
from nets.network.probe import plain_layer

__all__ = ["FoldError", "Stage", "fold", "fold_head", "fold_hidden", "stages"]

FRACTION = 40  # bits of a score behind the point, at most
PIECE = 4096  # counts proved in one go


class FoldError(ValueError):
    """A layer whose thresholds would not answer as its floats do."""


@dataclass
class Stage:
    """A product and what decides its bits: max pooling, if any, then a norm or a scale."""

    product: Product
    pool: MaxPool | None = None
    norm: BinaryNorm | Scale | None = None

    @property
    def planes(self) -> int:
        """How many bits stand for a number of its input."""
        return self.product.peak.bit_length()

    @property
    def span(self) -> int:
        """The greatest count of equal bits."""
        return self.product.w.rows * self.product.peak


def fold(network: Network) -> PackedNetwork:
    """Return the network in bits, which predicts what its running statistics do.

    FoldError where that cannot be proved, naming the layer.
    """
    settings = network.ar.settings
    threshold = None if settings.binarize_input == "none" else settings.threshold
    *hidden, head = stages(network)
    layers = [fold_hidden(stage) for stage in hidden]
    return PackedNetwork(BitInput(network.inputs, threshold), [*layers, fold_head(head)])


def stages(network: Network) -> list[Stage]:
    """Return what the layers of a network come to; FoldError for layers in another order,
    and for values that are not finite."""
    found: list[Stage] = []
    for layer in map(plain_layer, network.layers):
        if isinstance(layer, Product):
            found.append(Stage(layer))
        elif isinstance(layer, MaxPool) and found and not found[-1].norm:
            found[-1].pool = layer
        elif isinstance(layer, BinaryNorm | Scale) and found and not found[-1].norm:
            found[-1].norm = layer
        elif not isinstance(layer, Sign | Dropout):
            raise FoldError(f"{type(layer).__name__} has no place there in a network of bits")
        for t in (*layer.parameters().values(), *layer.kept().values()):
            if not np.isfinite(t.fields["value"]).all():
                raise FoldError(f"{found[-1].product.name} holds values that are not finite "
                                "numbers: its training diverged")
    return found


def fold_hidden(stage: Stage) -> PackedLayer:
    """Return a hidden layer in bits. Rows of units with gamma < 0 are inverted.

    With t = mean - beta sd / gamma and S = 2 p - span, a unit of gamma > 0 fires from
    p = ceil((t + span) / 2) on; one of gamma < 0 up to floor((t + span) / 2), so its
    inverted row, of which span - p bits are equal, from span - that on. Without gamma
    beta alone decides. Thresholds are taken in rationals and held against the
    norm in floats for every count.
    """
    product, span = stage.product, stage.span
    assert stage.norm
    constants = stage.norm.constants()
    firsts = [_first([Fraction(x) for x in row], span)
              for row in zip(*(c.tolist() for c in constants))]
    thresholds = np.array([min(max(first, 0), span + 1) for first in firsts], np.int64)
    inverted = constants[2] < 0
    _prove_hidden(stage, inverted, thresholds)
    rows = _rows(product.positive != inverted)
    return PackedLayer(product.name, _inputs(product), rows, stage.planes, thresholds,
                       window=_window(product),
                       pool=stage.pool.window if stage.pool else None,
                       every=inverted if stage.pool else None)


def _first(norm: list[Fraction], span: int) -> int:
    """Return the count of equal bits, of an inverted row if gamma < 0, that first fires."""
    mean, root, gamma, beta = norm
    if gamma == 0:
        return 0 if beta >= 0 else span + 1
    middle = (mean - beta / root / gamma + span) / 2
    return ceil(middle) if gamma > 0 else span - floor(middle)


def _prove_hidden(stage: Stage, inverted: np.ndarray, thresholds: np.ndarray):
    """Raise FoldError unless thresholds and norm agree on all counts 0..span."""
    span, norm = stage.span, stage.norm
    assert norm
    for low in range(0, span + 1, PIECE):
        counts = np.arange(low, min(low + PIECE, span + 1))[:, None]
        fires = np.where(inverted, span - counts, counts) >= thresholds
        wrong = fires != (norm.normed(2 * counts - span) >= 0)
        if wrong.any():
            row, unit = np.argwhere(wrong)[0]
            raise FoldError(f"{stage.product.name}: the threshold {thresholds[unit]} of unit "
                            f"{unit} and its batch norm differ for {counts[row, 0]} equal bits")


def fold_head(stage: Stage) -> PackedLayer:
    """Return the last layer in bits, with as few bits behind the point as will do.

    Logits are scale (2 p - span) + bias, so p + bias / (2 scale) has their order.
    """
    product, norm, span = stage.product, stage.norm, stage.span
    assert isinstance(norm, Scale)
    sums = 2 * np.arange(span + 1)[:, None] - span
    logits = norm.normed(sums).T
    _, (scale, *_), _, bias = (c.tolist() for c in norm.constants())
    wanted = [Fraction(b) / (2 * Fraction(scale)) for b in bias]
    for fraction in range(FRACTION):
        biases = np.array([round(w * (1 << fraction)) for w in wanted], np.int64)
        scores = (np.arange(span + 1) << fraction) + biases[:, None]
        if _same_order(logits, scores):
            return PackedLayer(product.name, _inputs(product), _rows(product.positive),
                               stage.planes, biases=biases, fraction=fraction)
    raise FoldError(f"{product.name}: no integers of {FRACTION} bits behind the point order the "
                    "classes as the logits do")


def _window(product: Product):
    return product.window if isinstance(product, BinaryConv2d) else None


def _inputs(product: Product) -> int:
    """Return how many numbers an image has before a layer."""
    window = _window(product)
    return int(np.prod(window.shape)) if window else product.w.rows


def _same_order(logits: np.ndarray, scores: np.ndarray) -> bool:
    """Whether two classes always compare alike; both are classes x counts, rising."""
    classes = range(len(logits))
    return all(np.array_equal(np.searchsorted(logits[i], logits[j], side),
                              np.searchsorted(scores[i], scores[j], side))
               for i in classes for j in classes if i < j for side in ("left", "right"))


def _rows(positive: np.ndarray) -> np.ndarray:
    """Return where weights are 1, depth x units, packed as units x words."""
    bits = np.ascontiguousarray(positive.T.astype(np.uint8))
    rows = np.zeros((len(bits), words_of(bits.shape[1])), np.uint64)
    pack_bits(bits, rows)
    return rows
