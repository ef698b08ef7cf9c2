"""Min-selectors of fixed-point words: their sums as plans, and weights that rest at a clip."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fxp.format import Fixed, FormatError
from fxp.operators.minselect import exact_product
from fxp.run.kernels import Accumulator
from fxp.trace.bits import maximum, where
from nets.arithmetic.fixed.arithmetic import FixedArithmetic
from nets.arithmetic.tensor import Tensor, roomy

__all__ = ["LARGEST", "MEANS", "SCALE", "MinSelectArithmetic", "Sums"]

MEANS = Fixed(32, 24)
SCALE = 16  # fraction bits of a ratio and of a scale
LARGEST = 1 << 24  # of both as words: 256


class MinSelectArithmetic(FixedArithmetic):
    """Fixed-point arithmetic whose weights may rest at a clip: their gradient is zero there."""

    def __init__(self, settings, threads: int = 1, backend: str = "vector"):
        super().__init__(settings, threads, backend)
        self.formats["means"] = MEANS
        self._bounds: dict[int, np.ndarray] = {}

    def bound(self, w: Tensor) -> np.ndarray:
        """Return the magnitudes from which on gradients of w are zero, none at first."""
        words = w.fields["word"]
        if id(words) not in self._bounds:
            beyond = (1 << (self.formats["weights"].bits - 1)) + 1
            self._bounds[id(words)] = roomy(w.rows, w.columns, beyond, np.int64)
        return self._bounds[id(words)]

    def operands(self, w):
        return {**super().operands(w), "bound": self.bound(w)}

    def update_ports(self):
        return {"bound": ((0, (1 << (self.formats["weights"].bits - 1)) + 1), np.dtype(np.int64))}

    def updated(self, frac, g, w, v=None, rate=None, seed=None, element=None, bound=None):
        g = where(maximum(w, 0 - w) < bound, g, 0)
        return super().updated(frac, g, w, v, rate, seed, element)


@dataclass(frozen=True)
class Selected(Accumulator):
    """An exact sum of min-selected words of one format."""

    @property
    def frac(self) -> int:
        return self.a.frac

    @property
    def register(self) -> tuple[int, int]:
        bound = (1 << (self.a.bits - 1)) * self.depth + (1 << (self.out.bits - 1))
        return -bound, bound

    def step(self, register, a, b):
        return register + exact_product(a, b, Fraction(1), Fraction(1))[0]


class Sums(FixedArithmetic):
    """The arithmetic of such sums, of up to `depth` words."""

    def __init__(self, ar: FixedArithmetic, depth: int):
        super().__init__(ar.settings, ar.threads, ar.backend)
        f = ar.formats["activations"]
        bits = f.bits + depth.bit_length()
        if bits > 30:
            raise FormatError(f"sums of {depth} min-selected words of {f} need {bits} bits, of 30 "
                              "that there are; give activations of fewer bits")
        self.depth = depth
        self.formats = {"weights": f, "activations": f, "sums": Fixed(bits, f.frac)}

    def affine_plan(self):
        of = self.formats
        return Selected(of["activations"], of["weights"], of["sums"], depth=self.depth).plan()
