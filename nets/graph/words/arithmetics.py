"""Arithmetics for the steps of a graph, each with the formats of its step."""

from __future__ import annotations

from lnsarith.lns.format import Lns
from nets.arithmetic.choose import make_arithmetic
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
        self.f = settings.format("activations")
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

    def sums(self, ar):
        """Return the plan of sums of products of the roles `in` and `weights`, from a word of
        `out` on to one."""
        if id(ar) not in self._plans:
            roles = ("in", "weights", "out", "out") if self.logarithmic else (
                "in", "weights", "out")
            self._plans[id(ar)] = ar.accumulator(*roles).plan()
        return self._plans[id(ar)]
