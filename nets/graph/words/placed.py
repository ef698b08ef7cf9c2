"""Words with a place: a format, and a power of two that all of a tensor's words share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fxp.format import Fixed
from lnsarith.catalogue.array import LnsArray
from lnsarith.lns import spec
from lnsarith.lns.format import Lns

__all__ = ["Float", "Placed", "placed_for"]


@dataclass(frozen=True)
class Float:
    """float32 or float64 in the place of a format: a number is its own word."""

    name: str

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.name)

    @property
    def bits(self) -> int:
        return 8 * self.dtype.itemsize

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Placed:
    """A word stands for the value that its format gives it times 2**shift.

    shift is 0 but where no format of so many bits reaches far enough.
    """

    f: Lns | Fixed | Float
    shift: int = 0

    def __str__(self) -> str:
        return f"{self.f}" + (f" x 2^{self.shift}" if self.shift else "")

    def words(self, values: np.ndarray) -> np.ndarray:
        """Return the words nearest to finite values; ties go to even, what is too large
        saturates."""
        if isinstance(self.f, Float):
            return np.asarray(values).astype(self.f.dtype)
        values = np.ldexp(np.asarray(values, np.float64), -self.shift)
        if isinstance(self.f, Lns):
            return np.asarray(LnsArray.from_float(values, self.f).words)
        return np.clip(np.rint(np.ldexp(values, self.f.frac)), *self.f.words).astype(self.f.dtype)

    def reals(self, words: np.ndarray) -> np.ndarray:
        """Return the values of words in float64."""
        if isinstance(self.f, Float):
            return words.astype(np.float64)
        if isinstance(self.f, Fixed):
            return np.ldexp(words.astype(np.float64), self.shift - self.f.frac)
        n = spec.unpack(words.astype(np.int64), self.f)
        size = 2.0 ** ((n.level - spec.one_level(self.f)) / (1 << self.f.frac) + self.shift)
        size = np.where(n.level == spec.zero_level(self.f), 0.0, size)
        return np.where(n.sign != 0, -size, size)

    def heights(self, words: np.ndarray) -> np.ndarray:
        """Return numbers that are ordered as the values of words."""
        if isinstance(self.f, Float):
            return words
        if isinstance(self.f, Fixed):
            return words.astype(np.int64)
        n = spec.unpack(words.astype(np.int64), self.f)
        size = n.level - spec.zero_level(self.f)
        return np.where(n.sign != 0, -size, size)

    @property
    def top(self) -> int | float:
        """The height of the greatest word."""
        if isinstance(self.f, Float):
            return math.inf
        return self.f.high_log - self.f.zero_log if isinstance(self.f, Lns) else self.f.high

    @property
    def zero(self) -> int:
        """The word of zero."""
        return self.f.zero if isinstance(self.f, Lns) else 0

    @property
    def limit(self) -> float:
        """The greatest value."""
        if isinstance(self.f, Float):
            return float(np.finfo(self.f.dtype).max)
        top = self.f.max if isinstance(self.f, Lns) else self.f.high * self.f.eps
        return math.ldexp(top, self.shift)


def placed_for(f: Lns | Fixed | Float, reach: float) -> Placed:
    """Return the words of a format's bits that hold values of up to `reach` most finely.

    The point of a fixed-point format moves; a logarithmic one, whose range is wide, is moved
    only where it ends below what is to be held.
    """
    if not reach or not math.isfinite(reach) or isinstance(f, Float):
        return Placed(f)
    if isinstance(f, Lns):
        return Placed(f, max(0, math.ceil(math.log2(reach / f.max))))
    frac = f.bits - 1 - math.frexp(reach)[1]  # the greatest with reach < 2**(bits - 1 - frac)
    if reach <= math.ldexp(f.high, -frac - 1):
        frac += 1
    inside = min(max(frac, 0), f.bits)
    return Placed(Fixed(f.bits, inside), inside - frac)
