"""The algebras that read a formula: LNS numbers, fixed-point numbers, arrays of floats.

A formula is a function of an algebra and numbers; see `nets.layers.norm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from fxp.format import Fixed
from fxp.spec import overflow, round_nearest_even, round_shift
from fxp.trace.bits import clamp, maximum
from lnsarith.lns import spec
from lnsarith.lns.convert import antilog, log2_of
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number
from nets.arithmetic.lns.descent import lns_constant

__all__ = ["FixedAlgebra", "LnsAlgebra", "RealAlgebra", "Scaled"]


@dataclass(frozen=True)
class LnsAlgebra:
    """Each operation is one of the register: rounded, saturated, bypassed as a sum's."""

    register: Lns
    delta: Any
    underflow: str

    def plus(self, a: Number, b: Number) -> Number:
        """Return a + b."""
        return spec.total(a, b, self.delta, self.register, self.underflow)

    def minus(self, a: Number) -> Number:
        """Return -a."""
        return Number(a.level, -1 - a.sign)

    def times(self, a: Number, b: Number) -> Number:
        """Return a b."""
        return spec.product(a, b, self.register, self.underflow)

    def constant(self, value: float) -> Number:
        """Return the nearest number to a positive value."""
        n = lns_constant(Fraction(value), self.register)
        assert n is not None
        return n

    def inverse_root(self, a: Number) -> Number:
        """Return a ** -1/2 of a positive a: half its log, negated, to nearest even."""
        zero, one = spec.zero_level(self.register), spec.one_level(self.register)
        level = round_nearest_even(one - a.level, 1) + one
        return Number(clamp(level, zero + 1, -1), 0 * a.sign)


class Scaled(NamedTuple):
    """An exact fixed-point number: word / 2**frac."""

    word: Any
    frac: int


@dataclass(frozen=True)
class FixedAlgebra:
    """Sums and products are exact; the inverse root alone is rounded, to a word of `f`."""

    f: Fixed

    def plus(self, a: Scaled, b: Scaled) -> Scaled:
        """Return a + b."""
        frac = max(a.frac, b.frac)
        return Scaled((a.word << (frac - a.frac)) + (b.word << (frac - b.frac)), frac)

    def minus(self, a: Scaled) -> Scaled:
        """Return -a."""
        return Scaled(0 - a.word, a.frac)

    def times(self, a: Scaled, b: Scaled) -> Scaled:
        """Return a b."""
        return Scaled(a.word * b.word, a.frac + b.frac)

    def constant(self, value: float) -> Scaled:
        """Return the nearest word of f to a positive value, at least one unit."""
        return Scaled(max(1, round(value * (1 << self.f.frac))), self.f.frac)

    def inverse_root(self, a: Scaled) -> Scaled:
        """Return a ** -1/2 by way of logarithms; what is not positive counts as one unit."""
        logs = Lns(20, 12)
        word = maximum(overflow(round_shift(a.word, a.frac - self.f.frac, "nearest-even"), self.f),
                       1)
        n = log2_of(word, self.f, logs)
        one = spec.one_level(logs)
        level = clamp(round_nearest_even(one - n.level, 1) + one, spec.zero_level(logs), -1)
        return Scaled(antilog(Number(level, 0 * level), logs, self.f), self.f.frac)


class RealAlgebra:
    """Operations of NumPy."""

    @staticmethod
    def plus(a, b):
        return a + b

    @staticmethod
    def minus(a):
        return -a

    @staticmethod
    def times(a, b):
        return a * b

    @staticmethod
    def constant(value: float):
        return np.float32(value)

    @staticmethod
    def inverse_root(a):
        return 1 / np.sqrt(a)
