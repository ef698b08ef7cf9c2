"""Arrays of fixed-point numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fxp import spec
from fxp.arrays.exact import each, near_fraction
from fxp.arrays.operators import NumberArray
from fxp.arrays.words import checked_words
from fxp.format import Fixed, FormatError, as_format
from fxp.run import backend as run
from fxp.run.kernels import Accumulator
from fxp.trace.plans import MatmulPlan

__all__ = ["FixedArray", "Limits", "limits"]

DEPTHS = (1 << 8, 1 << 16, 1 << 24)  # exact registers are made for so many products
ONE = Fixed(4, 0)
HIGHEST = 1000  # power: each is as many products
FAR = 1 << 40  # in units, beyond the words of all formats


class Limits(NamedTuple):
    """The largest and the smallest positive value of a format, the distance of
    neighbours (in LNS formats relative) and the word of zero."""

    max: float
    min: float
    eps: float
    zero: int


def limits(f) -> Limits:
    """Return the limits of a format, Fixed or Lns."""
    if isinstance(f, Fixed):
        return Limits(f.high * f.eps, f.eps, f.eps, 0)
    return Limits(f.max, f.min, f.eps, f.zero)


class FixedArray(NumberArray):
    """Fixed-point numbers: integer words and their format.

        FixedArray([8, -12], Fixed(8, 3))               the numbers 1.0 and -1.5
        FixedArray.from_float([1, -1.5], Fixed(8, 3))   the same

    rounding and overflow are those of the operators, kind and bits say how sums of
    products are taken (`fxp.run.kernels.Accumulator`). With rounding stochastic the
    random bits are operands: use `mul`, `matmul` and `astype`.
    """

    SPEC: ClassVar[Any] = spec
    FORMAT = Fixed
    OPTIONS = ("rounding", "overflow", "kind", "bits")

    def __init__(self, words, f: Fixed | str, rounding: str = "nearest-even",
                 overflow: str = "saturate", kind: str = "exact", bits: int = 48):
        f = as_format(f, Fixed)
        self._set(checked_words(words, f, Fixed), f,
                  _arithmetic(f, rounding, overflow, kind, bits))

    def __truediv__(self, other):
        raise TypeError("fixed-point arrays have no division; multiply by a reciprocal, or "
                        "divide in an LNS format")

    __rtruediv__ = __truediv__

    def mul(self, other, rounding: str | None = None, random=None) -> FixedArray:
        """Return self * other, with a rounding of its own if one is given.

        random goes with rounding stochastic: integers that broadcast to the result,
        of which the f.frac low bits are used.
        """
        words = self._wanted(other)
        shape = np.broadcast_shapes(self.shape, words.shape)
        if rounding is None:
            rounding = self.arithmetic.rounding
        replace(self.arithmetic, rounding=rounding)  # raises for an unknown one
        ports, ranges = _random_port(rounding, random, self.f.frac, shape)
        return self._like(self._map(spec.mul, x=self.words, y=words, **ports, ranges=ranges,
                                    given=(("rounding", rounding), ("random", 0))))

    def __pow__(self, exponent):
        """Return self to an integer power of 0..1000, by products from left to right,
        each rounded: ((x * x) * x) * x."""
        if isinstance(exponent, (bool, np.bool_)) or not isinstance(exponent, (int, np.integer)):
            raise TypeError(f"a power of fixed-point numbers is an integer, got {exponent!r}")
        if not 0 <= exponent <= HIGHEST:
            raise ValueError(f"a power of fixed-point numbers is 0..{HIGHEST}, got {exponent}; "
                             "an LNS format has others")
        if not exponent:
            return self._like(np.full(self.shape, self._encoded(np.ones(())), self.f.dtype))
        power = self.copy()
        for _ in range(int(exponent) - 1):
            power = power * self
        return power

    def mean(self, axis: int | None = None) -> FixedArray:
        """Return the means along an axis, or that of all: the exact mean of the words,
        rounded once as the arithmetic says (not stochastically)."""
        rounding, count = self.arithmetic.rounding, self._count(axis)
        if rounding == "stochastic":
            raise TypeError("a mean is not rounded stochastically; take another rounding")
        total = np.asarray(self.words.sum(axis, dtype=np.int64))
        floor, rest = total // count, total % count
        up = {"down": rest < 0, "toward-zero": (total < 0) & (rest > 0),
              "nearest-up": 2 * rest >= count,
              "nearest-even": 2 * rest + (floor & 1) > count}[rounding]
        return self._like((floor + up).astype(self.f.dtype))

    def astype(self, to, random=None, **options):
        """Return the numbers in another format, rounded as the arithmetic says.

        options are those of the array class for `to` if it is no Fixed. Raises
        FormatError if there is no such class.
        """
        to = self._format(to)
        if not isinstance(to, Fixed):
            return self.CLASSES[type(to)].from_fixed(self, to, **options)
        rounding = self.arithmetic.rounding
        ports, ranges = _random_port(rounding, random, self.f.frac - to.frac, self.shape)
        words = self._map(spec.resize, to.dtype, x=self.words, **ports, ranges=ranges,
                          given=(("to", to), ("random", 0)))
        return FixedArray(words, to, **self.options)

    def _parameter(self, name, default):
        if name == "random":
            if self.arithmetic.rounding == "stochastic":
                raise TypeError("stochastic rounding takes its random bits as an operand: "
                                "a.mul(b, random=bits)")
            return default
        return {"f": self.f, "rounding": self.arithmetic.rounding,
                "mode": self.arithmetic.overflow}.get(name, default)

    def _zeros(self, shape):
        return np.zeros(shape, self.f.dtype)

    def _encoded(self, values):
        low, high = self.f.words
        if values.dtype == object:
            scale = 1 << self.f.frac
            return each(values, lambda value: min(max(
                round(near_fraction(value) * scale), low), high)).astype(self.f.dtype)
        with np.errstate(over="ignore"):
            scaled = np.rint(values * 2.0**self.f.frac)
        return np.clip(scaled, low, high).astype(self.f.dtype)

    def _placed(self, values):
        low, high = self.f.words
        scaled = _in_units(values, self.f.frac)
        floor = np.clip(np.floor(scaled), low, high)
        return np.nan_to_num(floor, nan=low).astype(self.f.dtype), np.sign(scaled - floor)

    def _decoded(self):
        return self.words * self.f.eps

    def _product(self, a, b, init, random):
        ports, _ = _random_port(self.arithmetic.rounding, random, self.f.frac,
                                (len(a), b.shape[1]))
        return self._sums(self.arithmetic, a, b, init, list(ports.values()))

    def _total(self, words):
        ones = np.full((1, len(words)), 1, ONE.dtype)
        by_ones = replace(self.arithmetic, a=ONE)
        return self._sums(by_ones, ones, words, np.zeros((1, 1), self.f.dtype), [])

    def _sums(self, accumulator, a, b, init, random):
        accumulator = replace(accumulator, depth=next(
            (d for d in DEPTHS if d >= len(b)), 1 << len(b).bit_length()))
        plan = _plan(accumulator, random[0].dtype if random else None)
        commutes = accumulator.a == accumulator.b
        return run.matmul(plan, [a], [b], [init], random, commutes)[0]


def _in_units(values: np.ndarray, frac: int) -> np.ndarray:
    """Return numbers in units of 2**-frac, as float64: those between two integers in
    their middle, those beyond 2**40 no larger."""
    def middle(value) -> float:
        if isinstance(value, float):  # NaN or infinite
            return value
        scaled = near_fraction(value) * (1 << frac)
        floor = min(max(math.floor(scaled), -FAR), FAR)
        return floor + (0.5 if floor != scaled else 0.0)

    if values.dtype == object:
        return np.array([middle(value) for value in values.flat]).reshape(values.shape)
    with np.errstate(over="ignore"):
        return np.clip(values * 2.0**frac, -FAR, FAR)


def _random_port(rounding: str, random, dropped: int, shape) -> tuple[dict, tuple]:
    """Return the array of random bits and its range, by port; none if none are wanted.

    Bits above the dropped ones do not matter, so words of 16 or 32 bits hold them.
    """
    if rounding != "stochastic":
        if random is not None:
            raise TypeError(f"random bits go with rounding stochastic, not with {rounding}")
        return {}, ()
    if dropped <= 0:
        return {}, ()
    if random is None or np.asarray(random).dtype.kind not in "iu":
        raise TypeError("stochastic rounding wants random=, an array of integers")
    dtype = np.dtype(np.int16 if dropped <= 16 else np.int32)
    return {"random": np.broadcast_to(np.asarray(random).astype(dtype), shape)}, (
        ("random", (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))),)


@lru_cache(maxsize=256)
def _arithmetic(f: Fixed, rounding: str, overflow: str, kind: str, bits: int) -> Accumulator:
    return Accumulator(f, f, f, kind, bits=bits, rounding=rounding, overflow=overflow)


@lru_cache(maxsize=256)
def _plan(accumulator: Accumulator, random: np.dtype | None) -> MatmulPlan:
    """Return the plan of a product, with a port of random bits of this type."""
    if accumulator.register[1] >= 1 << 62:
        raise FormatError(f"an exact sum of {accumulator.depth} products of {accumulator.a} and "
                          f"{accumulator.b} leaves 64 bits; take kind=limited or kind=each")
    if random is None:
        return accumulator.plan()
    if accumulator.kind == "each":
        raise FormatError("kind=each rounds every product, for which there are no random bits; "
                          "take kind=exact or another rounding")
    info = np.iinfo(random)
    return accumulator.plan(accumulator.finish, {"random": (int(info.min), int(info.max))},
                            dtypes={"random": random})
