"""A Delta method of cells of any widths: what a designer finds, and what a file of it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from fxp.format import FormatError
from fxp.trace.bits import lookup, where
from lnsarith.delta.method import Delta, paired, remembered
from lnsarith.delta.tables import Lut

__all__ = ["MOST_CELLS", "MOST_FRAC", "WIDER", "Cell", "Cells", "cells_text", "read_cells"]

MOST_CELLS = 128  # of D+ and of D- each
MOST_FRAC = 12
LIMIT = 16  # octaves: there the last cell starts, or before
CELL = re.compile(r"(\d{1,7}):(zero|-?\d{1,7})", re.ASCII)
# What registers with more fraction bits take: those of updates, which need small D.
WIDER = Lut(Fraction(1, 4), Fraction(16), "truncate", "mid")

Cell = tuple[int, int | None]  # where it starts, and its value; None is minus infinity


@dataclass(frozen=True)
class Cells(Delta):
    """Cells of any widths for registers of at most frac fraction bits, such as `lnsarith design
    delta` finds; `file:FILE` reads them.

    plus and minus are cells START:VALUE of D+ and of D-, joined by _, in units of 2**-frac. A
    gap has the value of the last cell that starts at or below it, rounded half up to a word of
    fewer fraction bits. The first cell of D- is zero: its operands cancel. A register with more
    than frac fraction bits, such as that of an update, takes
    lut:r=1/4,dmax=16,index=truncate,sample=mid. The default has 12 cells of each.
    """

    name = "cells"

    frac: int = 12
    plus: str = ("0:3584_2048:2720_4096:2080_6144:1520_8192:1120_10240:816_12288:592_"
                "14336:416_16384:256_20480:128_24576:48_32768:16_65536:0")
    minus: str = ("0:zero_1024:-8704_2048:-5296_4096:-3152_6144:-2048_8192:-1376_10240:-944_"
                 "12288:-528_16384:-272_20480:-128_24576:-48_32768:-16_65536:0")

    def __post_init__(self):
        if not 0 <= self.frac <= MOST_FRAC:
            raise FormatError(f"delta cells: frac must be an integer 0..{MOST_FRAC}, got "
                              f"{self.frac}")
        for side in ("plus", "minus"):
            read_cells(side, getattr(self, side), self.frac)

    def check(self, frac):
        if frac > self.frac:
            raise FormatError(f"these cells are for registers of at most {self.frac} fraction "
                              f"bits, and the register of these sums has {frac}: design others "
                              "(lnsarith design delta), or take fewer guard bits")

    @remembered
    def at(self, frac, cancel):
        if frac > self.frac:
            return WIDER.at(frac, cancel)
        sides = [_stepped(read_cells(side, getattr(self, side), self.frac), self.frac - frac)
                 for side in ("plus", "minus")]
        parts = []
        for end, shift, begin in _zones(sides):
            entries = (_entries(side, begin, end, shift, cancel) for side in sides)
            table, half = paired(f"cells_{end >> shift}", *entries)
            parts.append((end, shift, table, half))

        def delta(gap, opposite):
            value = 0
            for end, shift, table, half in reversed(parts):
                index = ((gap & (end - 1)) >> shift) | (opposite & half)
                value = where(gap < end, lookup(table, index), value)
            return value

        return delta


def cells_text(cells: Sequence[Cell]) -> str:
    """Return cells as the text of an option."""
    return "_".join(f"{start}:{'zero' if value is None else value}" for start, value in cells)


@lru_cache(maxsize=256)
def read_cells(side: str, text: str, frac: int) -> tuple[Cell, ...]:
    """Return the cells of a text for side plus or minus, in units of 2**-frac; FormatError for
    what is none."""
    parts = [CELL.fullmatch(part) for part in text.split("_", MOST_CELLS)]
    if len(parts) > MOST_CELLS:
        raise FormatError(f"delta cells: {side} has more than {MOST_CELLS} cells")
    cells: list[Cell] = []
    for i, found in enumerate(parts):
        if not found:
            raise FormatError(f"delta cells: {side} must be cells START:VALUE joined by _, and "
                              f"cell {i + 1} is none")
        cells.append((int(found[1]), None if found[2] == "zero" else int(found[2])))
    _check_cells(side, cells, frac)
    return tuple(cells)


def _check_cells(side: str, cells: Sequence[Cell], frac: int) -> None:
    """Raise FormatError for cells of side plus or minus that no method can have."""
    def refuse(what: str):
        raise FormatError(f"delta cells: {side} {what}")

    if not 2 <= len(cells) <= MOST_CELLS:
        refuse(f"must have 2..{MOST_CELLS} cells, got {len(cells)}")
    starts = [start for start, _ in cells]
    if starts[0] != 0 or any(a >= b for a, b in zip(starts, starts[1:])):
        refuse("must have starts that begin with 0 and rise")
    if starts[-1] > LIMIT << frac:
        refuse(f"must start its cells at {LIMIT} octaves or before, got {starts[-1]} of "
               f"2^-{frac}")
    if (cells[0][1] is None) != (side == "minus"):
        refuse("must begin with a cell that is zero" if side == "minus" else
               "has no cell that is zero: sums of equal signs never cancel")
    low, high = (-LIMIT << frac, 0) if side == "minus" else (0, 1 << frac)
    for start, value in cells[1:] if side == "minus" else cells:
        if value is None or not low <= value <= high:
            refuse(f"must have values {low}..{high}, got {'zero' if value is None else value} "
                   f"at {start}")
    if cells[-1][1] != 0:
        refuse(f"must end with a cell of value 0, got {cells[-1][1]}")


def _stepped(cells: Sequence[Cell], drop: int) -> list[Cell]:
    """Return cells with so many fraction bits fewer, neighbours of one value joined."""
    steps: list[Cell] = []
    for start, value in cells:
        start = -(-start >> drop)
        value = None if value is None else (value + (1 << drop >> 1)) >> drop
        if steps and steps[-1][0] == start:
            steps.pop()
        if not steps or steps[-1][1] != value:
            steps.append((start, value))
    return steps


def _entries(cells: Sequence[Cell], begin: int, end: int, shift: int, cancel: int) -> list[int]:
    """Return the values at 0, 2**shift, ... below the end; before the beginning, where nobody
    looks, the one that is there."""
    found: list[int] = []
    for (start, value), (following, _) in zip(cells, [*cells[1:], (end, 0)]):
        if following > begin and start < end:
            count = (min(following, end) - (start if found else 0)) >> shift
            found += [cancel if value is None else value] * count
    return found


def _zones(sides: Sequence[Sequence[Cell]]) -> list[tuple[int, int, int]]:
    """Return (end, shift, begin) of zones that share tables whose entries are 2**shift apart:
    they begin and end at powers of two, so that an index is some bits of the gap. Of all
    choices that with the fewest entries, a table more counting as 16."""
    starts = sorted({start for side in sides for start, _ in side})
    last = max(2, starts[-1])
    ends = [0, *(1 << k for k in range((last - 1).bit_length() + 1))]
    best: list[tuple[int, list[tuple[int, int, int]]]] = [(0, [])]
    for j, end in enumerate(ends[1:], 1):
        found = []
        for i, begin in enumerate(ends[:j]):
            inside = [s for s in starts if begin < s < end]
            shift = min((s & -s).bit_length() - 1 for s in [*inside, begin or end, end])
            found.append((best[i][0] + (end >> shift) + 16,
                          [*best[i][1], (end, shift, begin)]))
        best.append(min(found))
    return best[-1][1]
