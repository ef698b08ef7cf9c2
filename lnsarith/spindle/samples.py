"""Functions and samples from files, for fitting: an activation may be any of them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fxp.fit.functions import TARGETS, Target, empirical, tabulated
from fxp.format import FormatError
from fxp.text.numbers import real, shown
from lnsarith.host.files.arrays import read_npy, read_npz
from lnsarith.host.files.reading import BadFile, open_plain
from lnsarith.spindle.file import read_function
from lnsarith.spindle.sample import support

__all__ = ["Source", "read_source", "sampled"]

MOST = 1 << 28  # bytes of samples: 33 million numbers
LINE = 1000  # characters
SUFFIXES = (".csv", ".txt", ".npy", ".npz", ".json")


class Source(NamedTuple):
    """A function to be fitted, and the samples whose distribution it is, if it is that."""

    target: Target
    samples: np.ndarray | None = None


def sampled(name: str, samples) -> Source:
    """Return the distribution of samples, through (i - 1/2) / n at the i-th."""
    samples = np.asarray(samples, np.float64).ravel()
    return Source(empirical(name, samples), samples)


def read_source(text: str) -> Source:
    """Return the function of that name, or of a file.

    One column of numbers (or a NumPy array of one axis) is samples and stands for their
    cumulative distribution; two columns are points x, y of one. A first line of a text
    file may be a heading. JSON holds a fit, of kernels or units. Raises FormatError for
    what cannot be read, OSError where there is no file.
    """
    if text in TARGETS:
        return Source(TARGETS[text])
    path = Path(text)
    if path.suffix.lower() not in SUFFIXES:
        raise FormatError(f"there is no function {text!r}; there are {', '.join(TARGETS)}, "
                          f"files {', '.join(SUFFIXES)}, and RUN:LAYER of a trained network")
    if path.suffix.lower() == ".json":
        function = read_function(path)
        return Source(Target(path.name, function.real, *support(function)))
    numpy = path.suffix.lower() in (".npy", ".npz")
    table = _array(path) if numpy else _columns(path)
    name = path.name
    if table.ndim == 1 or table.shape[1] == 1:
        return sampled(name, table)
    if table.ndim == 2 and table.shape[1] == 2:
        return Source(tabulated(name, table[:, 0], table[:, 1]))
    shape = " x ".join(map(str, table.shape))
    raise FormatError(f"{path}: samples are one column and points two, got {shape}")


def _array(path: Path) -> np.ndarray:
    try:
        if path.suffix.lower() == ".npz":
            [found] = read_npz(path, MOST, packed=True).values()
        else:
            with open_plain(path, MOST) as stream:
                found = read_npy(stream, path.stat().st_size)
    except (OSError, BadFile):
        raise
    except Exception as error:  # a damaged file raises a dozen kinds
        raise FormatError(f"{path} is no file of one NumPy array: {error}") from error
    if found.dtype.kind not in "iuf" or found.ndim == 0:
        raise FormatError(f"{path} holds {found.dtype} of shape {found.shape}, no rows of numbers")
    return found


def _columns(path: Path) -> np.ndarray:
    """Return the numbers of a text, rows x columns."""
    numbers, width, heading = array("d"), 0, False
    with open_plain(path, MOST) as raw, TextIOWrapper(raw, "utf-8") as lines:
        for number, line, cells in _cells(path, lines):
            try:
                row = [real("a cell", cell) for cell in cells]
            except ValueError:
                if width or heading or all(map(_is_float, cells)):
                    raise FormatError(f"{path}, line {number}: {shown(line)} is not "
                                      "numbers") from None
                if any(map(_is_float, cells)):
                    raise FormatError(f"{path}, line {number}: {shown(line)} mixes text and "
                                      "numbers; a heading has no number, a row no text") from None
                heading = True
                continue
            if width not in (0, len(row)):
                raise FormatError(f"{path}, line {number}: {len(row)} numbers, the lines above "
                                  f"have {width}")
            width = len(row)
            numbers.extend(row)
            if len(numbers) > MOST // 8:
                raise FormatError(f"{path} holds more than {MOST // 8:,} numbers")
    if not numbers:
        raise FormatError(f"{path} holds no numbers")
    return np.frombuffer(numbers).reshape(-1, width)


def _is_float(cell: str) -> bool:
    """Whether Python takes a cell for a number, be it nan or 1e999."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _cells(path: Path, lines: TextIOWrapper) -> Iterator[tuple[int, str, list[str]]]:
    """Yield number, text and cells of each line that has some and is no comment."""
    try:
        for number, line in enumerate(lines, 1):
            cells = [c for c in re.split(r"[,;\s]+", line[:LINE].strip()) if c]
            if len(line) > LINE:
                raise FormatError(f"{path}, line {number}: it has more than {LINE} characters")
            if cells and not cells[0].startswith("#"):
                yield number, line.strip(), cells
    except UnicodeDecodeError:
        raise FormatError(f"{path} is no text") from None
