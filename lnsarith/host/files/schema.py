"""What plain data must look like: forms of numbers, texts, lists and tables.

    CONFIG = table({"epochs": number(1, 100), "name": text(), "rows": listed(table({...}))},
                   {"note": text()})                        # the second may be missing
    check({"epochs": 0}, CONFIG)        raises "epochs must be an integer 1..100, got 0"
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from fxp.text.numbers import WORD, shown

__all__ = ["Form", "check", "flag", "floating", "listed", "mapping", "maybe", "number", "table",
           "text"]

# A form raises ValueError for a value, found under a name, that it does not fit.
Form = Callable[[Any, str], None]


def check(value: Any, form: Form, where: str = "") -> Any:
    """Return a value that has a form; ValueError with the place, what must be and what came."""
    form(value, where)
    return value


def number(low: int = WORD[0], high: int = WORD[1]) -> Form:
    """Return the form of an integer in low..high."""
    span = "" if (low, high) == WORD else f" {low}..{high}"

    def form(value, where):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            _refuse(where, f"an integer{span}", value)

    return form


def floating(low: float = -math.inf, high: float = math.inf) -> Form:
    """Return the form of a finite number in low..high, an integer or not."""
    span = "" if math.isinf(low) and math.isinf(high) else f" {low:g}..{high:g}"

    def form(value, where):
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not plain or not math.isfinite(value) or not low <= value <= high:
            _refuse(where, f"a finite number{span}", value)

    return form


def text(*choices: str, most: int = 1 << 16) -> Form:
    """Return the form of a text: one of the choices, where there are any."""
    what = " or ".join(map(repr, choices)) or f"text of at most {most} characters"

    def form(value, where):
        if not isinstance(value, str) or len(value) > most or (choices and value not in choices):
            _refuse(where, what, value)

    return form


def flag(value: Any, where: str) -> None:
    """Refuse all but true and false."""
    if not isinstance(value, bool):
        _refuse(where, "true or false", value)


def maybe(own: Form) -> Form:
    """Return the form of null, or of what has the form."""

    def form(value, where):
        if value is not None:
            own(value, where)

    return form


def listed(own: Form, least: int = 0, most: int = 1 << 20) -> Form:
    """Return the form of a list with least..most elements of a form."""

    def form(value, where):
        if not isinstance(value, list) or not least <= len(value) <= most:
            _refuse(where, f"a list of {least}..{most}", value)
        for i, element in enumerate(value):
            own(element, f"{where or 'it'}[{i}]")

    return form


def mapping(own: Form) -> Form:
    """Return the form of an object with any keys and values of a form."""

    def form(value, where):
        for key, element in _object(value, where).items():
            own(element, _below(where, key))

    return form


def table(needed: Mapping[str, Form], others: Mapping[str, Form] | None = None,
          open_ended: bool = False) -> Form:
    """Return the form of an object with the needed keys, and perhaps others; with any more,
    of any value, where it is open-ended."""
    forms = {**needed, **(others or {})}

    def form(value, where):
        _object(value, where)
        for key in needed:
            if key not in value:
                raise ValueError(f"{_below(where, key)} is missing")
        for key, element in value.items():
            if key in forms:
                forms[key](element, _below(where, key))
            elif not open_ended:
                raise ValueError(f"{_below(where, key)[:80]} is nothing that belongs there")

    return form


def _object(value: Any, where: str) -> dict:
    if not isinstance(value, dict):
        _refuse(where, "an object", value)
    return value


def _below(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _refuse(where: str, what: str, value: Any):
    kind = {dict: "an object", list: f"a list of {len(value) if isinstance(value, list) else 0}",
            bool: str(value).lower() if isinstance(value, bool) else "", type(None): "null"}
    raise ValueError(f"{where or 'it'} must be {what}, got {kind.get(type(value)) or shown(value)}")
