"""Fixed-point formats: what a word's bits mean, and its limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

__all__ = ["FormatError", "Fixed", "as_format", "check_integer", "word_dtype"]


class FormatError(ValueError):
    """A format that cannot be, or two formats that do not go together."""


def as_format(f, kind):
    """Return f, or the format that it names if it is text, read by the class of formats."""
    return kind.parse(f) if isinstance(f, str) else f


def check_integer(name: str, value, low: int, high: int, context: str = "") -> int:
    """Return value as an int; raise FormatError unless low <= value <= high."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise FormatError(f"{name} must be an integer, got {value!r}")
    if not low <= value <= high:
        raise FormatError(f"{name} must be {low}..{high}, got {value}{context}")
    return int(value)


@cache
def word_dtype(low: int, high: int) -> np.dtype:
    """Return the narrowest of int16, int32, int64 that holds low..high."""
    for dtype in (np.int16, np.int32, np.int64):
        info = np.iinfo(dtype)
        if info.min <= low and high <= info.max:
            return np.dtype(dtype)
    raise FormatError(f"no integer type holds {low}..{high}")


@dataclass(frozen=True)
class Fixed:
    """A fixed-point format: a word w stands for the real w * 2**-frac.

    bits is 4..32. A signed word is two's complement, so Fixed(16, 11) reaches
    from -16 to 16 - 2**-11; an unsigned one starts at 0. frac is 0..bits.
    Raises FormatError outside these limits.
    """

    bits: int
    frac: int
    signed: bool = True

    def __post_init__(self):
        check_integer("bits", self.bits, 4, 32)
        check_integer("frac", self.frac, 0, self.bits, f" (bits={self.bits})")

    @property
    def low(self) -> int:
        """The smallest word."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """The largest word."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def words(self) -> tuple[int, int]:
        """(low, high), the range of the words."""
        return self.low, self.high

    @property
    def eps(self) -> float:
        """The distance of neighbouring values, 2**-frac."""
        return 2.0**-self.frac

    @property
    def dtype(self) -> np.dtype:
        """The integer type that stores the words."""
        return word_dtype(*self.words)

    def __str__(self) -> str:
        return f"{'' if self.signed else 'u'}fixed{self.bits}.{self.frac}"

    @classmethod
    def parse(cls, text: str) -> Fixed:
        """Return the format that a name such as fixed16, fixed12.7 or ufixed8.8 means.

        Without a fraction a signed word has four integer bits beside the sign,
        so fixed16 is Fixed(16, 11) (Sanyal, Beerel and Chugg, ICASSP 2020).
        """
        match = re.fullmatch(r"(u?)fixed(\d{1,9})(?:\.(\d{1,9}))?", text, re.ASCII)
        if not match:
            raise FormatError(f"not a fixed-point format: {text[:60]!r} (try fixed16 or fixed12.7)")
        unsigned, bits, frac = match.groups()
        default = max(int(bits) - 5 + bool(unsigned), 0)
        return cls(int(bits), default if frac is None else int(frac), not unsigned)
