"""Delta methods: how the logarithm of a sum or difference is approximated.

For d = |X - Y| the exact corrections are D+(d) = log2(1 + 2**-d) and
D-(d) = log2(1 - 2**-d). Each method here is an operator of its own, a frozen
dataclass with parameters. `method.at(frac, cancel)` returns its spec,

    delta(gap, opposite) -> shift

over integers in units of 2**-frac: gap >= 0, opposite is 0 or -1 (all ones) for
D-. It answers `cancel` where the sum is exactly zero. Names and parameters are
written lut:r=1/4,dmax=10, a designed method file:FILE or, of those that come with the
package, design:NAME; see `parse`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction

from fxp.format import FormatError
from fxp.text.numbers import exact, whole
from lnsarith.delta.cells import Cells
from lnsarith.delta.file import designs, read_design
from lnsarith.delta.method import Delta
from lnsarith.delta.shifts import Balanced, BitShift, Mitchell, Pwl
from lnsarith.delta.tables import Exact, Interp, Lut

__all__ = ["METHODS", "Balanced", "BitShift", "Cells", "Delta", "Exact", "Interp", "Lut",
           "Mitchell", "Pwl", "brief", "inlined", "parse"]

METHODS: dict[str, type[Delta]] = {
    method.name: method for method in (Exact, Lut, BitShift, Mitchell, Interp, Pwl, Balanced,
                                     Cells)
}
FILE, DESIGN = "file:", "design:"
LONGEST = 48  # letters of a method where it is told to people

READERS: dict[type, Callable] = {Fraction: exact, int: whole, str: lambda name, text: text}


def parse(text: str) -> Delta:
    """Return the method that a text such as lut:r=1/4,dmax=10 means, or that the FILE of
    file:FILE holds, or the design of design:NAME."""
    if text.startswith(FILE):
        return read_design(text.removeprefix(FILE))
    if text.startswith(DESIGN):
        known, wanted = designs(), text.removeprefix(DESIGN)
        if wanted not in known:
            raise FormatError(f"unknown design {wanted!r}; there are {', '.join(known)}")
        return read_design(known[wanted])
    name, _, rest = text.partition(":")
    if name not in METHODS:
        raise FormatError(f"unknown delta method {name!r}; there are {', '.join(METHODS)}, and "
                          "file:FILE of lnsarith design delta --out")
    method = METHODS[name]
    types = {f.name: type(f.default) for f in fields(method)}
    options: dict[str, object] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if key not in types or not equals:
            takes = ", ".join(types) or "no options"
            raise FormatError(f"delta {name} does not know {part!r}; it takes {takes}")
        options[key] = READERS[types[key]](f"delta {name}: {key}", value)
    return method(**options)  # type: ignore[arg-type]


def inlined(text: str) -> str:
    """Return the text of a method that needs no file: of file:FILE and design:NAME what the
    file says."""
    return str(parse(text)) if text.startswith((FILE, DESIGN)) else text


def brief(text: str) -> str:
    """Return a method's text as people are told of it: where that is long, its name and the
    first digits of a digest of it."""
    if len(text) <= LONGEST:
        return text
    return f"{text.partition(':')[0]}:{hashlib.sha256(text.encode()).hexdigest()[:8]}"
