"""How this process's pictures differ from their usual look: size, title, a table beside them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fxp.format import FormatError
from lnsarith.host.files import whole as files

__all__ = ["Look", "current", "looking", "read_size", "write_table"]

INCHES = (1.0, 60.0)
HEADER = ("panel", "series", "x", "y", "value")


@dataclass
class Look:
    """The size of figures in inches, None as each has; whether they have titles; the file of
    the numbers that they show, None for none; and whether a figure was drawn."""

    size: tuple[float, float] | None = None
    titled: bool = True
    table: Path | None = None
    drawn: bool = False


_look: ContextVar[Look] = ContextVar("look")


def current() -> Look:
    """Return the look in force."""
    return _look.get(Look())


@contextmanager
def looking(size: str | None = None, titled: bool = True, table: str | None = None
            ) -> Iterator[None]:
    """Give the body's figures this look; FormatError for a size that is none, a table that
    cannot be written, and a table of a body that draws nothing."""
    path = Path(table) if table else None
    if path:
        if path.suffix.lower() != ".csv":
            raise FormatError(f"a table is .csv, got {str(path)!r}")
        files.require_writable(path)
    look = Look(read_size(size) if size else None, titled, path)
    token = _look.set(look)
    try:
        yield
    finally:
        _look.reset(token)
    if path and not look.drawn:
        raise FormatError("--csv writes the numbers of a picture, and none was asked for: give "
                          "--plot or --picture too")


def read_size(text: str) -> tuple[float, float]:
    """Return width and height in inches of 3.5x2.6, or of 89x66mm."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(mm|cm|in)?", text, re.ASCII)
    unit = {"mm": 25.4, "cm": 2.54, "in": 1.0, None: 1.0}[match[3]] if match else 1.0
    sizes = tuple(float(n) / unit for n in match.groups()[:2]) if match else (0.0, 0.0)
    low, high = INCHES
    if not all(low <= n <= high for n in sizes):
        raise FormatError(f"a figure's size is WIDTHxHEIGHT in inches, or with mm or cm behind it, "
                          f"each {low:g}..{high:g} inches, got {text[:40]!r}")
    return sizes[0], sizes[1]


def write_table(figure: Any, shown: Iterable[tuple] = ()) -> None:
    """Write what a figure shows where the look says: a line for each point of each curve, bar,
    cloud and image, by panel and series; or what is given as shown, in the columns of HEADER."""
    look = current()
    look.drawn = True
    if look.table is None:
        return
    given = list(shown)

    def write(part: Path) -> None:
        with open(part, "w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            rows.writerow(HEADER)
            rows.writerows(given)
            for number, axes in enumerate(() if given else figure.axes, 1):
                panel = _plain(axes.get_title(loc="left") or axes.get_title()
                               or axes.get_ylabel()) or str(number)
                rows.writerows((panel, *row) for row in _rows(axes))

    files.write_whole(look.table, write)


def _rows(axes) -> Iterator[tuple]:
    """Yield series, x and y of everything that axes show in data coordinates."""
    from matplotlib.collections import PathCollection

    bars = [(c.get_label(), c.patches) for c in axes.containers if hasattr(c, "patches")]
    for number, line in enumerate(axes.lines, 1):
        if line.get_transform() == axes.transData:
            name = _series(line.get_label(), f"curve {number}")
            yield from ((name, *point) for point in zip(
                _numbers(line.get_xdata()), _numbers(line.get_ydata())))
    for number, cloud in enumerate(axes.collections, 1):
        if isinstance(cloud, PathCollection):
            name = _series(cloud.get_label(), f"points {number}")
            points: Any = cloud.get_offsets()
            yield from ((name, *map(float, point)) for point in points)
    for number, (label, patches) in enumerate(bars, 1):
        name = _series(label, f"bars {number}")
        for p in patches:
            yield name, float(p.get_x() + p.get_width() / 2), float(p.get_y() + p.get_height())
    yield from _pixels(axes)
    for number, step in enumerate((p for p in axes.patches if hasattr(p, "get_data")), 1):
        data = step.get_data()
        middles = (data.edges[1:] + data.edges[:-1]) / 2
        yield from ((f"steps {number}", *point) for point in zip(
            _numbers(middles), _numbers(data.values)))


def _pixels(axes) -> Iterator[tuple]:
    """Yield series, column, row and value of every pixel of the images of axes."""
    for number, image in enumerate(axes.images, 1):
        for y, line in enumerate(image.get_array()):
            for x, value in enumerate(line):
                yield f"image {number}", x, y, str(value.tolist())


def _numbers(values: Any) -> list:
    return [v if isinstance(v, str) else float(v) for v in values]


def _series(label: Any, otherwise: str) -> str:
    text = str(label)
    return otherwise if not text or text.startswith("_") else _plain(text)


def _plain(text: str) -> str:
    return " ".join(text.replace("$", "").split())
