"""Systolic arrays of rows x columns processing elements over any `Mac`.

Output-stationary: sums stay, operands a move right and b down; a tile of `last`
gives rows x columns words, a row at a time. Weight-stationary: weights stay (the
next ones load behind them), operands move right and sums down; each operand row
gives a word a column. Operands enter skewed by registers inside, so that whoever
drives an array gives whole rows and takes whole rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fxp.format import FormatError, check_integer
from verilog.design.design import Array, Design, Words
from verilog.design.stimulus import operand_columns
from verilog.emit.header import header
from verilog.emit.lower import width_of
from verilog.emit.module import CLOCK, VALID_IN, VALID_OUT, Port, finished, module_body
from verilog.units.array_wiring import wire_output_array, wire_weight_array
from verilog.units.elements import (
    output_element,
    output_step,
    sum_ends,
    weight_element,
    weight_step,
)
from verilog.units.mac_unit import held_at_ends, start_and_last
from verilog.units.macs import Mac

__all__ = ["LARGEST", "output_stationary", "weight_stationary"]

LARGEST = 128  # rows, columns
MOST_ELEMENTS = 4096

OUTPUT_DOC = """Takes, a cycle, one word a for each row and one word b for each column:
column k of A and row k of B. start begins the sums of a tile, last ends them; then the
array gives the rows of A x B, the first row first, a word for each column. Lasts closer
together than the longer side of the array wait."""

WEIGHT_DOC = """Takes, a cycle, up to three things. With load, one row of weights w: rows
shift down, so the last row is loaded first. With swap, the weights loaded by earlier
words become the active ones. With go, one word a for each row (they meet the active
weights) and the words init at which the sums of the columns begin; the answer has a word
for each column."""


def output_stationary(name: str, summary: str, mac: Mac, rows: int, columns: int,
                      settings: Mapping[str, str], memories: bool = False) -> Design:
    """Return the array whose sums stay; its answers are those of the engine's kernel."""
    _check_size(rows, columns)
    circuit = output_step(name, mac)
    pe = output_element(f"{name}_pe", circuit, mac, memories)
    flags = (Port("i_start", 1), Port("i_last", 1))
    a, b, out = _bus("i_a", mac.a, rows), _bus("i_b", mac.b, columns), _bus(
        "o_out", mac.out, columns)
    ports = (*CLOCK, *VALID_IN, *flags, a, b, *VALID_OUT, out)
    body = module_body(ports)
    wire_output_array(body, pe, mac, rows, columns)
    text = header(name, summary, OUTPUT_DOC, settings, None, circuit, mac.spec)
    inputs = {"start": (0, 1), "last": (0, 1), "a": mac.a.words, "b": mac.b.words}
    lanes = {"a": (rows, mac.bits("a")), "b": (columns, mac.bits("b")),
             "out": (columns, mac.bits("out"))}

    def stimulus(count: int, seed: int) -> Words:
        words = {**start_and_last(count, seed), **_rows_of(inputs, lanes, ("a", "b"), count, seed)}
        return held_at_ends(words, {k: inputs[k] for k in ("a", "b")}, seed)

    return Design(name, summary, (pe, finished(name, text, ports, body, {})), inputs,
                  {"out": mac.out.words}, lambda words: _tiles(words, mac), stimulus, circuit,
                  settings, clocked=True, latency=None, lanes=lanes,
                  array=Array(rows, columns, False, dict(zip(mac.state, mac.zero))))


