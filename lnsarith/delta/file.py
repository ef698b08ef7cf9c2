"""Files of designed Delta methods: written by `lnsarith design delta`, taken as file:FILE."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fxp.format import FormatError
from lnsarith.delta.cells import MOST_CELLS, Cells, cells_text, read_cells
from lnsarith.host.files.reading import BadFile, read_json
from lnsarith.host.files.schema import listed, maybe, number, table, text
from lnsarith.host.files.whole import write_whole

__all__ = ["KIND", "designs", "read_design", "write_design"]

KIND = "lnsarith delta design 1"
WRITES = "lnsarith design delta --out writes such files"
CELLS = listed(listed(maybe(number()), 2, 2), 2, MOST_CELLS)
# What is read of a design; the rest tells people how it was found.
FORM = table({"kind": text(KIND), "bits": number(4, 32), "frac": number(0, 30),
              "guard": number(0, 16), "plus": CELLS, "minus": CELLS},
             open_ended=True)


def designs() -> dict[str, Path]:
    """Return the files of the designs that come with the package, by their names."""
    return {p.stem: p for p in sorted((Path(__file__).parent / "designs").glob("*.json"))}


def read_design(path: str | Path) -> Cells:
    """Return the method in a file; FormatError, which names the file, for what is none."""
    try:
        found = read_json(path, FORM)
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; {WRITES}") from None
    except BadFile as error:
        raise FormatError(f"{error}; {WRITES}") from None
    if found["frac"] > found["bits"] - 2:
        raise FormatError(f"{path}: frac must be an integer 0..{found['bits'] - 2} in words of "
                          f"{found['bits']} bits, got {found['frac']}; {WRITES}")
    try:
        return Cells(found["frac"] + found["guard"],
                     *(_text(side, found[side]) for side in ("plus", "minus")))
    except FormatError as error:
        raise FormatError(f"{path}: {error}; {WRITES}") from None


def write_design(path: str | Path, method: Cells, bits: int, frac: int, guard: int,
                 found: Mapping[str, object]) -> None:
    """Write a method, the words that it was designed for, and how it was found."""
    sides = {side: [list(cell) for cell in
                    read_cells(side, getattr(method, side), method.frac)]
             for side in ("plus", "minus")}
    content = {"kind": KIND, "bits": bits, "frac": frac, "guard": guard, **found, **sides}
    written = json.dumps(content, indent=1)
    for row in (cell for cells in sides.values() for cell in cells):  # a cell a line
        written = written.replace(json.dumps(row, indent=1).replace("\n", "\n  "), json.dumps(row))
    write_whole(path, lambda part: part.write_text(written + "\n", "utf-8"))


def _text(side: str, cells: list[list[int | None]]) -> str:
    if any(start is None for start, _ in cells):
        raise FormatError(f"delta cells: {side} has a cell without a start")
    return cells_text([(int(start or 0), value) for start, value in cells])
