"""Flipped bits in the tables of an arithmetic: of its LNS sums, and of its soft-max.

Each bit of each word of a table flips once, with the rate, before a network is computed, and stays
so: one table serves all sums of its register. A word has the bits that the range of its table
takes, as in Verilog. Fixed point has tables in its soft-max alone, so none when it only answers.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fxp.trace.bits import Table, Traced
from fxp.trace.circuit import Circuit, evaluate, trace
from lnsarith.delta.method import Delta
from nets.experiments.studies.flips import flip_bits

__all__ = ["Flipped", "flip_table", "flip_tables", "with_tables"]

SIGN = (-1, 0)
Change = Callable[[Table], Table]


def flip_tables(ar, rate: float, seed: int) -> None:
    """Flip bits of the tables of an arithmetic that has computed nothing yet: those that LNS sums
    take, and those of the soft-max."""
    if hasattr(ar, "delta"):
        ar.delta = Flipped(ar.delta, rate, seed)
        ar.norm_delta = Flipped(ar.norm_delta, rate, seed)
    unit = ar.softmax_unit
    sound = unit.circuits
    unit.circuits = lambda classes: {
        name: _retraced(circuit, lambda t: flip_table(t, rate, seed))
        for name, circuit in sound(classes).items()}


def flip_table(table: Table, rate: float, seed: int) -> Table:
    """Return a table with each bit flipped with the rate; the same seed and table, the same."""
    low, high = min(table.values), max(table.values)
    signed = low < 0
    bits = max(high.bit_length(), (~low).bit_length() if signed else 1) + signed
    told = zlib.crc32(repr((table.name, table.values)).encode())
    found = flip_bits(table.array, bits, rate, np.random.default_rng([seed, told]))
    if signed:
        found -= (found >> (bits - 1)) << bits
    return Table(table.name, found)


@dataclass(frozen=True)
class Flipped(Delta):
    """A Delta method whose tables have flipped bits; one without tables is what it was."""

    name = "flipped"
    method: Delta
    rate: float
    seed: int

    def __str__(self) -> str:
        return f"{self.method} with bits flipped at {self.rate:g}"

    def at(self, frac, cancel):
        spec = self.method.at(frac, cancel)

        def delta(gap, opposite):
            given = {"gap": gap, "opposite": opposite}
            circuit = trace(spec, {"gap": _range(gap), "opposite": SIGN})
            return evaluate(with_tables(circuit, self._flipped), **given)

        return delta

    def _flipped(self, table: Table) -> Table:
        return flip_table(table, self.rate, self.seed)


def with_tables(circuit: Circuit, change: Change) -> Circuit:
    """Return a circuit with other tables, to be evaluated: its ranges are those of before."""
    nodes = tuple(n if n.table is None else dataclasses.replace(n, table=change(n.table))
                  for n in circuit.nodes)
    return dataclasses.replace(circuit, nodes=nodes)


def _retraced(circuit: Circuit, change: Change) -> Circuit:
    """Return a circuit with other tables, and the ranges that follow from them."""
    if not circuit.tables:
        return circuit
    changed = with_tables(circuit, change)
    ports = {name: (node.low, node.high) for name, node in circuit.inputs.items()}
    return trace(lambda **values: evaluate(changed, **values), ports,
                 outputs=list(circuit.outputs), name=circuit.name)


def _range(value: Any) -> tuple[int, int]:
    return value.range if isinstance(value, Traced) else (int(np.min(value)), int(np.max(value)))
