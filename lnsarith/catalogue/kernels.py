"""Sums of products of LNS numbers as plans for kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from fxp.format import FormatError, check_integer
from fxp.trace.circuit import trace
from fxp.trace.plans import MatmulPlan
from lnsarith.catalogue.forms import forms_of
from lnsarith.delta.methods import Delta, Lut
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number

__all__ = ["Accumulator"]

SIGN = (-1, 0)


@dataclass(frozen=True)
class Accumulator:
    """How a sum of products is taken: an operator of its own.

    Operands a, b, the initial value init and the result out are of format f
    unless `formats` gives their own; the register is f with `guard` more fraction bits, at the
    end rounded to nearest even. With guard = 0, one format and sequential order
    it is, to the bit, one `mac` of words after the other, starting from the
    initial word. Order tree sums as `fxp.trace.plans.MatmulPlan` says. underflow is
    zero or smallest.
    """

    f: Lns
    delta: Delta = Lut()
    guard: int = 0
    order: str = "sequential"
    underflow: str = "zero"
    formats: Mapping[str, Lns] = field(default_factory=dict, hash=False)

    def __post_init__(self):
        check_integer("guard", self.guard, 0, 16)
        if self.order not in ("sequential", "tree"):
            raise FormatError(f"order must be sequential or tree, got {self.order!r}")
        self.delta.check(self.register.frac)
        if self.underflow not in ("zero", "smallest"):
            raise FormatError(f"underflow must be zero or smallest, got {self.underflow!r}")

    def of(self, role: str) -> Lns:
        """Return the format of a, b, init or out."""
        return self.formats.get(role, self.f)

    @property
    def register(self) -> Lns:
        """The format of the register."""
        return self.f.widened(self.guard)

    def start(self, n: Number) -> Number:
        """Return the register that holds n."""
        return spec.resize(n, self.of("init"), self.register, self.underflow)

    def product(self, b: Number, a: Number) -> Number:
        """Return b * a as a register value."""
        r, underflow = self.register, self.underflow
        b = spec.resize(b, self.of("b"), r, underflow)
        return spec.product(b, spec.resize(a, self.of("a"), r, underflow), r, underflow)

    def total(self, x: Number, y: Number) -> Number:
        """Return the sum of two register values."""
        r = self.register
        delta = self.delta.at(r.frac, spec.zero_level(r))
        return spec.total(x, y, delta, r, self.underflow)

    def finish(self, n: Number) -> Number:
        """Return the register rounded to a number of `out`."""
        return spec.resize(n, self.register, self.of("out"), self.underflow)

    def plan(self, finish: Callable | None = None, ports=None, outputs=("level", "sign"),
             keep_untouched: bool = False, dtypes=None) -> MatmulPlan:
        """Return the matrix product as a plan.

        finish(n, **ports) may take the rounded sum further (an update of a
        weight, say); its extra ports are ranges, stored as `dtypes` says.
        """
        r = self.register
        register = {"level": spec.level_range(r), "sign": SIGN}
        delta = self.delta.at(r.frac, spec.zero_level(r))

        def add(x, y):
            return spec.total(x, y, delta, r, self.underflow)

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
        low_a, high_a = spec.level_range(self.of("a"))
        operands = {"b_level": spec.level_range(self.of("b")), "b_sign": SIGN,
                    "a_level": (low_a + (not tree), high_a), "a_sign": SIGN}
        if not tree:
            operands = {**register, **operands}
        low = {**operands, "a_level": (low_a + 1, spec.one_level(self.of("a")))}
        pair = {**register, "level_2": register["level"], "sign_2": SIGN}
        initial = {"i_level": spec.level_range(self.of("init")), "i_sign": SIGN}
        names = tuple(f"o_{name}" for name in outputs)
        stored = {"i": self.of("init"), "a": self.of("a"), "b": self.of("b"), "o": self.of("out")}
        plan = MatmulPlan(
            start=trace(lambda i_level, i_sign: self.start(Number(i_level, i_sign)), initial,
                        name="start"),
            step=trace(leaf if tree else step, operands),
            finish=trace(end, {**register, **(ports or {})}, outputs=names, name="finish"),
            state=("level", "sign"), scalars=("a_level", "a_sign"),
            vectors=("b_level", "b_sign"),
            dtypes={**{f"{k}_{field}": f.dtype for k, f in stored.items()
                       for field in ("level", "sign")}, **(dtypes or {})},
            absent=None if tree else low_a,
            low=None if tree else trace(step, low), low_limit=spec.one_level(self.of("a")),
            combine=trace(combine, pair) if tree else None, keep_untouched=keep_untouched,
            nothing=None if tree else spec.zero_level(self.of("b")))
        if tree or self.underflow != "zero":
            return plan
        return replace(plan, forms=cache(lambda: forms_of(plan, r, self.of, delta)))
