"""Waves of a design's ports: which files can be written, VCD read, a short run drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fxp.format import FormatError
from lnsarith import files
from verilog.design import Design

__all__ = ["PICTURES", "WAVES", "draw_run", "read_vcd", "require_writable"]

WAVES = (".vcd", ".fst")
PICTURES = (".png", ".svg", ".pdf")
CYCLES, WORDS = 26, 14  # that a picture shows

Trace = list[tuple[int, str]]  # times in ps, patterns of bits


def require_writable(path: str | Path, suffixes: Sequence[str]) -> None:
    """Raise FormatError unless a file with one of these suffixes can be written to path."""
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise FormatError(f"the file must end in {' or '.join(suffixes)}, got {str(path)!r}")
    files.require_writable(path)


def read_vcd(path: Path, top: str) -> dict[str, Trace]:
    """Return when the vectors of a top module change and to what, x and z included.

    Times are in ps, as the bench has them; vectors below the top are left out.
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
            elif line.startswith("$var") and scopes == [top]:
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


def draw_run(design: Design, path: str | Path, seed: int = 0) -> None:
    """Simulate a few words and draw what happens to the ports."""
    from verilog.simulate import run_phases
    from verilog.wave_picture import draw

    path = Path(path)
    require_writable(path, PICTURES)
    phase = "stalls" if design.clocked else "words"
    cycles = CYCLES + (design.latency or 0) if design.clocked else WORDS
    with files.scratch() as folder:
        vcd = Path(folder) / "run.vcd"
        run_phases(design, {phase: design.stimulus(cycles, seed)}, seed, vcd)
        traces = read_vcd(vcd, design.name)
    draw(design, traces, path, cycles)
