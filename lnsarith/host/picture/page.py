"""The colours of pictures on a page that a browser draws, in the light and in the dark."""

from __future__ import annotations

from lnsarith.host.picture import FAINT, INK, LINE, SERIES, WARM

__all__ = ["DARK", "LIGHT", "series", "variables"]

# By the names of the page's CSS variables. Paper, panels and quiet text are no picture's.
LIGHT = {"ink": INK, "line": LINE, "warm": WARM, "rule": FAINT,
         "quiet": "#5d6b78", "paper": "#ffffff", "panel": "#f5f7f9"}
# On dark paper ink is the lightest curve and line the darkest: as far apart as in the light.
DARK = {"ink": "#e6ebf0", "line": "#3f87cc", "warm": "#e8a33d", "rule": "#333d47",
        "quiet": "#9fadba", "paper": "#14191f", "panel": "#1d242c"}
DASHES = {"-": "solid", "--": "dash", ":": "dot"}  # as Plotly names them
MORE = ("dashdot", "longdash")  # behind those of other pictures: a page may have more curves


def variables(colours: dict[str, str]) -> str:
    """Return colours as declarations of CSS variables."""
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def series() -> list[tuple[str, str]]:
    """Return the CSS variable and the dash of each curve, first those of every picture in their
    order."""
    names = {colour: name for name, colour in LIGHT.items()}
    found = [(f"--{names[ink]}", DASHES[dash]) for ink, dash in SERIES]
    inks = list(dict.fromkeys(ink for ink, _ in found))
    return found + [(ink, dash) for dash in MORE for ink in inks]
