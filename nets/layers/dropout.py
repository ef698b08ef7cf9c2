"""Dropout: in training, numbers that are left out at random."""

from __future__ import annotations

from fractions import Fraction

from nets.layers.dense import Layer

__all__ = ["Dropout"]

ROUND = 1 << 16  # shares are multiples of 1 / ROUND


class Dropout(Layer):
    """In training y = x / (1 - share), or zero where the random bits say so; else y = x.

    The bits come from the number of the batch, of the layer and of the number, by
    shifts, adds and xors (`fxp.spec.random_word`), so every run has the same. The
    factor is a word of the activations. `number` sets layers apart.
    """

    def __init__(self, share: Fraction, number: int):
        self.threshold = round(share * ROUND)
        self.factor = 1 / (1 - share)
        self.number = number

    def forward(self, ar, x):
        return x, []

    def forward_training(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.dropped(x, y, self.threshold, self.factor, self.number)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.dropped(dy, dx, self.threshold, self.factor, self.number)]
