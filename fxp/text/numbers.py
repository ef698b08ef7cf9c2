"""Numbers as texts: the one reader of them, with limits on length and exponents.

Whatever a person or a file writes as a number comes through here, so none of them takes
longer to read than it is worth: 1e999999999 is refused before it is computed.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from numbers import Real

from fxp.format import FormatError

__all__ = ["LONGEST", "WORD", "exact", "real", "shown", "whole"]

LONGEST = 64  # characters of a number
MOST_BITS = 4096  # of a numerator or denominator
WORD = (-(1 << 63), (1 << 63) - 1)
EXPONENT = 400  # of ten: what float64 has, and a little more

_NUMBER = re.compile(r"""([+-]?)
    (?:(\d+)/(\d+) | (\d+\.?\d*|\.\d+)(?:e([+-]?\d{1,3}))?)
    (?:\^([+-]?\d{1,3}))?""", re.ASCII | re.IGNORECASE | re.VERBOSE)


def exact(name: str, given, examples: str = "3/2, 0.25 or 2^-5") -> Fraction:
    """Return the number that a text such as -5/8, 0.25, 1e-3 or 2^-6 means, exactly.

    Raises FormatError for any other text, a zero denominator, and one of more than
    64 characters or 4096 bits.
    """
    if isinstance(given, Fraction):
        return given
    short = _plain(given) and (isinstance(given, str) or abs(given) < 10**LONGEST)
    text = str(given).strip() if short else ""
    match = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise FormatError(f"{name} must be a number such as {examples}, got {shown(given)}")
    sign, numerator, denominator, decimal, ten, power = match.groups()
    try:
        if decimal is None:
            value = Fraction(int(numerator), int(denominator))
        else:
            value = Fraction(decimal) * Fraction(10) ** _within(ten, EXPONENT)
        bits = max(value.numerator.bit_length(), value.denominator.bit_length())
        value **= 1 if power is None else _within(power, MOST_BITS // bits)
    except (OverflowError, ZeroDivisionError):
        raise FormatError(f"{name} must be a number such as {examples}, not beyond "
                          f"2^{MOST_BITS}, got {shown(given)}") from None
    return -value if sign == "-" else value


def real(name: str, given) -> float:
    """Return the float64 that a text or a number means; FormatError unless it is finite."""
    value = math.nan
    short = not isinstance(given, str) or (
        len(given.strip()) <= LONGEST and given.isascii() and "_" not in given)
    if _plain(given) and short:
        try:
            value = float(given)
        except (ValueError, OverflowError):
            pass
    if not math.isfinite(value):
        raise FormatError(f"{name} must be a finite number such as 0.25, got {shown(given)}")
    return value


def whole(name: str, given, low: int = WORD[0], high: int = WORD[1]) -> int:
    """Return the integer that a text or an int means; FormatError unless low..high has it."""
    value = given
    if isinstance(given, str) and len(given) <= LONGEST and (
            re.fullmatch(r"\s*[+-]?\d+\s*", given, re.ASCII)):
        value = int(given)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        span = "" if (low, high) == WORD and not isinstance(value, int) else f" {low}..{high}"
        raise FormatError(f"{name} must be an integer{span}, got {shown(given)}")
    return value


def shown(given, most: int = 60) -> str:
    """Return what came, as Python writes it, and no more of it than a line has room for."""
    if isinstance(given, int) and given.bit_length() > 4 * most:
        return f"an integer of {given.bit_length()} bits"
    text = repr(given[: 2 * most] if isinstance(given, (str, bytes, list)) else given)
    return text if len(text) <= most else f"{text[:most - 4]}...{text[-1]}"


def _plain(given) -> bool:
    return isinstance(given, (str, Real)) and not isinstance(given, bool)


def _within(text: str | None, most: int) -> int:
    """Return an exponent, 0 without one; OverflowError beyond -most..most."""
    exponent = int(text or 0)
    if abs(exponent) > most:
        raise OverflowError
    return exponent
