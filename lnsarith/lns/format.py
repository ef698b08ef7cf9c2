"""Logarithmic formats: what a word's bits mean, and its limits."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from fxp.format import FormatError, check_integer, word_dtype

__all__ = ["Lns"]


@dataclass(frozen=True)
class Lns:
    """A logarithmic format: sign bit, then log2 of the magnitude.

        word (bits = 16, frac = 10)     s | llll l.ll llll llll
        value                           (-1)**s * 2**(l * 2**-frac)

    The log l is two's complement with bits-1 bits, frac of them after the
    point. The most negative log stands for zero (its sign bit is written 0 and
    ignored when read). A word is handled as the signed integer that its bits
    spell, so its sign is the number's sign; zero is the word 2**(bits-2).

    bits is 4..32, frac 0..bits-2; anything else raises FormatError.
    """

    bits: int
    frac: int

    def __post_init__(self):
        check_integer("bits", self.bits, 4, 32)
        check_integer("frac", self.frac, 0, self.bits - 2, f" (bits={self.bits})")

    def widened(self, guard: int) -> Lns:
        """Return this format with guard more fraction bits, for a register: the
        limits on bits do not hold."""
        wide = object.__new__(Lns)
        object.__setattr__(wide, "bits", self.bits + guard)
        object.__setattr__(wide, "frac", self.frac + guard)
        return wide

    @property
    def zero_log(self) -> int:
        """The log code of zero, one below the smallest log."""
        return -(1 << (self.bits - 2))

    @property
    def high_log(self) -> int:
        """The largest log; the smallest of a non-zero number is zero_log + 1."""
        return (1 << (self.bits - 2)) - 1

    @property
    def zero(self) -> int:
        """The word of zero."""
        return 1 << (self.bits - 2)

    @property
    def one(self) -> int:
        """The word of one."""
        return 0

    @property
    def words(self) -> tuple[int, int]:
        """The range of the words as signed integers."""
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1

    @property
    def max(self) -> float:
        """The largest value."""
        return 2.0 ** (self.high_log / (1 << self.frac))

    @property
    def min(self) -> float:
        """The smallest positive value."""
        return 2.0 ** ((self.zero_log + 1) / (1 << self.frac))

    @property
    def eps(self) -> float:
        """The relative distance of neighbouring values, 2**(2**-frac) - 1."""
        return 2.0 ** (2.0**-self.frac) - 1

    @property
    def dtype(self) -> np.dtype:
        """The integer type that stores the words."""
        return word_dtype(*self.words)

    def __str__(self) -> str:
        return f"lns{self.bits}.{self.frac}"

    @classmethod
    def parse(cls, text: str) -> Lns:
        """Return the format that a name such as lns16, lns12 or lns9.4 means.

        Without a fraction the log has four integer bits beside its sign, so
        lns16 is Lns(16, 10) (Sanyal, Beerel and Chugg, ICASSP 2020).
        """
        match = re.fullmatch(r"lns(\d{1,9})(?:\.(\d{1,9}))?", text, re.ASCII)
        if not match:
            raise FormatError(f"not a logarithmic format: {text[:60]!r} (try lns16 or lns9.4)")
        bits, frac = match.groups()
        return cls(int(bits), max(int(bits) - 6, 0) if frac is None else int(frac))
