"""Sub-gradients of min-selectors over words, bit-true; `nets.layers.minselect.layers` has the
formulas.

An input's are sums of g mu_w sgn(w) dy where |x| < (mu_x / mu_w) |w|, a weight's of
sgn(x) dy where not, times g mu_x: the same words as in the forward step decide, so each
is the gradient of what was computed. Sums are exact. An input's is rounded once, to
nearest even; a weight's stays exact until its step is rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fxp.format import Fixed, FormatError
from fxp.run.execute import bind_map, bind_matmul
from fxp.spec import overflow, round_shift
from fxp.trace.bits import maximum, where
from fxp.trace.circuit import trace
from fxp.trace.plans import MapPlan, MatmulPlan
from nets.arithmetic.fixed.minselect import LARGEST, SCALE
from nets.arithmetic.tensor import Tensor, roomy

__all__ = ["input_gradient", "rounded", "weight_step"]

Calls = list[Callable[[], None]]
Range = tuple[int, int]

WIDE = np.dtype(np.int64)
NARROW = np.dtype(np.int32)


def of_input(x, limit, slope):
    """Return the slope with the limit's sign where |x| < |limit|, otherwise 0."""
    signed = where(limit < 0, 0 - slope, slope)
    return where(maximum(x, 0 - x) < maximum(limit, 0 - limit), signed, 0)


def of_weight(limit, slope, x):
    """Return the slope with the sign of x, not 0, where |x| >= |limit|, otherwise 0."""
    signed = where(x < 0, 0 - slope, slope)
    return where(maximum(x, 0 - x) < maximum(limit, 0 - limit), 0, signed)


@dataclass(frozen=True)
class Compared:
    """Exact sums of term(held, b, a) over the depth of a product, held the start's word.

    held, b and a are ranges of words with their types; bound is the most that a sum can be.
    """

    term: Callable
    held: tuple[Range, np.dtype]
    b: tuple[Range, np.dtype]
    a: tuple[Range, np.dtype]
    bound: int

    def __post_init__(self):
        if self.bound >= 1 << 62:
            raise FormatError(f"sums of sub-gradients need {self.bound.bit_length() + 1} bits, "
                              "of 63 that there are; give gradients of fewer bits")

    def plan(self, finish, ports, dtypes, outputs) -> MatmulPlan:
        """Return the sums as a plan; finish(register, **ports) makes its outputs."""
        register = {"register": (-self.bound, self.bound)}

        def step(register, held, b, a):
            return register + self.term(held, b, a), held

        operands = {"held": self.held[0], "b": self.b[0], "a": self.a[0]}
        return MatmulPlan(
            start=trace(lambda i: (i - i, i), {"i": self.held[0]}, name="start"),
            step=trace(step, {**register, **operands}),
            finish=trace(finish, {**register, **ports}, outputs=outputs, name="finish"),
            state=("register", "held"), scalars=("a",), vectors=("b",),
            dtypes={"i": self.held[1], "b": self.b[1], "a": self.a[1], **dtypes}, absent=0)


def input_gradient(ar, x: Tensor, limits: Tensor, dy: Tensor, scales: Callable[[], np.ndarray],
                   terms: int) -> tuple[Tensor, Calls]:
    """Return the sums for each number of x, not rounded, and their calls.

    x and dy have a row for each position, limits are numbers of x times outputs, scales()
    the words of g mu_w by output. A sum may later take up to `terms` slopes in all.
    """
    f, g = ar.formats["activations"], ar.formats["gradients"]
    reach = max(map(abs, g.words)) * LARGEST
    scale, scaled = (roomy(dy.rows, dy.columns, 0, d) for d in (NARROW, WIDE))
    times = MapPlan(trace(lambda d, scale: d * scale, {"d": g.words, "scale": (0, LARGEST)},
                          outputs=("o",)), {"d": g.dtype, "scale": NARROW, "o": WIDE})
    multiply = bind_map(times, {**dy.named("d"), "scale": scale, "o": scaled}, ar.backend,
                        threads=ar.threads)
    turned = ar.empty(dy.columns, x.columns, "activations")
    sums = Tensor({"word": roomy(x.rows, x.columns, 0, WIDE)}, x.columns, "gradients")
    plan = Compared(of_input, (f.words, f.dtype), (f.words, f.dtype), ((-reach, reach), WIDE),
                    reach * terms).plan(lambda register: register, {}, {"o": WIDE}, ("o",))
    product = bind_matmul(plan, {"a": scaled[:, : dy.columns]}, turned.named("b"),
                          x.named("i"), sums.named("o"), None, ar.backend, ar.threads)

    def begin() -> None:
        scale[:, : dy.columns] = scales()
        ar.set_words(turned, ar.words(limits).T)

    return sums, [begin, multiply, product]


def rounded(ar, sums: Tensor, dx: Tensor, terms: int) -> Callable[[], None]:
    """dx = the sums, rounded once to gradients."""
    g = ar.formats["gradients"]
    bound = max(map(abs, g.words)) * LARGEST * terms
    plan = MapPlan(trace(lambda s: overflow(round_shift(s, SCALE, "nearest-even"), g),
                         {"s": (-bound, bound)}, outputs=("o",)), {"s": WIDE, "o": g.dtype})
    return bind_map(plan, {**sums.named("s"), **dx.named("o")}, ar.backend,
                    threads=ar.threads)


def weight_step(ar, w: Tensor, x: Tensor, limits: Tensor, dy: Tensor,
                scale: Callable[[], int]) -> Callable[[], None]:
    """w -= lr (the sums for each weight times scale(), the word of g mu_x, + decay w)."""
    f, g = ar.formats["activations"], ar.formats["gradients"]
    sums = _Scaled(of_weight, (f.words, f.dtype), (g.words, g.dtype), (f.words, f.dtype),
                   max(map(abs, g.words)) << (x.rows - 1).bit_length(), g)
    plan = ar.update_by(sums)
    turned = {"a": ar.words(x).T}
    call = bind_matmul(plan, turned, dy.named("b"), limits.named("i"), ar.results(w),
                       ar.operands(w), ar.backend, ar.threads)
    return ar.settled(w, lambda **scalars: call(scale=scale(), **scalars), plan)


@dataclass(frozen=True)
class _Scaled(Compared):
    """Sums of words of a format, as the gradients of an update times a scale."""

    of: Fixed

    @property
    def frac(self) -> int:
        return self.of.frac + SCALE

    def plan(self, finish, ports, dtypes, outputs):
        def scaled(register, scale, **rest):
            return finish(register * scale, **rest)

        return super().plan(scaled, {"scale": (0, LARGEST), **ports}, dtypes, outputs)
