"""Custom function units by what they hold: a sum, lanes of sums, a requantiser, both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fxp.format import Fixed, FormatError
from lnsarith.host.files.naming import digested
from verilog.design.cfu import cfu
from verilog.design.design import Design
from verilog.units.cfu.array import array_commands, array_unit, rescaling
from verilog.units.cfu.commands import Command, Operand, command_unit
from verilog.units.cfu.emulations import array_emulation, operator_emulation
from verilog.units.cfu.header import c_header, emulation
from verilog.units.cfu.parts import (
    RESCALE,
    RESCALE_STATE,
    fire,
    mac_commands,
    rescale,
    sum_state,
)
from verilog.units.cfu.rescale import rescale_unit
from verilog.units.macs import Mac, fixed_mac

__all__ = ["CfuUnit", "array_cfu", "inner_name", "int8_array", "int8_unit", "mac_cfu",
           "operator_cfu", "rescale_cfu"]

LONGEST = 40  # letters of a name, before _array_finish and the like
SUM_DOC = """A sum of products behind commands: reset or set it, let it grow, read it. A command is
taken when no answer waits; the answer comes a cycle later and waits until it is taken."""
INT8_DOC = SUM_DOC + """ rescale makes a sum of 32 bits a word of 8: a multiplier, a shift
rounded to nearest, a clamp."""


@dataclass(frozen=True)
class CfuUnit:
    """A unit with the module Cfu around it, its commands, and its names in C."""

    design: Design
    inner: Design
    commands: Sequence[Command]
    prefix: str = "cfu"
    emulated: str = ""  # its emulation in C

    @property
    def whole(self) -> Design:
        """The design with its commands and its C."""
        return replace(self.design, commands=tuple(self.commands), texts=self.c_files)

    @property
    def top(self) -> str:
        """The name of the module with the ports cmd_* and rsp_*."""
        return self.design.modules[-2].name

    @property
    def files(self) -> dict[str, str]:
        """The Verilog of the unit, without the wrapper that test benches drive."""
        wrapper = f"{self.design.modules[-1].name}.v"
        return {k: text for k, text in self.design.files.items() if k != wrapper}

    @property
    def c_files(self) -> dict[str, str]:
        """The header and the emulation."""
        return {f"{self.prefix}.h": c_header(self.inner.name, self.inner.summary, self.commands,
                                             self.prefix),
                f"{self.prefix}_emulated.c": self.emulated}


def _behind(inner: Design, commands: Sequence[Command], called: str | None) -> CfuUnit:
    """Return a machine of commands as a unit."""
    prefix = f"{called}_cfu" if called else "cfu"
    return CfuUnit(cfu(inner, called), inner, commands, prefix,
                   emulation(inner.circuit, inner.state, prefix))


def inner_name(name: str) -> str:
    """Return the name of what stands within Cfu: that of the design, and what it is."""
    short = name if len(name) <= LONGEST else digested(name, name, LONGEST, "_")
    return f"{short}_cmd"


def operator_cfu(design: Design, called: str | None = None) -> Design:
    """Return a pipelined operator as a custom function unit: one command, of any function id."""
    made = cfu(design, called)
    operands = tuple(Operand(name, register, bits, low, "") for name, (register, low, bits) in
                     made.places.items())
    command = Command("compute", design.summary, 0, operands, lambda x, y, s: ({}, 0), "the word")
    prefix = f"{called}_cfu" if called else "cfu"
    return CfuUnit(made, design, [command], prefix,
                   operator_emulation(design, made.places, prefix)).whole


def rescale_cfu(name: str, summary: str, f: Fixed, settings: Mapping[str, str],
                called: str | None = None) -> CfuUnit:
    """Return the requantising step as a unit."""
    inner = rescale_unit(name, summary, f, settings)
    return _behind(inner, RESCALE, called)


def mac_cfu(name: str, summary: str, mac: Mac, settings: Mapping[str, str], lanes: int = 1,
            rescales: bool = False, called: str | None = None, memories: bool = False,
            fires: bool = False) -> CfuUnit:
    """Return a sum of products, with lanes side by side in each operand, as a unit; with
    rescales it requantises too, with fires it compares with a threshold. FormatError for
    lanes that 32 bits do not hold."""
    width = max(mac.bits("a"), mac.bits("b"))
    if lanes * width > 32:
        raise FormatError(f"{lanes} words of {width} bits do not fit into an operand of 32: give "
                          f"at most {32 // width}")
    commands = [*mac_commands(mac, lanes), *(RESCALE if rescales else []),
                *([fire(mac)] if fires else [])]
    state, reset = sum_state(mac)
    if rescales:
        state, reset = {**state, **RESCALE_STATE}, {**reset, **dict.fromkeys(RESCALE_STATE, 0)}
    inner = command_unit(name, summary, INT8_DOC if rescales else SUM_DOC, commands, state, reset,
                         settings, rescale if rescales else mac.spec, memories)
    return _behind(inner, commands, called)


def int8_unit(lanes: int) -> CfuUnit:
    """Return the unit of the labs' 8-bit networks: sums of products of 8-bit words in 32 bits,
    so many at once, and their requantising."""
    mac = fixed_mac(Fixed(8, 0), Fixed(32, 0), "exact", 48, 1 << 14, "nearest-even", "saturate")
    summary = f"sums of 8-bit products, {lanes} a command, requantised"
    return mac_cfu(f"int8_mac_x{lanes}", summary, mac,
                   {"format": "fixed8.0", "lanes": str(lanes)}, lanes, True)


def array_cfu(name: str, summary: str, mac: Mac, rows: int, columns: int,
              settings: Mapping[str, str], rescales: bool = False, called: str | None = None,
              memories: bool = False) -> CfuUnit:
    """Return a weight-stationary array as a unit; with rescales it requantises too."""
    inner = array_unit(name, summary, mac, rows, columns, settings, rescales, memories)
    commands = array_commands(mac, rows, columns, rescales)
    prefix = f"{called}_cfu" if called else "cfu"
    emulated = array_emulation(mac, rows, columns, prefix, rescaling() if rescales else None)
    return CfuUnit(cfu(inner, called), inner, commands, prefix, emulated)


def int8_array() -> CfuUnit:
    """Return the array of the labs' 8-bit networks: 8 x 8, sums of 32 bits, requantised."""
    mac = fixed_mac(Fixed(8, 0), Fixed(32, 0), "exact", 48, 8, "nearest-even", "saturate")
    return array_cfu("int8_array_8x8", "a systolic array of 8 x 8 words of 8 bits", mac, 8, 8,
                     {"format": "fixed8.0", "rows": "8", "columns": "8"}, True)
