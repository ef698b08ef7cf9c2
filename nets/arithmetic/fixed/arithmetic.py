"""Training in fixed-point arithmetic, bit-true from the pixel to the weight update."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fxp.once import cached_property
from fxp.spec import overflow, round_shift
from nets.arithmetic.fixed.descent import FixedDescent, times_constant
from nets.arithmetic.fixed.elementwise import FixedElementwise
from nets.arithmetic.fixed.softmax import FixedSoftmax
from nets.arithmetic.integer import IntegerArithmetic
from nets.arithmetic.tensor import Tensor, roomy

__all__ = ["FixedArithmetic"]

ROLES = ("weights", "activations", "gradients", "logits")


class FixedArithmetic(FixedElementwise, FixedDescent, IntegerArithmetic):
    """The operations of a network over fixed-point words.

    Sums of products are exact and rounded once, to nearest even, unless
    `accumulator` says otherwise: limitedN saturates an N-bit register at every
    step, each rounds every product to the result's format. Where an exact register
    would exceed 62 bits, one of 62 bits saturates. An update is
    w - lr g - lr decay w from the unrounded sum g, rounded once; stochastically,
    unless `update` says nearest (then updates below half a unit are lost).
    """

    def __init__(self, settings, threads: int = 1, backend: str = "vector"):
        super().__init__(settings, threads, backend)
        self.formats = {r: settings.format(r) for r in ROLES}
        self.frac = FixedSoftmax.frac
        self.accumulator("activations", "weights", "activations")  # refuse wrong ones now

    def empty(self, rows, columns, role):
        return Tensor({"word": roomy(rows, columns, 0, self.formats[role].dtype)}, columns, role)

    def normal(self, rng, rows, columns, std):
        f = self.formats["weights"]
        words = np.rint(rng.standard_normal((rows, columns)) * (std * (1 << f.frac)))
        t = self.empty(rows, columns, "weights")
        t.fields["word"][:, :columns] = np.clip(words, *f.words)
        return t

    def affine_plan(self):
        return self.accumulator("activations", "weights", "activations", "weights").plan()

    def logits_plan(self):
        return self.accumulator("activations", "weights", "logits", "weights").plan()

    def input_gradient_plan(self):
        return self.accumulator("gradients", "weights", "gradients").plan()

    def weighted_plan(self, role):
        return self.accumulator("activations", role, role, kind="exact").plan()

    def mean_of_rows(self, rows, mean):
        return self.sum_of_rows(self._mean_plan(rows.role, rows.rows), rows, self.one, mean)

    def _mean_plan(self, role, count):
        """Return the exact sum of so many numbers times one, divided, and rounded once."""
        acc = self.accumulator("activations", role, role, kind="exact", depth=count)
        f, one = self.formats[role], int(self.one.fields["word"][0, 0])

        drop = max(0, acc.register[1].bit_length() + 15 - 62)

        def mean(register):  # words times one, summed up; low bits that do not fit are dropped
            factor = Fraction(1 << drop, count * one)
            scaled = times_constant(round_shift(register, drop, "down"), factor, 0, 10, 15)
            return overflow(round_shift(scaled, 10, "nearest-even"), f)

        return acc.plan(mean)

    def fill(self, t, value):
        f = self.formats[t.role]
        word = max(f.low, min(f.high, round(value * (1 << f.frac))))
        t.fields["word"][:, : t.columns] = word

    def constant(self, value):
        f = self.formats["activations"]
        word = min(f.high, round(value * (1 << f.frac)))
        return Tensor({"word": np.array([[word]], f.dtype)}, 1, "activations")

    def pixel_table(self):
        f = self.formats["activations"]
        scaled = (self.settings.pixel(v) * (1 << f.frac) for v in range(256))
        words = [max(f.low, min(f.high, math.floor(v + Fraction(1, 2)))) for v in scaled]
        return {"word": np.array(words, f.dtype)}

    @cached_property
    def one(self):
        f = self.formats["activations"]
        return Tensor({"word": np.array([[min(f.high, 1 << f.frac)]], f.dtype)}, 1)

    def softmax(self, logits, labels, gradient, stats):
        return self.softmax_unit.bind(logits, labels, gradient, stats, self.backend)

    @cached_property
    def softmax_unit(self) -> FixedSoftmax:
        s = self.settings
        pull = s.softmax_pull if s.logits else 0
        return FixedSoftmax(self.formats["logits"], self.formats["gradients"], s.softmax_delta,
                            pull, s.free, s.loss_scale)

    def words(self, t):
        return t.fields["word"][:, : t.columns]

    def set_words(self, t, words):
        t.fields["word"][:, : t.columns] = words

    def set_reals(self, t, values):
        f = self.formats[t.role]
        self.set_words(t, np.clip(np.rint(np.ldexp(values, f.frac)), *f.words))

    def reals(self, t):
        return np.ldexp(self.words(t).astype(np.float64), -self.formats[t.role].frac)
