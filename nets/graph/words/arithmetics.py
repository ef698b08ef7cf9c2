"""Arithmetics for the steps of a graph, each with the formats of its step."""

from __future__ import annotations

from collections.abc import Callable

from fxp.format import Fixed
from fxp.run.execute import bind_matmul
from lnsarith.lns.format import Lns
from nets.arithmetic.choose import make_arithmetic
from nets.arithmetic.tensor import Tensor
from nets.graph.words.placed import Float
from nets.settings.settings import FLOATS, Settings

__all__ = ["Arithmetics"]


class Arithmetics:
    """One arithmetic for each combination of formats that a step asks for.

    settings say how sums are taken; ValueError for floats and binary ones. In logarithms a sum
    of two tensors is taken by `delta`, as those of products are, and a mean by `norm_delta`.
    """

    def __init__(self, settings: Settings, threads: int = 1, backend: str = "vector"):
        if settings.arith in FLOATS or settings.selects:
            raise ValueError("a graph runs in float32 as it is, or in words of lns or fixed "
                             f"point such as lns12 and fixed16, not in {settings.arith}")
        self.f: Lns | Fixed | Float = settings.format("activations")
        self.logarithmic = isinstance(self.f, Lns)
        self.settings = settings
        self.threads, self.backend = threads, backend
        self._made: dict[tuple, object] = {}
        self._plans: dict[int, object] = {}

    def of(self, formats: dict):
        """Return the arithmetic whose roles have these formats: `out` among them, which other
        roles have too."""
        every = {**dict.fromkeys(("weights", "activations", "gradients"), formats["out"]),
                 **formats}
        key = tuple(sorted((role, str(f)) for role, f in every.items()))
        if key not in self._made:
            ar = make_arithmetic(self.settings, self.threads, self.backend)
            ar.formats = every
            self._made[key] = ar
        return self._made[key]

    def affine(self, ar, x: Tensor, w: Tensor, b: Tensor, y: Tensor) -> Callable[[], None]:
        """Return the call that has y be x w plus the row b, of the roles `in`, `weights` and
        `out`."""
        return bind_matmul(self._sums(ar), x.named("a"), w.named("b"),
                           b.broadcast(x.rows).named("i"), y.named("o"), None, self.backend,
                           self.threads)

    def last_calls(self) -> list[Callable[[], None]]:
        """Return what ends a batch of training: nothing here."""
        return []

    def _sums(self, ar):
        """Return the plan of sums of products, from a word of `out` on to one."""
        if id(ar) not in self._plans:
            roles = ("in", "weights", "out", "out") if self.logarithmic else (
                "in", "weights", "out")
            self._plans[id(ar)] = ar.accumulator(*roles).plan()
        return self._plans[id(ar)]
