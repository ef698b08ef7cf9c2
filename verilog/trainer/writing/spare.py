"""Bits that a module has and does not read, tied so that lint tells a forgotten one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from verilog.emit.module import Port

__all__ = ["tied"]

_DECLARED = re.compile(r"^\s*(?:wire|reg) (?:\[(\d+):0\] ?)?(\w+(?:, \w+)*)(?: = |;)", re.M)
_DRIVEN = r"\.o_\w+\(|wire (?:\[\d+:0\] ?)?|assign "  # what stands before a name that gets a value
_WRITTEN = r"(?:^|;|begin|else|\)) *(?=\w+(?:\[\d+(?::\d+)?\])? <?= )"  # the same of registers
_NAMED = re.compile(rf"({_DRIVEN}|{_WRITTEN})?\b(\w+)\b(?:\[(\d+)(?::(\d+))?\])?", re.M)


def tied(ports: Sequence[Port], body: str) -> str:
    """Return a wire that reads all bits of inputs and wires which the body does not, with a
    line break; "" where it reads them all."""
    widths = {p.name: p.width for p in ports if not p.output}
    widths |= {name: int(high or 0) + 1 for high, names in _DECLARED.findall(body)
               for name in names.split(", ")}
    body = _DECLARED.sub(lambda m: m[0] if m[0].endswith("= ") else "", body)
    read = _read(widths, body)
    spare = [part for name, width in widths.items() for part in _unread(name, width, read[name])]
    listed = ", ".join(["1'b0", *spare])
    return f"\nwire unused = &{{{listed}}};" if spare else ""


def _read(widths: Mapping[str, int], body: str) -> dict[str, int]:
    """Return which bits of each vector are read, as those of a number."""
    read = dict.fromkeys(widths, 0)
    for written, name, first, last in _NAMED.findall(body):
        if name in read and not written:
            high = int(first) if first else widths[name] - 1
            low = int(last or first) if first else 0
            read[name] |= (2 << high) - (1 << low)
    return read


def _unread(name: str, width: int, read: int) -> list[str]:
    """Return the slices of a vector of which no bit is read."""
    runs: list[str] = []
    bit = 0
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
