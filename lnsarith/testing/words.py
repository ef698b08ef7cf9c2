"""A logarithmic sum over plain ints, by any D: the second writing that Delta methods meet.

It shares no code with `lnsarith.lns.spec`: a word is read digit by digit, as the README draws it.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["plain_add"]


def plain_add(x: int, y: int, bits: int, delta: Callable[[int, bool], int | None]) -> int:
    """Return the word of x + y. delta(gap, opposite) moves the larger log, None cancels."""
    (s, p), (t, q) = _decoded(x, bits), _decoded(y, bits)
    if p is None or q is None:
        return _encoded(t, q, bits) if p is None else _encoded(s, p, bits)
    move = delta(abs(p - q), s != t)
    larger = t if q > p else s
    return _encoded(larger, None if move is None else max(p, q) + move, bits)


def _decoded(word: int, bits: int) -> tuple[int, int | None]:
    """Return the sign bit and the log of a word, None for the log of zero."""
    digits = format(word % 2**bits, f"0{bits}b")
    log = int(digits[2:], 2) - (2 ** (bits - 2) if digits[1] == "1" else 0)
    return int(digits[0]), None if log == -(2 ** (bits - 2)) else log


def _encoded(sign: int, log: int | None, bits: int) -> int:
    """Return the word of a sign bit and a log: saturated at the top, zero at the bottom."""
    lowest = -(2 ** (bits - 2))
    if log is None or log <= lowest:
        sign, log = 0, lowest
    log = min(log, -lowest - 1)
    return log % 2 ** (bits - 1) - sign * 2 ** (bits - 1)
