"""Arrays of logarithmic numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from fxp.arrays.array import FixedArray
from fxp.arrays.exact import each, signs
from fxp.arrays.joining import where
from fxp.arrays.operators import NumberArray, binary
from fxp.arrays.words import checked_words
from fxp.format import Fixed, FormatError, as_format
from fxp.run import backend as run
from fxp.trace.plans import MatmulPlan
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta.gauss import log2_floor, log2_word
from lnsarith.delta.methods import Delta, Lut
from lnsarith.lns import convert, spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number

__all__ = ["LnsArray"]

LUT = Lut()
EXPONENT = Fixed(16, 8)
FAR = 1 << 40  # a log beyond all formats
NEAR = 2.0**-49  # relative error that a log2 of float64 does not reach


class LnsArray(NumberArray):
    """Logarithmic numbers: integer words and their format.

        LnsArray([0, -32768], Lns(16, 10))              the numbers 1.0 and -1.0
        LnsArray.from_float([1, -1], Lns(16, 10))       the same

    delta is the method of sums; guard, order and underflow say how they are taken
    (`lnsarith.catalogue.kernels.Accumulator`).
    """

    SPEC: ClassVar[Any] = spec
    FORMAT = Lns
    OPTIONS = ("delta", "guard", "order", "underflow")

    def __init__(self, words, f: Lns | str, delta: Delta = LUT, guard: int = 0,
                 order: str = "sequential", underflow: str = "zero"):
        f = as_format(f, Lns)
        self._set(checked_words(words, f, Lns), f, _arithmetic(f, delta, guard, order, underflow))

    __truediv__, __rtruediv__ = binary("div"), binary("div", swap=True)

    def sqrt(self) -> LnsArray:
        """Return the square roots; that of a negative number is zero."""
        return self._like(self._map(spec.sqrt, x=self.words))

    def power(self, exponent) -> LnsArray:
        """Return |self| ** exponent, a FixedArray or a number.

        A number is a multiple of 1/256 between -128 and 128, or FormatError is
        raised: a rounded exponent would be another function.
        """
        if not isinstance(exponent, FixedArray):
            number, exponent = exponent, FixedArray.from_float(exponent, EXPONENT)
            if exponent.shape or float(exponent) != number:
                raise FormatError(f"exponent {number} is no multiple of 1/256 from -128 to 128; "
                                  "give a FixedArray")
        f = exponent.f
        return self._like(self._map(spec.power, x=self.words, y=exponent.words,
                                    ranges=(("y", f.words),), given=(("frac", f.frac),)))

    def __pow__(self, exponent):
        """Return self ** exponent, as `power` gives it of magnitudes; an odd power of a
        negative number is negative. ValueError for another than an integer power of one."""
        magnitude = self.power(exponent)
        if not isinstance(exponent, FixedArray) and exponent % 1 == 0:
            return where(self < 0, -magnitude, magnitude) if exponent % 2 else magnitude
        if (self < 0).any():
            raise ValueError(f"a negative number has no power {exponent}; take x.power(exponent) "
                             "for |x| ** exponent")
        return magnitude

    def mean(self, axis: int | None = None) -> LnsArray:
        """Return the means along an axis, or that of all: the sum divided by the word
        nearest to the count."""
        count = self._count(axis)
        return self.sum(axis) / count

    def astype(self, to, **options):
        """Return the numbers in another format, Lns or Fixed.

        options are those of FixedArray; another Lns keeps its arithmetic.
        """
        to = self._format(to)
        if isinstance(to, Fixed):
            words = self._map(convert.to_fixed, to.dtype, word=self.words, given=(("to", to),))
            return FixedArray(words, to, **options)
        return LnsArray(self._map(_resized, to.dtype, x=self.words, given=(("to", to),)), to,
                        **{**self.options, **options})

    @classmethod
    def from_fixed(cls, numbers: FixedArray, f: Lns | str, **options) -> LnsArray:
        """Return fixed-point numbers as logarithmic ones, logs rounded to nearest."""
        to = as_format(f, Lns)
        words = numbers._map(convert.from_fixed, to.dtype, word=numbers.words, given=(("to", to),))
        return cls(words, to, **options)

    def _parameter(self, name, default):
        if name == "delta":
            return self.arithmetic.delta.at(self.f.frac, spec.zero_level(self.f))
        return {"f": self.f, "underflow": self.arithmetic.underflow}.get(name, default)

    def _zeros(self, shape):
        return np.full(shape, self.f.zero, self.f.dtype)

    def _encoded(self, values):
        """Return words with the log nearest to log2 |value|; near a tie decimals decide."""
        f, sign = self.f, signs(values)
        if values.dtype == object:
            logs = each(values, lambda value: _near(log2_word(*_ratio(value, f))) if value else 0)
        else:
            magnitude = np.where(sign == 0, 1.0, np.abs(values))
            scaled = np.log2(magnitude) * 2.0**f.frac
            logs = np.asarray(np.rint(scaled).astype(np.int64))
            doubt = np.abs(np.abs(scaled - logs) - 0.5) <= 1e-6 + NEAR * np.abs(scaled)
            for i in np.argwhere(doubt):
                logs[tuple(i)] = log2_word(*float(magnitude[tuple(i)]).as_integer_ratio(), f.frac)
        lowest = f.zero_log + (self.arithmetic.underflow == "smallest")
        logs = np.where(sign == 0, f.zero_log, np.clip(logs, lowest, f.high_log))
        return self._packed(logs, sign < 0)

    def _placed(self, values):
        f, sign = self.f, signs(values)
        logs, exact = _log_floors(values, f)
        exact = (exact & (f.zero_log < logs) & (logs <= f.high_log)) | (sign == 0)
        top = f.high_log - f.zero_log
        height = np.where(sign == 0, 0, np.clip(logs - f.zero_log, 0, top))
        key = np.where(sign < 0, -height - ~exact, height)  # orders words as numbers are
        side = np.where(exact, 0.0, np.where(key < -top, -1.0, 1.0))
        key = np.maximum(key, -top)
        words = self._packed(np.abs(key) + f.zero_log, key < 0)
        return words, np.where(np.isnan(sign), np.nan, side)

    def _packed(self, logs, negative):
        """Return the words of logs and signs."""
        numbers = Number(logs + spec.one_level(self.f), -negative.astype(np.int64))
        return np.asarray(spec.pack(numbers, self.f)).astype(self.f.dtype)

    def _decoded(self):
        n = spec.unpack(self.words.astype(np.int64), self.f)
        with np.errstate(over="ignore"):
            magnitude = np.exp2((n.level - spec.one_level(self.f)) * 2.0**-self.f.frac)
        magnitude = np.where(n.level == spec.zero_level(self.f), 0.0, magnitude)
        return np.where(n.sign != 0, -magnitude, magnitude)

    def _product(self, a, b, init, random):
        if random is not None:
            raise TypeError("sums of LNS numbers are not rounded stochastically")
        if not run.less_turned(a, b, self.f.zero):
            return self._sums(a, b, init)
        a, b = (np.ascontiguousarray(x.T) for x in (b, a))  # words: fields are twice as many
        return np.ascontiguousarray(self._sums(a, b, init.T).T)

    def _total(self, words):
        one, zero = (np.full(shape, word, self.f.dtype)
                     for shape, word in (((1, len(words)), self.f.one), ((1, 1), self.f.zero)))
        return self._sums(one, words, zero)

    def _sums(self, a, b, init):
        level, sign = run.matmul(_plan(self.arithmetic), *map(self._unpacked, (a, b, init)))
        levels = (("level", spec.level_range(self.f)), ("sign", (-1, 0)))
        return self._map(_packed, level=level, sign=sign, ranges=levels)

    def _unpacked(self, words):
        return self._map(spec.unpack, word=words)


def _log_floors(values, f: Lns) -> tuple[np.ndarray, np.ndarray]:
    """Return log2 of magnitudes in units, rounded down, and whether it is exact, as it is
    of a power of two; near another integer decimals decide. Of infinity it is FAR."""
    if values.dtype == object:
        pairs = [_log_floor(value, f) for value in values.flat]
        logs, exact = np.array(pairs, np.int64).reshape(-1, 2).T
        return logs.reshape(values.shape), exact.reshape(values.shape) != 0
    usual = np.isfinite(values) & (values != 0)
    magnitude = np.where(usual, np.abs(values), 1.5)
    scaled = np.log2(magnitude) * 2.0**f.frac
    mantissa, exponent = np.frexp(magnitude)
    exact = np.asarray(mantissa == 0.5)
    logs = np.asarray(np.where(exact, (exponent.astype(np.int64) - 1) << f.frac,
                               np.floor(scaled).astype(np.int64)))
    doubt = np.abs(scaled - np.rint(scaled)) <= 1e-6 + NEAR * np.abs(scaled)
    for i in np.argwhere(doubt & ~exact):
        logs[tuple(i)], _ = _log_floor(Fraction(float(magnitude[tuple(i)])), f)
    return np.where(np.isinf(values), FAR, logs), exact


def _log_floor(value, f: Lns) -> tuple[int, bool]:
    """Return log2 of a magnitude in units, rounded down, and whether it is exact."""
    if isinstance(value, float) or not value:  # NaN, infinite or zero
        return FAR, False
    log, exact = log2_floor(*_ratio(value, f))
    return _near(log), exact


def _near(log: int) -> int:
    """Return a log, or one beyond all formats that int64 holds."""
    return min(max(log, -FAR), FAR)


def _ratio(value: Fraction | Decimal, f: Lns) -> tuple[int, int, int, int]:
    """Return a magnitude as `log2_word` takes it: a Decimal of a huge exponent, which
    makes it no power of two, with its tens apart."""
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        if abs(int(exponent)) > 1000 + 4 * len(digits):
            return int(Decimal((0, digits, 0))), 1, f.frac, int(exponent)
    fraction = abs(Fraction(value))
    return fraction.numerator, fraction.denominator, f.frac, 0


def _packed(level, sign, f: Lns):
    """Return the word of a number."""
    return spec.pack(Number(level, sign), f)


def _resized(x, f: Lns, to: Lns, underflow: str):
    """Return the word of `to` for the word x of f."""
    return spec.pack(spec.resize(spec.unpack(x, f), f, to, underflow), to)


@lru_cache(maxsize=256)
def _arithmetic(f: Lns, delta: Delta, guard: int, order: str, underflow: str) -> Accumulator:
    return Accumulator(f, delta, guard, order, underflow)


@lru_cache(maxsize=256)
def _plan(accumulator: Accumulator) -> MatmulPlan:
    """Return the plan of sums over arrays; numbers of at most 8 bits lie in bytes, which
    kernels can take in lanes of bytes."""
    fields = [f"{operand}_{field}" for operand in "iabo" for field in ("level", "sign")]
    small = accumulator.f.bits <= 8 and not accumulator.formats
    return accumulator.plan(dtypes=dict.fromkeys(fields, np.dtype(np.int8)) if small else None)
