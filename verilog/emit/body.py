"""A module while it grows: names, declarations, and which bits have been read."""

from __future__ import annotations

import re

from verilog.emit import syntax as v
from verilog.emit.keywords import KEYWORDS

__all__ = ["Body"]


class Body:
    """The inside of a module. Each identifier is unique, each bit read is noted."""

    def __init__(self, taken=()):
        self.items: list = []
        self.widths: dict[str, int] = {}
        self._read: dict[str, int] = {}
        self._taken = {*KEYWORDS, "address", *taken}

    def fresh(self, wish: str) -> str:
        """Return wish, made an identifier that nothing else has."""
        base = re.sub(r"_+", "_", re.sub(r"\W", "_", wish)).strip("_") or "value"
        base = f"n{base}" if base[0].isdigit() else base
        found, count = base, 1
        while found in self._taken:
            count += 1
            found = f"{base}_{count}"
        self._taken.add(found)
        return found

    def declare(self, identifier: str, width: int) -> str:
        """Note the width of a port, wire or register that is declared elsewhere."""
        self._taken.add(identifier)
        self.widths[identifier] = width
        return identifier

    def wire(self, wish: str, width: int, value=None) -> str:
        """Add a wire, assigned to value if there is one; return its identifier."""
        identifier = self.declare(self.fresh(wish), width)
        self.items.append(v.wire(identifier, width))
        if value is not None:
            self.items.append(v.assign(identifier, value))
        return identifier

    def reg(self, wish: str, width: int) -> str:
        """Add a register; return its identifier."""
        identifier = self.declare(self.fresh(wish), width)
        self.items.append(v.reg(identifier, width))
        return identifier

    def add(self, *items):
        """Add items as they are."""
        self.items.extend(items)

    def read(self, identifier: str, high: int | None = None, low: int = 0):
        """Return bits high..low of a vector, by default all of it."""
        width = self.widths[identifier]
        high = width - 1 if high is None else high
        self._read[identifier] = self._read.get(identifier, 0) | ((2 << high) - (1 << low))
        if (high, low) == (width - 1, 0):
            return v.name(identifier)
        return v.bit(identifier, low) if high == low else v.slice_of(identifier, high, low)

    def resized(self, identifier: str, width: int, signed: bool):
        """Return a vector cut or extended to width, by its sign or with zeros."""
        own = self.widths[identifier]
        if width <= own:
            return self.read(identifier, width - 1)
        if not signed:
            return v.concat(v.constant(0, width - own), self.read(identifier))
        sign = self.read(identifier, own - 1, own - 1)
        if own == 1:
            return v.repeat(sign, width)
        return v.concat(v.repeat(sign, width - own), self.read(identifier))

    def tie_unused(self):
        """Add one wire that reads the bits which nobody reads, so that lint tells
        a forgotten bit from a dropped one."""
        spare = []
        for identifier, width in self.widths.items():
            left = ~self._read.get(identifier, 0) & ((1 << width) - 1)
            spare += [self.read(identifier, high, low) for high, low in _runs(left)]
        if spare:
            unused = self.fresh("unused")
            self.items += [v.wire(unused, 1),
                           v.assign(unused, v.all_of(v.concat(v.constant(0, 1), *spare)))]


def _runs(mask: int) -> list[tuple[int, int]]:
    """Return the runs of ones in mask as (high, low)."""
    runs, low = [], 0
    while mask >> low:
        if not mask >> low & 1:
            low += 1
            continue
        high = low
        while mask >> (high + 1) & 1:
            high += 1
        runs.append((high, low))
        low = high + 1
    return runs
