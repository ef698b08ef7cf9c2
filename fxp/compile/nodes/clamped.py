"""Table reads behind a clamp: what of the table such a read can reach at all."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from fxp.trace.bits import Table
from fxp.trace.graph import Node

__all__ = ["Clamped", "FoldedRead", "ShortRead", "StridedRead", "clamped", "folded", "short",
           "strided"]

ALL = 64  # low zeros of zero
TOP = (1 << 15) - 1  # of a signed lane of 16 bits
CELL = 256  # differences that have one entry in a folded table


class Clamped(NamedTuple):
    """The address min(value, limit) >> shift | (selector & half); half is 0 without selector."""

    value: Node
    limit: int
    shift: int
    selector: Node | None
    half: int


class StridedRead(NamedTuple):
    """A read of `table` at min(value >> shift, last) | (selector & half): of a table that is
    only read at multiples of a power of two, the entries there."""

    value: Node
    shift: int
    last: int
    selector: Node | None
    half: int
    table: Table

    @property
    def operands(self) -> list[Node]:
        return [self.value] + ([self.selector] if self.selector is not None else [])


def clamped(index: Node) -> Clamped | None:
    """Return the address as a clamped one, or None if it is none."""
    selector, half = None, 0
    if index.op == "or":
        index, choice = sorted(index.args, key=lambda a: a.op == "and")
        if choice.op != "and" or not choice.args[1].is_const:
            return None
        selector, half = choice.args[0], choice.args[1].low
        if half & (half - 1) or (selector.low, selector.high) != (-1, 0):
            return None
    shift = 0
    if index.op == "shr":
        index, shift = index.args[0], index.args[1].low
    if index.op != "min" or not index.args[1].is_const:
        return None
    value, limit = index.args[0], index.args[1].low
    if (limit + 1) % (1 << shift) or (half and (limit >> shift) >= half):
        return None
    return Clamped(value, limit, shift, selector, half)


def strided(node: Node) -> StridedRead | None:
    """Return a lookup as a read of fewer entries, None where all of them can be reached."""
    at = clamped(node.args[0])
    if at is None or at.value.low < 0:
        return None
    shift = min(low_zeros(at.value), at.limit.bit_length())
    if shift <= at.shift:
        return None
    last = (at.limit >> shift) + 1  # multiples above the limit read what the limit reads
    half = 1 << last.bit_length() if at.half else 0
    entries = [0] * (2 * half or last + 1)
    for i in range(last + 1):
        address = min(i << shift, at.limit) >> at.shift
        for own, whole in ((0, 0), (half, at.half)):
            entries[i | own] = node.table.values[address | whole]
    table = Table(f"{node.table.name}_strided", entries)
    return StridedRead(at.value, shift, last, at.selector, half, table)


class FoldedRead(NamedTuple):
    """A read of `entries` at ((u >> 8) + 32 u) & 63 with u = min(value + offset, 2**15 - 1): of a
    long table that goes by cells of 256, for even numbers and for odd ones. Both parts of the
    address are bytes of u times a number, which one instruction adds."""

    value: Node
    offset: int
    entries: list[int]

    @property
    def operands(self) -> list[Node]:
        return [self.value]


@lru_cache(maxsize=256)
def _fold(table: Table, limit: int, high: int) -> tuple[int, tuple[int, ...]] | None:
    """Return offset and entries; None where no choice gives every entry."""
    value = np.arange(high + 1)
    wanted = table.array[np.minimum(value, limit)]
    changes = np.flatnonzero(wanted != wanted[-1])
    end = int(changes[-1]) + 1 if len(changes) else 0
    for first in (end, end - 1, end + 1):  # of the last cell, which saturation leads to
        offset = TOP + 1 - CELL - first
        if not TOP - 32 * CELL < offset <= TOP:
            continue
        u = np.minimum(value + offset, TOP)
        address = (u // CELL + 32 * u) & 63
        entries = np.zeros(64, np.int64)
        entries[address] = wanted
        if (entries[address] == wanted).all():
            return offset, tuple(entries.tolist())
    return None


def folded(node: Node) -> FoldedRead | None:
    """Return a lookup at min(value, limit) in a folded form, None where it has none."""
    index = node.args[0]
    if index.op != "min" or not index.args[1].is_const:
        return None
    value, limit = index.args[0], index.args[1].low
    if value.low < 0 or not limit < value.high <= TOP or limit >= len(node.table):
        return None
    found = _fold(node.table, limit, value.high)
    return found and FoldedRead(value, found[0], list(found[1]))


class ShortRead(NamedTuple):
    """A read of `entries`, a power of two of them, at min(value, last) ^ selector: a table by
    cells, written out for every value, those of a selector of ones from its end."""

    value: Node
    last: int
    selector: Node | None
    entries: list[int]

    @property
    def operands(self) -> list[Node]:
        return [self.value] + ([self.selector] if self.selector is not None else [])


def short(node: Node, most: int) -> ShortRead | None:
    """Return a lookup as a read of up to `most` entries, None where it takes more."""
    at = clamped(node.args[0])
    if at is None:
        return None
    value, plus = at.value, 0
    if value.op == "add" and value.args[1].is_const and value.args[1].low >= 0:
        value, plus = value.args[0], value.args[1].low
    if value.low < 0 or value.high > TOP:
        return None
    cells = np.minimum(np.arange(value.high + 1) + plus, at.limit) >> at.shift
    sides = [node.table.array[cells | half] for half in ((0, at.half) if at.half else (0,))]
    changes = np.flatnonzero(np.any([side != side[-1] for side in sides], axis=0))
    last = int(changes[-1]) + 1 if len(changes) else 0
    size = len(sides) << last.bit_length()
    if size > most:
        return None
    entries = [0] * size
    for side, turned in zip(sides, (0, size - 1)):
        for i in range(last + 1):
            entries[i ^ turned] = int(side[i])
    return ShortRead(value, last, at.selector, entries)


def low_zeros(node: Node, known: dict[int, int] | None = None) -> int:
    """Return how many low bits of a node are zero whatever its inputs, at least."""
    known = {} if known is None else known
    if node.index not in known:
        known[node.index] = _low_zeros(node, known)
    return known[node.index]


def _low_zeros(node: Node, known: dict[int, int]) -> int:
    if node.is_const:
        return (node.low & -node.low).bit_length() - 1 if node.low else ALL
    if node.op in ("shl", "shr"):
        count = node.args[1].low * (1 if node.op == "shl" else -1)
        return min(ALL, max(0, low_zeros(node.args[0], known) + count))
    if node.op not in ("add", "sub", "min", "max", "or", "xor", "where", "known"):
        return 0
    operands = node.args[1:] if node.op == "where" else node.args
    return min(low_zeros(a, known) for a in operands)
