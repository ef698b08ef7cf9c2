"""Numbers as bits in memories: the fields of a number side by side, the first lowest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fxp.trace.circuit import Circuit
from verilog.emit import syntax as v
from verilog.emit.body import Body
from verilog.emit.lower import width_of

__all__ = ["Word", "word_of"]


@dataclass(frozen=True)
class Word:
    """Fields with their ranges; one that is always negative is kept without its sign bit."""

    fields: tuple[tuple[str, int, int], ...]

    @property
    def bits(self) -> int:
        """The bits of all fields."""
        return sum(self.kept(low, high) for _, low, high in self.fields)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self.fields)

    @staticmethod
    def kept(low: int, high: int) -> int:
        """Return the bits that a field takes in a word."""
        return max(1, width_of(low, high) - (high < 0))

    def patterns(self, fields: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the words (int64) of arrays of every field, by name."""
        total, at = np.zeros(np.shape(fields[self.names[0]]), np.int64), 0
        for name, low, high in self.fields:
            bits = self.kept(low, high)
            total |= (np.asarray(fields[name], np.int64) & ((1 << bits) - 1)) << at
            at += bits
        return total

    def rows(self, fields: Mapping[str, np.ndarray]) -> tuple[int, ...]:
        """Return the words of arrays of every field, by name, however wide they are."""
        found, at = [0] * len(fields[self.names[0]]), 0
        for name, low, high in self.fields:
            bits = self.kept(low, high)
            mask = (1 << bits) - 1
            found = [word | (int(x) & mask) << at for word, x in zip(found, fields[name])]
            at += bits
        return tuple(found)

    def parts(self, body: Body, vector: str, at: int = 0) -> dict[str, object]:
        """Return every field's expression, as wide as its range, in a vector from bit at."""
        found = {}
        for name, low, high in self.fields:
            bits = self.kept(low, high)
            part = body.read(vector, at + bits - 1, at)
            missing = width_of(low, high) - bits
            found[name] = v.concat(v.constant(1, 1), part) if missing else part
            at += bits
        return found

    def joined(self, body: Body, values: Mapping[str, str]):
        """Return the word of wires that hold the fields, by name."""
        parts = [body.read(values[name], self.kept(low, high) - 1)
                 for name, low, high in self.fields]
        return v.concat(*reversed(parts)) if len(parts) > 1 else parts[0]


def word_of(circuit: Circuit, names, outputs: bool = False) -> Word:
    """Return the word of some of a circuit's ports."""
    nodes = circuit.outputs if outputs else circuit.inputs
    return Word(tuple((n, nodes[n].low, nodes[n].high) for n in names))
