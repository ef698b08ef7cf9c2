"""XNOR, popcount and a threshold: a binary neuron, a word of bits a cycle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fxp.format import Fixed
from fxp.operators.xnor import xnor_popcount
from fxp.trace.bits import where
from fxp.trace.circuit import trace
from verilog.design.design import Design, Words
from verilog.design.stimulus import operand_columns
from verilog.emit.header import header
from verilog.emit.lower import width_of
from verilog.emit.module import Port, machine
from verilog.units.mac_unit import group_answers, start_and_last
from verilog.units.macs import xnor_mac

__all__ = ["xnor_unit"]

DOC = """Counts the equal bits of a and b over the words from start to last, at most `depth` of
them. After last, count is their number and fire is 1 if it reaches the threshold given
with the last word: a neuron of +-1 weights and inputs, its batch norm in the threshold."""


def xnor_unit(name: str, summary: str, f: Fixed, depth: int,
              settings: Mapping[str, str]) -> Design:
    """Return the unit; its counts are those of a compiled matrix product."""
    bits = (f.bits * depth).bit_length()
    full = (1 << bits) - 1
    mac = xnor_mac(f, Fixed(32, 0, False), depth)

    def step(start, last, threshold, a, b, total):
        count = (where(start, 0, total) + xnor_popcount(a, b, f)) & full
        return count, count >= threshold, count, last

    inputs = {"start": (0, 1), "last": (0, 1), "threshold": (0, full), "a": f.words,
              "b": f.words}
    circuit = trace(step, {**inputs, "total": (0, full)},
                    outputs=["next_total", "fire", "count", "done"], name=name)
    ports = (*(Port(f"i_{k}", width_of(*span), meaning=str(f) if k in "ab" else "")
               for k, span in inputs.items()),
             Port("o_fire", 1, True), Port("o_count", bits, True, f"ufixed{bits}.0"))
    text = header(name, summary, DOC, settings, None, circuit, xnor_popcount)
    module = machine(name, text, circuit, ports, {"total": 0})

    def model(words: Words) -> Words:
        counts = group_answers({**words, "init": 0 * words["a"]}, mac)
        return {"fire": (counts >= words["threshold"][words["last"] == 1]).astype(int),
                "count": counts}

    def stimulus(count: int, seed: int) -> Words:
        words = {**operand_columns({**inputs, "threshold": (0, min(full, 12 * f.bits))}, count,
                                   seed), **start_and_last(count, seed, min(depth, 24))}
        counts = group_answers({**words, "init": 0 * words["a"]}, mac)
        near = np.random.default_rng(seed + 4).integers(-1, 1, counts.size, endpoint=True)
        # At every other answer the threshold is the count, or one beside it.
        last = np.flatnonzero(words["last"])[::2]
        words["threshold"][last] = np.clip(counts + near, 0, full)[::2]
        return words

    return Design(name, summary, (module,), inputs, {"fire": (0, 1), "count": (0, full)}, model,
                  stimulus, circuit, settings, clocked=True, latency=None, state={"total": 0})
