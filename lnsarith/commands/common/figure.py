"""The options of every command that draws."""

from __future__ import annotations

from argparse import Namespace
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["add_figure", "figures"]


def add_figure(parser: Any, table: bool = True) -> None:
    """Add --figure-size, --no-title and --csv to a parser or a group of one.

    Without table, --csv is left to add_forms(parser, figure=True).
    """
    parser.add_argument("--figure-size", metavar="WxH", help="of the picture, in inches, or with "
                        "mm or cm behind it: 3.5x2.6, 89x66mm")
    parser.add_argument("--no-title", action="store_true", help="leave the picture's title out")
    if table:
        parser.add_argument("--csv", metavar="FILE",
                            help="write the numbers that the picture shows")


def figures(args: Namespace) -> AbstractContextManager:
    """Return what gives a command's figures the look that its options ask for."""
    known = vars(args)
    table = known.get("csv")
    table = table if isinstance(table, str) else None  # else a form of the answer
    given = known.get("figure_size"), not known.get("no_title"), table
    if "figure_size" not in known or given == (None, True, None):
        return nullcontext()
    from fxp.format import FormatError

    if table and not _draws(known):
        raise FormatError("--csv FILE writes the numbers of a picture, and none was asked for: "
                          "give --plot, --picture or --waves, and not --no-plot")
    from lnsarith.host.picture.look import looking

    return looking(*given)


def _draws(known: dict) -> bool:
    """Whether options ask for a picture; a command without such an option always draws."""
    asked = [known[name] for name in ("plot", "picture") if name in known]
    asked += [known["waves"]] if isinstance(known.get("waves"), bool) else []  # else VCD, FST
    return not known.get("no_plot") and (not asked or any(asked))
