"""Waves of a design's ports: which files can be written, a short run drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fxp.format import FormatError
from lnsarith.host.files import whole as files
from verilog.design.design import Design
from verilog.emit.module import Module, Port
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
        if design.commands:
            view = cfu_view(design)
            found = read_vcd(vcd, design.name, "cfu")
            traces = {own: found[name] for own, name in view.labels.items()}
            draw(view.design, traces, path, cycles, view.labels, view.functions)
            return
        traces = read_vcd(vcd, design.name)
    draw(design, traces, path, cycles)


@dataclass(frozen=True)
class View:
    """A custom function unit by its own ports: a design that has them under the names that
    pictures know, the names to write, and of the function ids those of commands."""

    design: Design
    labels: dict[str, str]
    functions: dict[int, str]


def cfu_view(design: Design) -> View:
    """Return the view of a design whose module Cfu is the instance cfu."""
    labels = {"i_clk": "clk", "i_rst": "reset", "i_valid": "cmd_valid", "o_ready": "cmd_ready",
              "i_function": "cmd_payload_function_id", "i_inputs_0": "cmd_payload_inputs_0",
              "i_inputs_1": "cmd_payload_inputs_1", "o_valid": "rsp_valid",
              "i_ready": "rsp_ready", "o_outputs": "rsp_payload_outputs_0"}
    own = {p.name: p for p in design.modules[-2].ports}
    ports = tuple(Port(name, own[label].width, own[label].output)
                  for name, label in labels.items())
    spans = {p.name[2:]: (0, (1 << p.width) - 1) for p in ports if p.width > 1}
    outputs = {"outputs": spans.pop("outputs")}
    top = Module(design.name, ports, "")
    names = {c.code: c.name for c in design.commands} if len(design.commands) > 1 else {}
    return View(replace(design, modules=(top,), inputs=spans, outputs=outputs), labels, names)
