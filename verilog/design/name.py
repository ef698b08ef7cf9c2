"""Names of designs: readable where that tells all, else with a digest of the whole design.

A name is the design's, its format's and those options that are not the default, such as
lns_mac_12_6_balanced_l3. Modules, files, the core and the folder are called so, with a few
letters more where a design has several modules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fxp.format import FormatError
from lnsarith.catalogue.operator import Option
from lnsarith.host.files.naming import digested
from verilog.emit.keywords import KEYWORDS

__all__ = ["LONGEST", "check_name", "design_name"]

LONGEST = 56  # leaves room for tb_, _cfu, _finish, ... within 64
MOST = 24  # letters of one option
NUMBER = re.compile(r"-?\d+(/\d+)?")
FORMAT = re.compile(r"(u?fixed|lns)\d+\.\d+")


def design_name(row: str, f: Any, options: Sequence[Option], settings: Mapping[str, Any],
                latency: int = 0, memories: bool = False) -> str:
    """Return the name of a design: an identifier of at most LONGEST letters.

    row is the operator's or unit's name, options are its own, settings their values.
    Designs that differ have names that differ.
    """
    given = {o: str(settings[o.name]) for o in options
             if str(settings[o.name]) != str(o.value(o.default))}
    tokens = [_token(o, value, options) for o, value in given.items()]
    parts = [row, re.sub(r"^(lns|fixed)", "", str(f)), *(text for text, _ in tokens)]
    parts += [f"l{latency}"] if latency else []
    parts += ["memh"] if memories else []
    name = _cleaned("_".join(parts))
    if len(name) <= LONGEST and all(whole for _, whole in tokens):
        return name
    told = repr((row, str(f), {o.name: value for o, value in given.items()}, latency, memories))
    return digested(name, told, LONGEST, "_")


def check_name(name: str) -> str:
    """Return a name that a user gives a design; FormatError unless it can be a module's."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise FormatError("name must be letters, digits and _, a digit not first, as modules "
                          f"have it, got {name!r}")
    if len(name) > LONGEST:
        raise FormatError(f"name must have at most {LONGEST} letters, got {len(name)}: {name}")
    if name in KEYWORDS:
        raise FormatError(f"name must be no keyword of Verilog or SystemVerilog, got {name}")
    return name


def _token(option: Option, value: str, options: Sequence[Option]) -> tuple[str, bool]:
    """Return what a name says of an option's value, and whether that is all of it."""
    if sum(value in o.choices for o in options) == 1:
        return value, True
    if NUMBER.fullmatch(value):
        return f"{option.name}{value.replace('-', 'm')}", True
    if FORMAT.fullmatch(value):
        return f"{option.name}_{value}", True
    text = _cleaned(value)
    return (text if len(text) <= MOST else option.name), False


def _cleaned(text: str) -> str:
    return re.sub(r"_+", "_", re.sub(r"\W", "_", text, flags=re.ASCII)).strip("_")
