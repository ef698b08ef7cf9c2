"""The options of every command that draws."""

from __future__ import annotations

from argparse import Namespace
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["add_figure", "figures"]


def add_figure(parser: Any) -> None:
    """Add --figure-size, --no-title and --csv to a parser or a group of one."""
    parser.add_argument("--figure-size", metavar="WxH", help="of the picture, in inches, or with "
                        "mm or cm behind it: 3.5x2.6, 89x66mm")
    parser.add_argument("--no-title", action="store_true", help="leave the picture's title out")
    parser.add_argument("--csv", metavar="FILE", help="write the numbers that the picture shows")


def figures(args: Namespace) -> AbstractContextManager:
    """Return what gives a command's figures the look that its options ask for."""
    known = vars(args)
    table = known.get("csv") if isinstance(known.get("csv"), str) else None
    given = known.get("figure_size"), not known.get("no_title"), table
    if "figure_size" not in known or given == (None, True, None):
        return nullcontext()  # where --csv takes no file, it is a form of the answer
    from lnsarith.host.picture.look import looking

    return looking(*given)
