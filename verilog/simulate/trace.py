"""What happened to a design's ports: a VCD file, read."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["Trace", "read_vcd"]

Trace = list[tuple[int, str]]  # times in ps, patterns of bits


def read_vcd(path: Path, *scope: str) -> dict[str, Trace]:
    """Return when the vectors of a module change and to what, x and z included.

    scope names the top module, and instances below it down to the one that is meant. Times
    are in ps, as the bench has them; vectors of other instances are left out.
    """
    names: dict[str, tuple[str, int]] = {}
    traces: dict[str, Trace] = {}
    scopes: list[str] = []
    now = 0
    with path.open() as lines:
        for line in lines:
            parts = line.split()
            if line.startswith("$scope"):
                scopes.append(parts[2])
            elif line.startswith("$upscope"):
                scopes.pop()
            elif line.startswith("$var") and scopes == list(scope):
                names[parts[3]] = parts[4], int(parts[2])
                traces[parts[4]] = []
            elif line.startswith("#"):
                now = int(line[1:])
            elif change := re.match(r"b(\w+) (\S+)$|([01xz])(\S+)$", line):
                pattern, code = line.lstrip("b").split() if change[1] else (line[0], change[4])
                if code in names:
                    name, width = names[code]
                    filled = pattern.rjust(width, pattern[0] if pattern[0] in "xz" else "0")
                    traces[name].append((now, filled))
    return traces
