"""The requantising step alone: sums of 32 bits that the processor has, as words of 8."""

from __future__ import annotations

from collections.abc import Mapping

from fxp.format import Fixed, FormatError
from fxp.spec import rescale
from verilog.design.design import Design
from verilog.units.cfu.commands import command_unit
from verilog.units.cfu.parts import RESCALE, RESCALE_STATE

__all__ = ["rescale_unit"]

DOC = """Two multipliers are set, then each sum becomes a word: times the one of its sign, shifted
right, rounded to nearest, moved by the zero, clamped."""


def rescale_unit(name: str, summary: str, f: Fixed, settings: Mapping[str, str]) -> Design:
    """Return the unit with ports function, inputs_0, inputs_1 and word."""
    if f != Fixed(8, 0):
        raise FormatError(f"fixed-rescale gives words of fixed8.0, got {f}")
    return command_unit(name, summary, DOC, RESCALE, RESCALE_STATE,
                        dict.fromkeys(RESCALE_STATE, 0), settings, rescale)
