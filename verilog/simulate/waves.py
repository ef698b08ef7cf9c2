"""Waves of a design's ports: which files can be written, a short run drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fxp.format import FormatError
from lnsarith.files import whole as files
from verilog.design.design import Design
from verilog.simulate.trace import read_vcd

__all__ = ["PICTURES", "WAVES", "draw_run", "require_writable"]

WAVES = (".vcd", ".fst")
PICTURES = (".png", ".svg", ".pdf")
CYCLES, WORDS = 26, 14  # that a picture shows

def require_writable(path: str | Path, suffixes: Sequence[str]) -> None:
    """Raise FormatError unless a file with one of these suffixes can be written to path."""
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise FormatError(f"the file must end in {' or '.join(suffixes)}, got {str(path)!r}")
    files.require_writable(path)


def draw_run(design: Design, path: str | Path, run: Callable, seed: int = 0) -> None:
    """Simulate a few words by run(design, phases, seed, vcd), draw what happens to the ports."""
    from verilog.simulate.wave_picture import draw

    path = Path(path)
    require_writable(path, PICTURES)
    phase = "stalls" if design.clocked else "words"
    cycles = CYCLES + (design.latency or 0) if design.clocked else WORDS
    with files.scratch() as folder:
        vcd = Path(folder) / "run.vcd"
        run(design, {phase: design.stimulus(cycles, seed)}, seed, vcd)
        traces = read_vcd(vcd, design.name)
    draw(design, traces, path, cycles)
