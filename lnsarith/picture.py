"""How the pictures of commands look; matplotlib is loaded when one is drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fxp.format import FormatError
from lnsarith import files

__all__ = ["GREY", "INK", "LINE", "WARM", "picture", "require_writable", "wrapped"]

SUFFIXES = (".png", ".pdf", ".svg")
INK, GREY, LINE, WARM = "#22313f", "#8a97a3", "#1f77b4", "#d1495b"
STYLE: Any = {
    "font.size": 9.5, "axes.edgecolor": GREY, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#e4e8eb", "grid.linewidth": 0.7, "axes.axisbelow": True,
    "axes.titlesize": 10.5, "axes.titlelocation": "left", "legend.frameon": False,
}


def require_writable(path: str | Path) -> None:
    """Raise FormatError unless a picture can be written to path."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise FormatError(f"a picture is {', '.join(SUFFIXES)}, got {str(path)!r}")
    files.require_writable(path)


@contextmanager
def picture(path: str | Path, title: str, size=(10, 6)) -> Iterator:
    """Give a figure to draw on, which is written to path at the end.

    The file appears whole or not at all. Raises FormatError where it cannot be written.
    """
    require_writable(path)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        yield figure
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, linespacing=1.4)
        form = Path(path).suffix[1:].lower()
        files.write_whole(path, lambda part: figure.savefig(part, format=form, dpi=160))


def wrapped(text: str, width: int) -> list[str]:
    """Return a text as lines; where it is too long, it also breaks after commas."""
    if len(text) <= width:
        return [text]
    spaced = ", ".join(text.replace(", ", ",").split(","))
    return textwrap.wrap(spaced, width, break_on_hyphens=False)
