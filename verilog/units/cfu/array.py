"""A weight-stationary systolic array behind commands: load, swap, begin, stream, read.

The array is that of `verilog.units.systolic`, unchanged. Around it stand the sums of up to 128
places, a row of words for the columns each, and the commands. A place that is streamed again
goes on with its sum, so that a row of weights may be longer than the array has rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fxp.format import FormatError
from fxp.spec import rescale
from fxp.trace.bits import clamp, maximum, minimum
from fxp.trace.circuit import Circuit, trace
from verilog.design.design import Design, Words
from verilog.emit.header import header
from verilog.emit.module import CLOCK, VALID_IN, VALID_OUT, Module, Port, combinational
from verilog.units.cfu.array_text import PLACES, array_text, column_bits
from verilog.units.cfu.commands import ANY, INPUTS, Command, Operand, packed, word_of
from verilog.units.cfu.parts import RESCALE_STATE
from verilog.units.macs import Mac
from verilog.units.systolic import weight_stationary

__all__ = ["array_commands", "array_unit", "rescaling"]

WORD = (1 << 32) - 1
PORTS = (*CLOCK, *VALID_IN, Port("i_function", 10, meaning="{funct7, funct3}"),
         Port("i_inputs_0", 32), Port("i_inputs_1", 32), *VALID_OUT, Port("o_word", 32, True))
DOC = "Commands around a systolic array; sums of places are kept inside."


def array_commands(mac: Mac, rows: int, columns: int, rescales: bool) -> list[Command]:
    """Return the commands; what they do is in the module, not in apply."""

    def nothing(x, y, state):
        return {}, 0

    def halves(what: str, f, count: int) -> tuple[Operand, ...]:
        each = 32 // f.bits
        told = [f"{what} {first}..{min(first + each, count) - 1}, {f}, the first lowest"
                for first in range(0, count, each)]
        return tuple(Operand(name, r, 32, 0, text) for r, (name, text) in
                     enumerate(zip(("low", "high"), told)))

    place = (Operand("place", 0, 7), Operand("column", 0, column_bits(columns), 8))
    found = [
        Command("load", "a row of weights moves in, behind those at work; the last row first", 0,
                halves("columns", mac.b, columns), nothing),
        Command("swap", "the weights that were loaded go to work", 1, (), nothing),
        Command("begin", "the next words are for places from this one on; with first, sums "
                "start at the biases", 2, (Operand("place", 0, 7), Operand("first", 1, 1)),
                nothing),
        Command("stream", "a word for each row; the sums of the next place grow", 3,
                halves("rows", mac.a, rows), nothing),
        Command("read", "the sum of a place and a column", 4, place, nothing, str(mac.out)),
        Command("bias", "what the sums of a column start at", 5,
                (Operand("word", 0, mac.out.bits, 0, str(mac.out)),
                 Operand("column", 1, place[1].bits)), nothing),
        Command("wait", "answers once no word is on its way through the array", 6, (), nothing),
    ]
    if rescales:
        ends = (Operand("shift", 1, 6, 0, "0..61, the scale's exponent less one"),
                Operand("zero", 1, 8, 8, "two's complement"),
                Operand("low", 1, 8, 16, "the same"), Operand("high", 1, 8, 24, "the same"))
        found += [
            Command("scale", "the multipliers of sums from zero on and of negative ones", 0,
                    (Operand("positive", 0, 31), Operand("negative", 1, 31)), nothing, "", 1),
            Command("rescale", "clamp(zero + (sum m + 2^shift >> shift + 1), low, high) of a "
                    "place and a column", 1, (*place, *ends), nothing,
                    "a word of 8 bits, two's complement", 1),
            Command("score", "the same with zero 0, clamped to 16 bits", 2, (*place, ends[0]),
                    nothing, "a word of 16 bits, two's complement", 1)]
    return found


def array_unit(name: str, summary: str, mac: Mac, rows: int, columns: int,
               settings: Mapping[str, str], rescales: bool = False, memories: bool = False
               ) -> Design:
    """Return the array with ports function, inputs_0, inputs_1 and word; FormatError for one
    whose rows of words do not fit into two operands."""
    for what, f, count in (("rows", mac.a, rows), ("columns", mac.b, columns)):
        if count > 2 * (32 // f.bits):
            raise FormatError(f"{count} {what} of words of {f.bits} bits do not fit into two "
                              f"operands of 32: give at most {2 * (32 // f.bits)}")
    array = weight_stationary(f"{name}_array", summary, mac, rows, columns, settings, memories)
    text = header(name, summary, DOC, settings, None, array.circuit, mac.spec)
    extra = [_rescaler(name)] if rescales else []
    top = Module(name, PORTS, text + array_text(name, mac, rows, columns, rescales))

    def model(words: Words) -> Words:
        return {"word": _Model(mac, rows, columns, rescales).run(words)}

    def stimulus(count: int, seed: int) -> Words:
        return _stimulus(mac, rows, columns, rescales, count, seed)

    return Design(name, summary, (*array.modules, *extra, top), INPUTS, {"word": ANY}, model,
                  stimulus, array.circuit, settings, clocked=True, latency=None,
                  array=array.array)


def _rescaler(name: str) -> Module:
    """Return the module that makes a sum a word of 8 bits and one of 16."""
    circuit = rescaling()
    ports = (Port("i_total", 32), Port("i_positive", 31), Port("i_negative", 31),
             Port("i_ends", 32), Port("o_word", 32, True), Port("o_score", 32, True))
    text = header(f"{name}_rescale", "a sum as a word", rescale.__doc__ or "", {}, 0, circuit,
                  rescale)
    return combinational(f"{name}_rescale", text, circuit, ports)


def rescaling() -> Circuit:
    """Return the circuit of a sum as a word of 8 bits and as one of 16."""

    def spec(total, positive, negative, ends):
        scaled = rescale(word_of(total, -(1 << 31), (1 << 31) - 1), positive, negative,
                         packed(ends, 0, 6))
        zero, low, high = (packed(ends, at, 8, True) for at in (8, 16, 24))
        word = minimum(maximum(scaled + zero, low), high)
        return word & WORD, clamp(scaled, -(1 << 15), (1 << 15) - 1) & WORD

    return trace(spec, {"total": ANY, **RESCALE_STATE, "ends": ANY}, outputs=("word", "score"),
                 name="rescale")


class _Model:
    """The unit by the engine's own matrix product."""

    def __init__(self, mac: Mac, rows: int, columns: int, rescales: bool):
        self.mac, self.rows, self.columns, self.rescales = mac, rows, columns, rescales
        self.shadow = np.full((rows, columns), mac.zero_word, np.int64)
        self.active = self.shadow
        self.sums = np.zeros((PLACES, columns), np.int64)
        self.biases = np.zeros(columns, np.int64)
        self.place, self.first = 0, 1
        self.scales = (0, 0)

    def run(self, words: Words) -> np.ndarray:
        rows = zip(*(words[k].tolist() for k in INPUTS))
        return np.array([self._command(*row) & WORD for row in rows], np.int64)

    def _command(self, function: int, x: int, y: int) -> int:
        mac, place = self.mac, x & (PLACES - 1)
        wide = column_bits(self.columns)
        column = (x >> 8) & ((1 << wide) - 1)
        column = column if column < self.columns else 0
        if function == 0:
            row = _unpacked(x, y, mac.b, self.columns)
            self.shadow = np.vstack([row[None, :], self.shadow[:-1]])
        elif function == 1:
            self.active = self.shadow
        elif function == 2:
            self.place, self.first = place, y & 1
        elif function == 3:
            init = self.biases if self.first else self.sums[self.place]
            a = _unpacked(x, y, mac.a, self.rows)
            self.sums[self.place] = mac.multiply(a[None, :], self.active, init[None, :])[0]
            self.place = (self.place + 1) % PLACES
        elif function == 4:
            return int(self.sums[place, column])
        elif function == 5 and (y & ((1 << wide) - 1)) < self.columns:
            self.biases[y & ((1 << wide) - 1)] = word_of(x, *mac.out.words)
        elif self.rescales and function == 8:
            self.scales = packed(x, 0, 31), packed(y, 0, 31)
        elif self.rescales and function in (9, 10):
            scaled = rescale(int(self.sums[place, column]), *self.scales, packed(y, 0, 6))
            if function == 10:
                return clamp(scaled, -(1 << 15), (1 << 15) - 1)
            zero, low, high = (packed(y, at, 8, True) for at in (8, 16, 24))
            return min(max(scaled + zero, low), high)
        return 0


