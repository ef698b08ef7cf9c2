"""What every Delta method is, and how its tables are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache, wraps
from typing import Any, ClassVar

from fxp.trace.bits import Table, lookup, minimum, where

__all__ = ["Delta", "Spec", "by_table", "cancelling", "paired", "remembered"]

Spec = Callable


@dataclass(frozen=True)
class Delta:
    """A way to approximate D+ and D-."""

    name: ClassVar[str]

    def check(self, frac: int) -> None:
        """Raise FormatError unless the method is one for sums in registers of frac fraction
        bits."""

    def at(self, frac: int, cancel: int) -> Spec:
        """Return the spec delta(gap, opposite) for frac fraction bits."""
        raise NotImplementedError

    def __str__(self) -> str:
        given = [f"{f.name}={getattr(self, f.name)}" for f in fields(self)
                 if getattr(self, f.name) != f.default]
        return self.name + (":" + ",".join(given) if given else "")


def remembered(at: Callable[[Any, int, int], Spec]) -> Callable[[Any, int, int], Spec]:
    """Return `at` with the specs that it gave kept: networks ask for the same ones again and
    again, and tables have up to thousands of entries."""
    return wraps(at)(lru_cache(maxsize=64)(at))


def by_table(name: str, same, minus, offset: int, shift: int) -> Spec:
    """Return the spec that looks up cell (gap + offset) >> shift, the last from its start on."""
    table, half = paired(name, same, minus)
    limit = (len(same) << shift) - 1

    def delta(gap, opposite):
        index = minimum(gap + offset, limit) >> shift
        return lookup(table, index | (opposite & half))

    return delta


def paired(name: str, same, minus) -> tuple[Table, int]:
    """Return D+ and D- as one table and the address bit that selects D-."""
    half = 1 << (len(same) - 1).bit_length()
    padding = [0] * (half - len(same))
    return Table(name, [*same, *padding, *minus, *padding]), half


def cancelling(spec: Spec, cancel: int) -> Spec:
    """Return the spec with exact cancellation of equal magnitudes."""

    def delta(gap, opposite):
        return where((gap == 0) & (opposite != 0), cancel, spec(gap, opposite))

    return delta
