"""Formats and numbers as texts of settings."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from fxp.format import Fixed, FormatError
from fxp.text.numbers import exact, shown
from lnsarith.lns.format import Lns

__all__ = ["FLOATS", "parse_format", "parse_real"]

FLOATS = ("float32", "float64", "minselect-float", "binary")  # what trains in floats


def parse_format(text: str) -> Lns | Fixed:
    """Return the format named lns16, lns9.4, fixed16, fixed12.7, ..."""
    if text.startswith("lns"):
        return Lns.parse(text)
    if text.startswith(("fixed", "ufixed", "minselect")):
        return Fixed.parse(text.replace("minselect", "fixed", 1))
    raise FormatError(f"unknown format {text!r}; there are lnsB, lnsB.F, fixedB, fixedB.F, "
                      "minselectB, minselectB.F (B bits, F fraction bits)")


def parse_real(name: str, text: str) -> Fraction:
    """Return a positive real written as 2^-6, 1/64, 0.01 or 1e-2."""
    read = _real_of_text if isinstance(text, str) else _real
    return read(name, text)


def _real(name: str, text: str) -> Fraction:
    value = exact(name, text, "2^-6, 1/64 or 0.01")
    if not 0 <= value <= 1 << 16 or (value and value < Fraction(1, 1 << 60)):
        raise FormatError(f"{name} must lie in 2^-60..2^16 (or be 0), got {shown(text)}")
    return value


_real_of_text = lru_cache(maxsize=256)(_real)  # some are read at every step of a training
