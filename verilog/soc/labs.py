"""The labs: which unit, which firmware, and how the weights lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from lnsarith.delta.methods import parse
from lnsarith.lns.format import Lns
from verilog.soc.network import LabLayer, padded_rows, tiles
from verilog.soc.words import WordArithmetic
from verilog.units.cfu.units import CfuUnit, int8_array, int8_unit, mac_cfu
from verilog.units.macs import lns_mac

__all__ = ["LABS", "NOTHING", "Lab", "suits", "word_unit"]

# In the place of a unit where the firmware uses none: it takes and answers everything.
NOTHING = """module Cfu (
    input wire cmd_valid, output wire cmd_ready, input wire [9:0] cmd_payload_function_id,
    input wire [31:0] cmd_payload_inputs_0, input wire [31:0] cmd_payload_inputs_1,
    output wire rsp_valid, input wire rsp_ready, output wire [31:0] rsp_payload_outputs_0,
    input wire reset, input wire clk);
  assign cmd_ready = rsp_ready;
  assign rsp_valid = cmd_valid;
  assign rsp_payload_outputs_0 = 32'd0;
endmodule
"""


@dataclass(frozen=True)
class Lab:
    """A lab: the C that runs a layer, the unit that serves it, and the order of weights."""

    number: int
    title: str
    source: str
    unit: Callable[[], CfuUnit] | None
    layout: Callable[[LabLayer], np.ndarray] = padded_rows
    defines: Mapping[str, str] = field(default_factory=dict)


LABS = {lab.number: lab for lab in (
    Lab(0, "plain C, no unit", "lab0.c", None),
    Lab(1, "a unit that multiplies, accumulates and requantises", "lab1.c", lambda: int8_unit(1)),
    Lab(2, "four products an instruction", "lab2.c", lambda: int8_unit(4),
        lambda layer: padded_rows(layer, 4)),
    Lab(3, "a systolic array with one set of weights", "lab3.c", int8_array, tiles),
    Lab(4, "the same, the next weights loaded behind those at work", "lab3.c", int8_array, tiles,
        {"DOUBLE": "1"}),
    Lab(5, "sums of other products: logarithms, min-selectors", "lab5.c", lambda: example()),
)}
ALWAYS, OTHERS = 0, 5  # the lab of every network, and that of words which are no integers


def suits(lab: Lab, kind: str) -> bool:
    """Whether a lab runs networks of a kind: int8, or another arithmetic's name."""
    return lab.number == ALWAYS or (lab.number == OTHERS) == (kind != "int8")


def word_unit(arithmetic: WordArithmetic) -> CfuUnit:
    """Return the unit that has the sums of an arithmetic."""
    mac = arithmetic.mac
    return mac_cfu("sum_of_products", f"sums of products of {mac.a}", mac,
                   {"format": str(mac.a)})


def example() -> CfuUnit:
    """Return the unit of logarithms of 12 bits, which shows what commands there are."""
    mac = lns_mac(Lns.parse("lns12"), parse("lut"), 0, "zero")
    return mac_cfu("sum_of_products", "sums of products of lns12", mac, {"format": "lns12.6"})

