"""Sums of products of LNS numbers as plans for kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fxp.circuit import trace
from fxp.format import FormatError, check_integer
from fxp.loops import MatmulPlan
from lnsarith import spec
from lnsarith.delta import Delta, Lut
from lnsarith.format import Lns
from lnsarith.spec import Number

__all__ = ["Accumulator"]

SIGN = (-1, 0)


@dataclass(frozen=True)
class Accumulator:
    """How a sum of products is taken: an operator of its own.

    With guard = 0 and sequential order it is, to the bit, one `mac` of words
    after the other, starting from the initial word. `guard` gives the register
    that many more fraction bits, at the end rounded to nearest even; order tree
    sums as `fxp.loops.MatmulPlan` says. underflow is zero or smallest.
    """

    f: Lns
    delta: Delta = Lut()
    guard: int = 0
    order: str = "sequential"
    underflow: str = "zero"

    def __post_init__(self):
        check_integer("guard", self.guard, 0, 16)
        if self.order not in ("sequential", "tree"):
            raise FormatError(f"order must be sequential or tree, got {self.order!r}")
        if self.underflow not in ("zero", "smallest"):
            raise FormatError(f"underflow must be zero or smallest, got {self.underflow!r}")

    @property
    def zero(self) -> int:
        """The level of zero in the register."""
        return spec.zero_level(self.f, self.guard)

    def start(self, n: Number) -> Number:
        """Return the register that holds n."""
        return spec.start(n, self.guard)

    def product(self, x: Number, y: Number) -> Number:
        """Return x * y as a register value."""
        return spec.product(self.start(x), self.start(y), self.f, self.guard, self.underflow)

    def total(self, a: Number, b: Number) -> Number:
        """Return the sum of two register values."""
        delta = self.delta.at(self.f.frac + self.guard, self.zero)
        return spec.total(a, b, delta, self.f, self.guard, self.underflow)

    def finish(self, n: Number) -> Number:
        """Return the register rounded to a word's number."""
        return spec.finish(n, self.f, self.guard, self.underflow)

    def plan(self, finish: Callable | None = None, ports=None, outputs=("level", "sign"),
             keep_untouched: bool = False, dtypes=None) -> MatmulPlan:
        """Return the matrix product as a plan.

        finish(n, **ports) may take the rounded sum further (an update of a
        weight, say); its extra ports are ranges, stored as `dtypes` says.
        """
        f, levels = self.f, spec.level_range(self.f)
        register = {"level": spec.level_range(f, self.guard), "sign": SIGN}
        total = self.delta.at(f.frac + self.guard, self.zero)

        def add(a, b):
            return spec.total(a, b, total, f, self.guard, self.underflow)

        def step(level, sign, b_level, b_sign, a_level, a_sign):
            xy = self.product(Number(b_level, b_sign), Number(a_level, a_sign))
            return add(Number(level, sign), xy)

        def leaf(b_level, b_sign, a_level, a_sign):
            return self.product(Number(b_level, b_sign), Number(a_level, a_sign))

        def combine(level, sign, level_2, sign_2):
            return add(Number(level, sign), Number(level_2, sign_2))

        def end(level, sign, **rest):
            n = self.finish(Number(level, sign))
            return finish(n, **rest) if finish else n

        tree = self.order == "tree"
        operands = {"b_level": levels, "b_sign": SIGN, "a_level": levels, "a_sign": SIGN}
        if not tree:
            operands = {**register, **operands, "a_level": (levels[0] + 1, levels[1])}
        low = {**operands, "a_level": (levels[0] + 1, spec.one_level(f))}
        pair = {**register, "level_2": register["level"], "sign_2": SIGN}
        words = ("i_level", "i_sign", "a_level", "a_sign", "b_level", "b_sign")
        names = tuple(f"o_{name}" for name in outputs)
        return MatmulPlan(
            start=trace(lambda i_level, i_sign: self.start(Number(i_level, i_sign)),
                        {"i_level": levels, "i_sign": SIGN}, name="start"),
            step=trace(leaf if tree else step, operands),
            finish=trace(end, {**register, **(ports or {})}, outputs=names, name="finish"),
            state=("level", "sign"), scalars=("a_level", "a_sign"),
            vectors=("b_level", "b_sign"),
            dtypes={**dict.fromkeys((*words, *names), f.dtype), **(dtypes or {})},
            absent=None if tree else self.zero >> self.guard,
            low=None if tree else trace(step, low), low_limit=spec.one_level(f),
            combine=trace(combine, pair) if tree else None, keep_untouched=keep_untouched)
