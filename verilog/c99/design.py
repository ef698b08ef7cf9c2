"""A design in C99: its circuit as a function, or what a custom function unit does."""

from __future__ import annotations

from fxp.format import FormatError
from verilog.c99.function import c_file
from verilog.design.design import Design

__all__ = ["design_c"]


def design_c(design: Design) -> str:
    """Return a file of C99; of a design with a state it is one step of it, of a custom
    function unit its emulation."""
    for name, text in design.texts.items():
        if name.endswith("_emulated.c"):
            return text
    if design.array is not None:
        raise FormatError(f"{design.name} is an array, no function: give --c for its mac-unit")
    doc = ("One step: what the registers, outputs next_*, become. " if design.state else "")
    return c_file(design.name, design.circuit, design.summary, design.settings, doc)