def weight_stationary(name: str, summary: str, mac: Mac, rows: int, columns: int,
                      settings: Mapping[str, str], memories: bool = False) -> Design:
    """Return the array whose weights stay; its answers are those of the engine's kernel."""
    _check_size(rows, columns)
    circuit = weight_step(name, mac)
    pe = weight_element(f"{name}_pe", circuit, mac, memories)
    begin, end, ends = sum_ends(name, mac, memories)
    flags = (Port("i_load", 1), Port("i_swap", 1), Port("i_go", 1))
    data = (_bus("i_a", mac.a, rows), _bus("i_w", mac.b, columns),
            _bus("i_init", mac.out, columns))
    ports = (*CLOCK, *VALID_IN, *flags, *data, *VALID_OUT, _bus("o_out", mac.out, columns))
    body = module_body(ports)
    wire_weight_array(body, pe, begin, end, mac, rows, columns)
    text = header(name, summary, WEIGHT_DOC, settings, None, circuit, mac.spec)
    inputs = {"load": (0, 1), "swap": (0, 1), "go": (0, 1), "a": mac.a.words,
              "w": mac.b.words, "init": mac.out.words}
    lanes = {"a": (rows, mac.bits("a")), **{k: (columns, width_of(*f.words)) for k, f in (
        ("w", mac.b), ("init", mac.out), ("out", mac.out))}}

    def stimulus(count: int, seed: int) -> Words:
        rng = np.random.default_rng(seed + 2)
        chances = {"load": 0.5, "swap": 0.15, "go": 0.8}
        chosen = {k: (rng.random(count) < p).astype(np.int64) for k, p in chances.items()}
        # After a reset both sets of weights are zero, before any is loaded.
        for k, first in (("load", [0, 0]), ("swap", [0, 1]), ("go", [1, 1])):
            chosen[k][:2] = first[:count]
        return {**chosen, **_rows_of(inputs, lanes, ("a", "w", "init"), count, seed)}

    return Design(name, summary, (begin, end, pe, finished(name, text, ports, body, {})), inputs,
                  {"out": mac.out.words}, lambda words: _products(words, mac, rows, columns),
                  stimulus, circuit, settings, clocked=True, latency=None, lanes=lanes,
                  array=Array(rows, columns, True,
                              dict.fromkeys(("shadow", "active"), mac.zero_word), ends))


def _bus(name: str, f, count: int) -> Port:
    return Port(name, width_of(*f.words) * count, name.startswith("o_"), f"{count} words {f}")


def _check_size(rows: int, columns: int):
    check_integer("rows", rows, 1, LARGEST)
    check_integer("columns", columns, 1, LARGEST)
    if rows * columns > MOST_ELEMENTS:
        raise FormatError(f"an array has at most {MOST_ELEMENTS} elements, got {rows} rows of "
                          f"{columns}")


def _rows_of(inputs, lanes, ports, count: int, seed: int) -> Words:
    columns = operand_columns({f"{p}_{k}": inputs[p] for p in ports for k in range(lanes[p][0])},
                              count, seed)
    return {p: np.stack([columns[f"{p}_{k}"] for k in range(lanes[p][0])], axis=1)
            for p in ports}


def _tiles(words: Words, mac: Mac) -> Words:
    """Return the rows of A x B for each `last`, sums since the `start`."""
    starts = np.maximum.accumulate(np.where(words["start"], np.arange(words["start"].size), 0))
    answers = [np.zeros((0, words["b"].shape[1]), np.int64)]
    for end in np.flatnonzero(words["last"]):
        part = slice(starts[end], end + 1)
        answers.append(mac.multiply(words["a"][part].T, words["b"][part],
                                    np.array([[mac.zero_word]])))
    return {"out": np.concatenate(answers)}


def _products(words: Words, mac: Mac, rows: int, columns: int) -> Words:
    """Return init + a x weights for each word with `go`."""
    shadow = np.full((rows, columns), mac.zero_word, np.int64)
    active, answers = shadow, []
    went: list[int] = []

    def flush():
        if went:
            answers.append(mac.multiply(words["a"][went], active, words["init"][went]))
            went.clear()

    for i in range(len(words["go"])):
        if words["swap"][i]:
            flush()
            active = shadow
        if words["go"][i]:
            went.append(i)
        if words["load"][i]:
            shadow = np.vstack([words["w"][i][None, :], shadow[:-1]])
    flush()
    return {"out": np.concatenate(answers or [np.zeros((0, columns), np.int64)])}
