"""Sums of products, word by word: what MAC units, trees and arrays are made of.

A `Mac` is an accumulator of the engine (`fxp.run.kernels`, `lnsarith.catalogue.kernels`) seen by
hardware: registers, what a product is, how two partial sums combine, and what word
comes out. `multiply` is the engine's compiled matrix product, which judges them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fxp.format import Fixed, FormatError, word_dtype
from fxp.operators.minselect import exact_product
from fxp.operators.xnor import xnor_popcount
from fxp.run import backend as run
from fxp.run import kernels as fixed_kernels
from fxp.spec import overflow, round_shift
from fxp.trace.bits import minimum
from fxp.trace.circuit import trace
from fxp.trace.plans import MatmulPlan
from lnsarith.catalogue import kernels as lns_kernels
from lnsarith.lns import spec as lns
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number
from verilog.emit.lower import width_of

__all__ = ["Mac", "fixed_mac", "lns_mac", "minselect_mac", "xnor_mac"]

Sum = tuple[Any, ...]  # the value of every register
WIDEST = 62  # bits of a register, as in the engine


@dataclass(frozen=True)
class Mac:
    """A sum of products of words of formats a and b, out and init of format out.

    state gives each register its range, zero its value for an empty sum. start
    takes a word of out, leaf two words; finish returns a word of out.
    """

    a: Fixed | Lns
    b: Fixed | Lns
    out: Fixed | Lns
    state: Mapping[str, tuple[int, int]]
    zero: tuple[int, ...]
    start: Callable[[Any], Sum]
    leaf: Callable[[Any, Any], Sum]
    combine: Callable[[Sum, Sum], Sum]
    finish: Callable[[Sum], Any]
    multiply: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    spec: Callable
    zero_word: int = 0

    def bits(self, port: str) -> int:
        """Return the width of a word of a, b or out."""
        return width_of(*getattr(self, port).words)

    def step(self, total: Sum, a, b) -> Sum:
        """Return the sum after one more product."""
        return self.combine(total, self.leaf(a, b))


def lns_mac(f: Lns, delta, guard: int, underflow: str, order: str = "sequential") -> Mac:
    """Return sums of `lnsarith.catalogue.kernels.Accumulator`."""
    accumulator = lns_kernels.Accumulator(f, delta, guard, order, underflow)
    register = accumulator.register

    def multiply(a, b, init):
        a, b, init = (lns.unpack(np.asarray(x, np.int64), f) for x in (a, b, init))
        level, sign = run.matmul(accumulator.plan(), a, b, init)
        return lns.pack(Number(level.astype(np.int64), sign.astype(np.int64)), f)

    return Mac(
        f, f, f, {"level": lns.level_range(register), "sign": (-1, 0)},
        (lns.zero_level(register), 0),
        start=lambda word: tuple(accumulator.start(lns.unpack(word, f))),
        leaf=lambda a, b: tuple(accumulator.product(lns.unpack(b, f), lns.unpack(a, f))),
        combine=lambda x, y: tuple(accumulator.total(Number(*x), Number(*y))),
        finish=lambda total: lns.pack(accumulator.finish(Number(*total)), f),
        multiply=multiply, spec=lns.total, zero_word=f.zero)


def fixed_mac(f: Fixed, to: Fixed, kind: str, bits: int, depth: int, rounding: str,
              mode: str) -> Mac:
    """Return sums of `fxp.run.kernels.Accumulator`; an exact register wraps beyond `depth`."""
    accumulator = fixed_kernels.Accumulator(f, f, to, kind, depth, bits, rounding, mode)
    low, high = accumulator.register
    width = max((-low - 1).bit_length(), high.bit_length()) + 1
    wraps = kind == "exact"
    if wraps:
        _check_register(width, depth)

    def combine(x, y):
        total = x[0] + y[0]
        if wraps:
            return (_wrapped(total, width),)
        if kind == "limited":
            return (fixed_kernels.clamp(total, low, high),)
        return (overflow(total, to, mode),)

    def leaf(a, b):
        if kind != "each":
            return (a * b,)
        return (overflow(round_shift(a * b, a_drop, rounding), to, mode),)

    def multiply(a, b, init):
        return _product(accumulator.plan(), a, b, init)

    a_drop = 2 * f.frac - to.frac
    span = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if wraps else (low, high)
    return Mac(f, f, to, {"register": span}, (0,),
               start=lambda word: (accumulator.start(word),), leaf=leaf, combine=combine,
               finish=lambda total: accumulator.finish(total[0]), multiply=multiply,
               spec=fixed_kernels.Accumulator.step)


def minselect_mac(f: Fixed, ratio, gain, depth: int, rounding: str, mode: str) -> Mac:
    """Return exact sums of min-selector products; the register wraps beyond `depth`."""
    corner, dropped = exact_product(f.low, f.low, ratio, gain)
    width = (corner * depth + (abs(f.low) << dropped)).bit_length() + 1
    _check_register(width, depth)

    def finish(total):
        return overflow(round_shift(total[0], dropped, rounding), f, mode)

    return _own_kernel(Mac(
        f, f, f, {"register": (-(1 << (width - 1)), (1 << (width - 1)) - 1)}, (0,),
        start=lambda word: (word << dropped,),
        leaf=lambda a, b: (exact_product(a, b, ratio, gain)[0],),
        combine=lambda x, y: (_wrapped(x[0] + y[0], width),), finish=finish,
        multiply=_unset, spec=exact_product))


def xnor_mac(f: Fixed, to: Fixed, depth: int) -> Mac:
    """Return counts of equal bits over at most `depth` words, saturated to `to`."""
    most = f.bits * depth + to.high
    return _own_kernel(Mac(
        f, f, to, {"count": (0, (1 << most.bit_length()) - 1)}, (0,),
        start=lambda word: (word,), leaf=lambda a, b: (xnor_popcount(a, b, f),),
        combine=lambda x, y: ((x[0] + y[0]) & ((1 << most.bit_length()) - 1),),
        finish=lambda total: minimum(total[0], to.high), multiply=_unset, spec=xnor_popcount))


def _check_register(width: int, depth: int):
    if width > WIDEST:
        raise FormatError(f"an exact register for {depth} products takes {width} bits, at most "
                          f"{WIDEST} are made: fewer products would do, or a smaller format")


def _wrapped(x, bits: int):
    """Return x modulo 2**bits, signed."""
    half = 1 << (bits - 1)
    return ((x & (2 * half - 1)) ^ half) - half


def _unset(a, b, init):
    raise NotImplementedError


def _own_kernel(mac: Mac) -> Mac:
    """Return the Mac with a matrix product compiled from its own functions."""
    def plan() -> MatmulPlan:
        names = tuple(mac.state)
        step = trace(lambda b, a, **state: mac.step(tuple(state.values()), a, b),
                     {**mac.state, "b": mac.b.words, "a": mac.a.words}, name="step")
        finish = trace(lambda **state: mac.finish(tuple(state.values())), mac.state,
                       outputs=("o",), name="finish")
        start = trace(lambda i: mac.start(i), {"i": mac.out.words}, name="start")
        return MatmulPlan(start, step, finish, names, ("a",), ("b",), {
            k: word_dtype(*f.words) for k, f in
            {"i": mac.out, "a": mac.a, "b": mac.b, "o": mac.out}.items()})

    return replace(mac, multiply=lambda a, b, init: _product(plan(), a, b, init))


def _product(plan: MatmulPlan, a, b, init) -> np.ndarray:
    """Return init + a @ b of words with one field."""
    a, b, init = ([np.asarray(x, np.int64)] for x in (a, b, init))
    return run.matmul(plan, a, b, init)[0].astype(np.int64)
