"""Terms of lemmas, as Verilog: numbers in as many bits as no sum here needs."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["between", "equal", "less", "total", "wide"]


def wide(term: str) -> str:
    """Return a number below 2^30 as one of more bits, which holds what is made of it."""
    return term if term.isdigit() else f"{{30'd0, {term}}}"


def total(terms: Iterable[str]) -> str:
    return "(" + " + ".join(map(wide, terms)) + ")"


def less(a: str, b: str) -> str:
    return f"({wide(a)} - {wide(b)})"


def equal(register: str, value: str, bits: int, unless: str = "") -> str:
    """Return that a register has the lowest bits of a value."""
    return f"({unless}((({wide(register)} - ({value})) & {(1 << bits) - 1}) == 0))"


def between(address: str, start: str, count: str, more: str = "0") -> str:
    """Return that an address, and the one so far behind it, are among `count` from a start."""
    return (f"({wide(address)} >= {start} & {wide(address)} + ({more}) < "
            f"{start} + {count})")
