"""Bits that a module has and does not read, tied so that lint tells a forgotten one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from verilog.emit.module import Port

__all__ = ["tied"]

_DECLARED = re.compile(r"^\s*(?:wire|reg) (?:\[(\d+):0\] ?)?(\w+(?:, \w+)*)(?: = |;)", re.M)
_WRITTEN = r"(?:^|;|begin|else|\)) *"  # what stands before a register that takes a value


def tied(ports: Sequence[Port], body: str) -> str:
    """Return a wire that reads all bits of inputs and wires which the body does not, with a
    line break; "" where it reads them all."""
    widths = {p.name: p.width for p in ports if not p.output}
    widths |= {name: int(high or 0) + 1 for high, names in _DECLARED.findall(body)
               for name in names.split(", ")}
    body = _DECLARED.sub(lambda m: m[0] if m[0].endswith("= ") else "", body)
    spare = [part for name, width in widths.items() for part in _unread(name, width, body)]
    listed = ", ".join(["1'b0", *spare])
    return f"\nwire unused = &{{{listed}}};" if spare else ""


def _unread(name: str, width: int, body: str) -> list[str]:
    """Return the slices of a vector that are not read."""
    read = 0
    driven = r"\.o_\w+\(|wire (?:\[\d+:0\] ?)?|assign "
    for found in re.finditer(rf"({driven}|{_WRITTEN}(?={name}(?:\[\d+(?::\d+)?\])? <?= ))?"
                             rf"\b{name}\b(?:\[(\d+)(?::(\d+))?\])?", body, re.M):
        if found[1]:  # where it is driven or declared
            continue
        high = width - 1 if found[2] is None else int(found[2])
        low = 0 if found[2] is None else int(found[3] or found[2])
        read |= (2 << high) - (1 << low)
    runs, bit = [], 0
    while bit < width:
        if read >> bit & 1:
            bit += 1
            continue
        low = bit
        while bit < width and not read >> bit & 1:
            bit += 1
        whole = bit - low == width
        runs.append(name if whole else f"{name}[{bit - 1}:{low}]" if bit - 1 > low
                    else f"{name}[{low}]")
    return runs
