"""How the pictures of commands look; matplotlib is loaded when one is drawn."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fxp.format import FormatError
from lnsarith.host.files import whole as files
from lnsarith.host.picture.look import current, write_table

__all__ = ["GREY", "INK", "LINE", "WARM", "legend", "picture", "png", "require_writable",
           "styled", "wrapped"]

SUFFIXES = (".png", ".pdf", ".svg")
# Curves are INK, LINE and WARM: apart in grey, and for eyes that tell red from green badly.
INK, GREY, LINE, WARM = "#22313f", "#8a97a3", "#1565a5", "#cc7a00"
STYLE: Any = {
    "font.size": 9.5, "axes.edgecolor": GREY, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#e4e8eb", "grid.linewidth": 0.7, "axes.axisbelow": True,
    "axes.titlesize": 10.5, "axes.titlelocation": "left", "legend.frameon": False,
    # Text stays text: whole fonts in PDF, none in SVG.
    "pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "lnsarith",
}
UNDATED: Any = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}


def require_writable(path: str | Path) -> None:
    """Raise FormatError unless a picture can be written to path."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise FormatError(f"a picture is {', '.join(SUFFIXES)}, got {str(path)!r}")
    files.require_writable(path)


@contextmanager
def styled(size, layout: Any = "constrained", more: Mapping = MappingProxyType({})
           ) -> Iterator:
    """Give a figure in the style of all pictures, and in more of its own."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({**STYLE, **more}):
        yield Figure(figsize=current().size or size, layout=layout)


@contextmanager
def picture(path: str | Path, title: str, size=(10, 6), shown: Callable = tuple, **look: Any
            ) -> Iterator:
    """Give a figure to draw on, which is written to path at the end; look is as of styled,
    shown gives the rows of its table where they are not those of its axes.

    The file appears whole or not at all. Raises FormatError where it cannot be written.
    """
    require_writable(path)
    form = Path(path).suffix[1:].lower()
    with styled(size, **look) as figure:
        yield figure
        headed(figure, title)
        write_table(figure, shown())
        files.write_whole(path, lambda part: figure.savefig(
            part, format=form, dpi=160, metadata=UNDATED[form]))


def png(figure, title: str) -> bytes:
    """Return a figure as a PNG image."""
    headed(figure, title)
    write_table(figure)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=120, metadata=UNDATED["png"])
    return image.getvalue()


def headed(figure, title: str) -> None:
    """Write the title of a figure, if it has one and shall show it."""
    if title and current().titled:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, linespacing=1.4)


def legend(axes, beside: bool = False, **more) -> None:
    """Draw the legend where no curve can be: above the axes, or beside them."""
    if beside:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), **more)
    else:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.1,
                    ncols=len(axes.get_legend_handles_labels()[1]), **more)


def wrapped(text: str, width: int) -> list[str]:
    """Return a text as lines; where it is too long, it also breaks after commas."""
    if len(text) <= width:
        return [text]
    spaced = ", ".join(text.replace(", ", ",").split(","))
    return textwrap.wrap(spaced, width, break_on_hyphens=False)
