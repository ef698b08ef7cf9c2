"""A Delta method of cells of any widths: what a designer finds, and what a file of it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fxp.format import FormatError
from fxp.trace.bits import lookup, where
from lnsarith.delta.method import Delta, paired

__all__ = ["FINE", "MOST_CELLS", "Cell", "Cells", "cells_text", "read_cells"]

FINE = 16  # fraction bits of starts and values
MOST_CELLS = 256  # of D+ and of D- each
LIMIT = 32  # octaves
CELL = re.compile(r"(\d{1,7}):(zero|-?\d{1,7})", re.ASCII)

Cell = tuple[int, int | None]  # where it starts, and its value; None is minus infinity


@dataclass(frozen=True)
class Cells(Delta):
    """Cells of any widths, such as `lnsarith design delta` finds; `file:FILE` reads them.

    plus and minus are cells START:VALUE of D+ and of D-, joined by _, in units of 2**-16. A
    gap has the value of the last cell that starts at or below it, rounded half up to a
    word. The first cell of D- is zero: its operands cancel. The default has
    12 cells of each, found for a register of 8 fraction bits.
    """

    name = "cells"

    plus: str = ("0:57344_32768:43520_65536:33280_98304:24320_131072:17920_163840:13056_"
                 "196608:9472_229376:6656_262144:4096_327680:2048_393216:768_524288:256_"
                 "1048576:0")
    minus: str = ("0:zero_16384:-139264_32768:-84736_65536:-50432_98304:-32768_131072:-22016_"
                  "163840:-15104_196608:-8448_262144:-4352_327680:-2048_393216:-768_"
                  "524288:-256_1048576:0")

    def __post_init__(self):
        read_cells("plus", self.plus)
        read_cells("minus", self.minus)

    def at(self, frac, cancel):
        sides = _stepped("plus", self.plus, frac), _stepped("minus", self.minus, frac)
        parts = []
        for end, shift, begin in _zones(sides):
            entries = ([_at(side, max(i << shift, begin), cancel) for i in range(end >> shift)]
                       for side in sides)
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
def read_cells(side: str, text: str) -> tuple[Cell, ...]:
    """Return the cells of a text for side plus or minus; FormatError for what is none."""
    parts = [CELL.fullmatch(part) for part in text.split("_", MOST_CELLS)]
    if len(parts) > MOST_CELLS:
        raise FormatError(f"delta cells: {side} has more than {MOST_CELLS} cells")
    cells: list[Cell] = []
    for i, found in enumerate(parts):
        if not found:
            raise FormatError(f"delta cells: {side} must be cells START:VALUE joined by _, and "
                              f"cell {i + 1} is none")
        cells.append((int(found[1]), None if found[2] == "zero" else int(found[2])))
    check_cells(side, cells)
    return tuple(cells)


def check_cells(side: str, cells: Sequence[Cell]) -> None:
    """Raise FormatError for cells of side plus or minus that no method can have."""
    def refuse(what: str):
        raise FormatError(f"delta cells: {side} {what}")

    if not 2 <= len(cells) <= MOST_CELLS:
        refuse(f"must have 2..{MOST_CELLS} cells, got {len(cells)}")
    starts = [start for start, _ in cells]
    if starts[0] != 0 or any(a >= b for a, b in zip(starts, starts[1:])):
        refuse("must have starts that begin with 0 and rise")
    if starts[-1] >= LIMIT << FINE:
        refuse(f"must start its cells below {LIMIT} octaves, got {starts[-1]} of 2^-{FINE}")
    if (cells[0][1] is None) != (side == "minus"):
        refuse("must begin with a cell that is zero" if side == "minus" else
               "has no cell that is zero: sums of equal signs never cancel")
    low, high = (-LIMIT << FINE, 0) if side == "minus" else (0, 1 << FINE)
    for start, value in cells[1:] if side == "minus" else cells:
        if value is None or not low <= value <= high:
            refuse(f"must have values {low}..{high}, got {'zero' if value is None else value} "
                   f"at {start}")
    if cells[-1][1] != 0:
        refuse(f"must end with a cell of value 0, got {cells[-1][1]}")


def _stepped(side: str, text: str, frac: int) -> list[Cell]:
    """Return cells in units of 2**-frac, neighbours of one value joined."""
    drop = FINE - frac
    steps: list[Cell] = []
    for start, value in read_cells(side, text):
        if drop > 0:
            start = -(-start >> drop)
            value = None if value is None else (value + (1 << (drop - 1))) >> drop
        else:
            start, value = start << -drop, None if value is None else value << -drop
        if steps and steps[-1][0] == start:
            steps.pop()
        if not steps or steps[-1][1] != value:
            steps.append((start, value))
    return steps


def _at(cells: Sequence[Cell], gap: int, cancel: int) -> int:
    value = next(value for start, value in reversed(cells) if start <= gap)
    return cancel if value is None else value


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
