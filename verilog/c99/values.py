"""Types, constants and identifiers of C99, chosen by integer ranges."""

from __future__ import annotations

import re

from fxp.trace.graph import Node

__all__ = ["INT32", "Names", "cast", "fits32", "literal", "plain", "smallest_type", "type_of"]

KEYWORDS = frozenset("""auto break case char const continue default do double else enum extern
float for goto if inline int long register restrict return short signed sizeof static struct
switch typedef union unsigned void volatile while _Bool _Complex _Imaginary main errno
asm typeof near far""".split())
INT32 = -(1 << 31), (1 << 31) - 1
INT64_LOW = -(1 << 63)


def fits32(*nodes: Node) -> bool:
    """Whether the values of all nodes fit int32_t."""
    return all(INT32[0] <= n.low and n.high <= INT32[1] for n in nodes)


def type_of(*nodes: Node) -> str:
    """Return int32_t if that holds the values of all nodes, else int64_t."""
    return "int32_t" if fits32(*nodes) else "int64_t"


def smallest_type(values) -> str:
    """Return the smallest type of 8 to 64 bits that holds all values."""
    low, high = min(values), max(values)
    for bits in (8, 16, 32):
        if 0 <= low and high < 1 << bits:
            return f"uint{bits}_t"
        if -(1 << (bits - 1)) <= low and high < 1 << (bits - 1):
            return f"int{bits}_t"
    return "int64_t"


def literal(value: int, kind: str = "int32_t") -> str:
    """Return a constant of a type; the lowest of a type cannot be written as one number."""
    if kind == "int64_t":
        return "INT64_MIN" if value == INT64_LOW else f"INT64_C({value})"
    if value == INT32[0]:
        return "INT32_MIN"
    return str(value)


def cast(text: str, of: str, to: str) -> str:
    """Return an operand of one type as one of another."""
    return text if of == to else f"({to}){text}"


def plain(port: str) -> str:
    """Return a port's name, with an underscore if C has another use for it."""
    return f"{port}_" if port in KEYWORDS else port


class Names:
    """Identifiers, each given once."""

    def __init__(self, taken=()):
        self._taken = {*KEYWORDS, *taken}

    def fresh(self, wish: str) -> str:
        """Return wish, made an identifier of C that nothing else has."""
        base = re.sub(r"_+", "_", re.sub(r"\W", "_", wish, flags=re.ASCII)).strip("_") or "value"
        base = f"n{base}" if base[0].isdigit() else base
        found, count = base, 1
        while found in self._taken:
            count += 1
            found = f"{base}_{count}"
        self._taken.add(found)
        return found
