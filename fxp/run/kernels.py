"""Sums of products of fixed-point words as plans for kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fxp import spec
from fxp.format import Fixed, FormatError, check_integer
from fxp.trace.bits import clamp
from fxp.trace.circuit import trace
from fxp.trace.plans import MatmulPlan

__all__ = ["Accumulator"]


@dataclass(frozen=True)
class Accumulator:
    """How a sum of products a * b of two formats is taken, and rounded to `out`.

    kind exact: the register holds every bit of up to `depth` products; one
    rounding at the end. kind limited: the register has `bits` bits (fraction
    a.frac + b.frac) and saturates at every step. kind each: every product is
    rounded to out, and every sum saturates or wraps.
    """

    a: Fixed
    b: Fixed
    out: Fixed
    kind: str = "exact"
    depth: int = 1 << 16
    bits: int = 48
    rounding: str = "nearest-even"
    overflow: str = "saturate"
    init: Fixed | None = None  # what a sum starts with, a bias; a word of out unless given

    def __post_init__(self):
        if self.kind not in ("exact", "limited", "each"):
            raise FormatError(f"accumulator must be exact, limited or each, got {self.kind!r}")
        check_integer("bits", self.bits, 8, 62)
        if self.rounding not in spec.ROUNDINGS:
            raise FormatError(f"rounding must be one of {', '.join(spec.ROUNDINGS)}, "
                              f"got {self.rounding!r}")
        if self.overflow not in spec.OVERFLOWS:
            raise FormatError(f"overflow must be saturate or wrap, got {self.overflow!r}")

    @property
    def frac(self) -> int:
        """The fraction bits of the register."""
        return self.out.frac if self.kind == "each" else self.a.frac + self.b.frac

    @property
    def register(self) -> tuple[int, int]:
        """The range of the register."""
        if self.kind == "each":
            return self.out.words
        if self.kind == "limited":
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        reach = max(abs(p * q) for p in self.a.words for q in self.b.words)
        start = max(abs(w) for w in self.first.words) << max(0, self.frac - self.first.frac)
        bound = reach * self.depth + start
        return -bound, bound

    @property
    def first(self) -> Fixed:
        """The format of what a sum starts with."""
        return self.init or self.out

    def start(self, word):
        """Return the register that holds a word to start with, saturated where it might not."""
        register = spec.round_shift(word, self.first.frac - self.frac, "nearest-even")
        narrow = self.kind == "limited" or self.init is not None
        return clamp(register, *self.register) if narrow else register

    def step(self, register, a, b):
        """Return the register after one product."""
        if self.kind == "each":
            drop = self.a.frac + self.b.frac - self.out.frac
            product = spec.overflow(spec.round_shift(a * b, drop, self.rounding),
                                    self.out, self.overflow)
            return spec.overflow(register + product, self.out, self.overflow)
        if self.kind == "limited":
            return clamp(register + a * b, *self.register)
        return register + a * b

    def finish(self, register, random=0):
        """Return the word of out."""
        return spec.overflow(spec.round_shift(register, self.frac - self.out.frac,
                                              self.rounding, random), self.out, self.overflow)

    def plan(self, finish: Callable | None = None, ports=None, keep_untouched: bool = False,
             dtypes=None, outputs=("o",)) -> MatmulPlan:
        """Return the matrix product as a plan; finish(register, **ports) replaces the
        final rounding, its extra ports are ranges, stored as `dtypes` says, as are
        the outputs."""
        def step(register, b, a):
            return self.step(register, a, b)

        stored = {"i": self.first.dtype, "a": self.a.dtype, "b": self.b.dtype, "o": self.out.dtype}
        return MatmulPlan(
            start=trace(lambda i: self.start(i), {"i": self.first.words}, name="start"),
            step=trace(step, {"register": self.register, "b": self.b.words, "a": self.a.words}),
            finish=trace(finish or (lambda register: self.finish(register)),
                         {"register": self.register, **(ports or {})}, outputs=outputs,
                         name="finish"),
            state=("register",), scalars=("a",), vectors=("b",),
            dtypes={**stored, **(dtypes or {})},
            absent=0, keep_untouched=keep_untouched)
