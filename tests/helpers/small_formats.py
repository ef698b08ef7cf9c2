"""Formats with few words, for trying an operator on many of them."""

from __future__ import annotations

from fxp.format import Fixed
from lnsarith.catalogue.operator import Operator
from lnsarith.lns.format import Lns

__all__ = ["small_formats"]

SMALL = {"fixed": (Fixed(8, 3), Fixed(6, 6, False)), "lns": (Lns(8, 3), Lns(7, 1))}
OWN = {  # where those do not suit
    "fixed-spindle": (Fixed(8, 4), Fixed(10, 5)),
    "fixed-pwl": (Fixed(8, 4), Fixed(10, 5)),
    "fixed-xnor-popcount": (Fixed(8, 0, False), Fixed(5, 0, False)),
}


def small_formats(operator: Operator) -> tuple:
    """Return two formats that an operator takes."""
    return OWN.get(operator.name, SMALL[operator.family])
