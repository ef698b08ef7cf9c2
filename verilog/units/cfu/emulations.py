"""Emulations in C of units that are no machine of one circuit: operators, arrays."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from fxp.trace.circuit import Circuit
from verilog.c99.function import c_function
from verilog.c99.values import type_of
from verilog.design.design import Design
from verilog.units.cfu.array_text import PLACES, column_bits
from verilog.units.cfu.sums import sum_functions
from verilog.units.macs import Mac

__all__ = ["array_emulation", "operator_emulation"]

KINDS = {"word": "int64_t", "score": "int64_t"}
LICENCE = "/* SPDX-License-Identifier: MIT */\n"


def _field(register: int, low: int, bits: int, signed: bool) -> str:
    """Return the number that some bits of an input register hold."""
    if signed:
        return f"(int32_t)(inputs_{register} << {32 - low - bits}) >> {32 - bits}"
    mask = "" if low + bits == 32 else f" & {(1 << bits) - 1}u"
    return f"(inputs_{register} >> {low}){mask}"


def operator_emulation(design: Design, places: Mapping[str, tuple[int, int, int]],
                       prefix: str) -> str:
    """Return a file of C99 that answers as an operator does, its operands at these places."""
    inputs = design.circuit.inputs
    given = ",\n        ".join(
        f"({type_of(inputs[name])})({_field(register, low, bits, inputs[name].low < 0)})"
        for name, (register, low, bits) in places.items())
    return f"""{LICENCE}/* A custom function unit in C: what it answers. */

#include <stdint.h>

uint32_t {prefix}_emulated(uint32_t function, uint32_t inputs_0, uint32_t inputs_1);

{c_function(f"{prefix}_word", design.circuit, "static")}
uint32_t {prefix}_emulated(uint32_t function, uint32_t inputs_0, uint32_t inputs_1)
{{
    (void)function, (void)inputs_0, (void)inputs_1;
    return (uint32_t){prefix}_word(
        {given});
}}
"""


def array_emulation(mac: Mac, rows: int, columns: int, prefix: str,
                    rescaling: Circuit | None = None) -> str:
    """Return a file of C99 that does what an array behind commands does; rescaling is the
    circuit of one that requantises."""
    out = mac.out.bits
    signed = mac.out.words[0] < 0
    fields = {
        "prefix": prefix, "rows": rows, "columns": columns, "places": PLACES,
        "column_mask": (1 << column_bits(columns)) - 1, "nothing": mac.zero_word,
        "sums": sum_functions(mac, "static"), "out": _field(0, 0, out, signed),
        "a": _lane(mac.a), "b": _lane(mac.b),
        "rescale": c_function("rescaled", rescaling, "static", KINDS) if rescaling else "",
        "cases": RESCALES if rescaling else ""}
    return LICENCE + Template(ARRAY).substitute(fields)


def _lane(f) -> str:
    """Return the k-th of words side by side in two registers, as an expression over `held`."""
    each = 32 // f.bits
    place = f"held[k / {each}] << (32 - {f.bits} - k % {each} * {f.bits})"
    kind = "int32_t" if f.words[0] < 0 else "uint32_t"
    return f"(int32_t)(({kind})({place}) >> {32 - f.bits})"


RESCALES = """    case 8:
        positive = (int32_t)(inputs_0 & 0x7fffffffu);
        negative = (int32_t)(inputs_1 & 0x7fffffffu);
        break;
    case 9:
    case 10:
        rescaled((int64_t)(uint32_t)sums[at][column], positive, negative, inputs_1, &word, &score);
        return (uint32_t)(function == 9 ? word : score);
"""
ARRAY = """/* A systolic array behind commands in C: what it answers, and what it keeps. */

#include <stdint.h>

#define ROWS $rows
#define COLUMNS $columns

uint32_t ${prefix}_emulated(uint32_t function, uint32_t inputs_0, uint32_t inputs_1);

$sums
$rescale
uint32_t ${prefix}_emulated(uint32_t function, uint32_t inputs_0, uint32_t inputs_1)
{
    static int32_t shadow[ROWS][COLUMNS], active[ROWS][COLUMNS];
    static int32_t sums[$places][COLUMNS], biases[COLUMNS];
    static int32_t positive, negative;
    static int32_t begun, place, first = 1;
    const uint32_t held[2] = {inputs_0, inputs_1};
    const uint32_t at = inputs_0 % $places, wide = inputs_0 >> 8 & $column_mask;
    const uint32_t column = wide < COLUMNS ? wide : 0;
    int64_t word = 0, score = 0;
    int k, c;
    SUM_DECLARED;

    (void)positive, (void)negative, (void)word, (void)score;
    for (; begun < ROWS; begun++)
        for (c = 0; c < COLUMNS; c++) shadow[begun][c] = active[begun][c] = $nothing;
    switch (function) {
    case 0:
        for (k = ROWS - 1; k > 0; k--)
            for (c = 0; c < COLUMNS; c++) shadow[k][c] = shadow[k - 1][c];
        for (k = 0; k < COLUMNS; k++) shadow[0][k] = $b;
        break;
    case 1:
        for (k = 0; k < ROWS; k++)
            for (c = 0; c < COLUMNS; c++) active[k][c] = shadow[k][c];
        break;
    case 2:
        place = (int32_t)at;
        first = (int32_t)(inputs_1 & 1);
        break;
    case 3:
        for (c = 0; c < COLUMNS; c++) {
            sum_start(first ? biases[c] : sums[place][c], SUM_REGISTERS);
            for (k = 0; k < ROWS; k++) sum_step(SUM_STATE, $a, active[k][c], SUM_REGISTERS);
            sums[place][c] = (int32_t)sum_finish(SUM_STATE);
        }
        place = (place + 1) % $places;
        break;
    case 4:
        return (uint32_t)sums[at][column];
    case 5:
        if ((inputs_1 & $column_mask) < COLUMNS)
            biases[inputs_1 & $column_mask] = (int32_t)($out);
        break;
$cases    default:
        break;
    }
    return 0;
}
"""