def _unpacked(x: int, y: int, f, count: int) -> np.ndarray:
    each = 32 // f.bits
    return np.array([word_of((x, y)[k // each] >> k % each * f.bits, *f.words)
                     for k in range(count)], np.int64)


def _stimulus(mac: Mac, rows: int, columns: int, rescales: bool, count: int, seed: int) -> Words:
    """Return commands as a program gives them: all set up, then streams, loads, reads."""
    rng = np.random.default_rng(seed + 6)
    setup = [(5, int(w), c) for c, w in enumerate(rng.integers(-99, 99, columns))]
    setup += [(2, 0, 1), *((3, 0, 0) for _ in range(4)), (2, 0, 0)]  # only these are read
    codes = [0] * 6 + [1, 2] + [3] * 6 + [4] * 3 + [5, 6, 7] + ([8, 9, 9, 10] if rescales else [])
    found = np.zeros((count, 3), np.int64)
    found[:, 0] = rng.choice(codes, count)
    found[:, 1:] = rng.integers(0, 1 << 32, (count, 2))
    places = rng.integers(0, 4, count) | rng.integers(0, columns, count) << 8
    near = np.isin(found[:, 0], (2, 4, 9, 10))
    found[near, 1] = places[near]
    small = rng.random(count) < 0.3
    found[small, 1:] &= 0x07070707
    head = setup[:count]
    found[: len(head)] = head
    return {k: found[:, i] & (WORD if i else 1023) for i, k in enumerate(INPUTS)}

