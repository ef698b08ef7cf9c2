"""What sequencers have in common: how they are told, and indices that count.

Each is a function of registers and inputs that returns what the registers become, and its
outputs; ranges of registers and inputs stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fxp.trace.bits import Table, lookup, where
from fxp.trace.circuit import Circuit
from verilog.core.parts.controller import Controller, controller

__all__ = ["BIT", "Sequencer", "below", "counted", "joined", "of_layer", "times", "up", "within"]

BIT = (0, 1)


@dataclass(frozen=True)
class Sequencer:
    """A sequencer before it is traced."""

    name: str
    summary: str
    function: Callable
    state: Mapping[str, tuple[int, int]]
    inputs: Mapping[str, tuple[int, int]]
    outputs: tuple[str, ...]

    def made(self, prefix: str, circuit: Circuit | None = None) -> Controller:
        """Return the sequencer as a module prefix_name; circuit stands in for its own."""
        return controller(f"{prefix}_{self.name}", self.summary, self.function, self.state,
                          self.inputs, self.outputs, circuit=circuit)


def counted(value, last: int, go=1):
    """Return value + 1, or 0 behind last, where go is 1."""
    return where(go, where(value == last, 0, up(value, last)), value)


def up(value, last: int):
    """Return value + 1, as wide as an index up to last."""
    return within(value + 1, last)


def within(value, last: int):
    """Return a value that is at most last, as wide as that."""
    return value & below(last + 1)[1]


def below(count: int) -> tuple[int, int]:
    """Return the range of the registers that hold an index: all of their bits."""
    return 0, (1 << (count - 1).bit_length()) - 1


def joined(word, part, bit, wide: int):
    """Return a word with a bit put into place `part`, the first into an empty word."""
    for k in range((wide - 1).bit_length()):
        bit = where((part >> k) & 1, bit << (1 << k), bit)
    return (where(part == 0, 0, word) | bit) & ((1 << wide) - 1)


def times(value, count: int):
    """Return value * count as sums of shifts: a multiplier would be put into a DSP block."""
    parts = [value << k for k in range(count.bit_length()) if count >> k & 1]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def of_layer(name: str, values, layer):
    """Return a constant of the layer."""
    missing = below(len(values))[1] + 1 - len(values)
    return lookup(Table(name, [*values, *[0] * missing]), layer)
