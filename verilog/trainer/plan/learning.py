"""What a trainer computes, as data: sizes, formats and the circuits of each step.

The circuits are those of the engine's plans, handed over by whoever knows both. A number
has one or two fields; a plan's port of operand x is x_<field>, or x where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fxp.trace.circuit import Circuit
from verilog.emit.lower import width_of

__all__ = ["Learning", "Number", "Salts", "Sum", "Wire"]

Range = tuple[int, int]


@dataclass(frozen=True)
class Wire:
    """A wire that holds an integer of a range."""

    name: str
    low: int
    high: int

    def fitted(self, bits: int) -> str:
        """Return the integer in so many bits, which hold what it is."""
        own = width_of(self.low, self.high)
        if own == bits:
            return self.name
        if own > bits:
            return f"{self.name}[{bits - 1}:0]" if bits > 1 else f"{self.name}[0]"
        top = f"{self.name}[{own - 1}]" if own > 1 else self.name
        fill = f"{{{bits - own}{{{top}}}}}" if self.low < 0 else f"{bits - own}'d0"
        return f"{{{fill}, {self.name}}}"


@dataclass(frozen=True)
class Number:
    """The fields of a number in a memory, the first in the lowest bits.

    A field that is always negative and never above -1 keeps its bits below the sign.
    """

    fields: Mapping[str, Range]

    @property
    def width(self) -> int:
        return sum(self.bits(name) for name in self.fields)

    def bits(self, name: str) -> int:
        """Return the bits that are kept of a field."""
        low, high = self.fields[name]
        return width_of(low, high) - self._fixed(name)

    def _fixed(self, name: str) -> bool:
        low, high = self.fields[name]
        return high < 0 and width_of(low, high) > 1

    def port(self, prefix: str, name: str) -> str:
        """Return the name of a field of an operand in a plan."""
        return prefix if name == "" else f"{prefix}_{name}" if prefix else name

    def ports(self, prefix: str) -> dict[str, Range]:
        """Return the ports of an operand and their ranges."""
        return {self.port(prefix, n): span for n, span in self.fields.items()}

    def opened(self, prefix: str, vector: str, low: int = 0) -> dict[str, str]:
        """Return what the ports of an operand are of a kept vector that starts at bit low."""
        parts, at = {}, low
        for name in self.fields:
            bits = self.bits(name)
            part = f"{vector}[{at + bits - 1}:{at}]" if bits > 1 else f"{vector}[{at}]"
            parts[self.port(prefix, name)] = f"{{1'b1, {part}}}" if self._fixed(name) else part
            at += bits
        return parts

    def closed(self, answers: Mapping[str, Wire], prefix: str) -> str:
        """Return the vector that keeps fields whose wires are given by port."""
        wires = [answers[self.port(prefix, n)].fitted(self.bits(n)) for n in self.fields]
        return f"{{{', '.join(reversed(wires))}}}" if len(wires) > 1 else wires[0]

    def kept(self, values: Mapping[str, int]) -> int:
        """Return the vector of a number given by field."""
        word, at = 0, 0
        for name in self.fields:
            word |= (values[name] & ((1 << self.bits(name)) - 1)) << at
            at += self.bits(name)
        return word


@dataclass(frozen=True)
class Sum:
    """A sum of products: operands a (which is absent where its first field has that value)
    and b, the register's start from i, and its finish; prefixes as in the plans."""

    start: Circuit
    step: Circuit
    finish: Circuit
    a: Number
    b: Number
    state: tuple[str, ...]
    absent: int

    @property
    def register(self) -> Number:
        """The fields of the register."""
        spans = {n: self.step.inputs[n] for n in self.state}
        return Number({n: (s.low, s.high) for n, s in spans.items()})


@dataclass(frozen=True)
class Salts:
    """What the random bits of updates begin with: of a layer's weights and biases, in whole
    batches and in a shorter last one."""

    weights: tuple[int, int]
    biases: tuple[int, int]


@dataclass(frozen=True)
class Learning:
    """A perceptron and how it learns.

    sizes are inputs, hidden units, classes; numbers the formats of weights, activations and
    gradients. softmax holds its circuits by name, scales its scale of 1..batch rows. salts
    is empty without random bits; decay_period 0 without `decay`. opened and closed turn the
    words of weights into their fields and back, None where these are the same. velocities
    tells that each weight has one, rated that the learning rate is an operand. row is the
    numbers from one row of weights to the next in the count of elements.
    """

    sizes: tuple[int, ...]
    batch: int
    numbers: Mapping[str, Number]
    pixels: tuple[Mapping[str, int], ...]
    one: Mapping[str, int]
    forward: Sum
    backward: Sum
    update: Sum
    active: Circuit
    active_gradient: Circuit
    softmax: Mapping[str, Circuit]
    scales: tuple[int, ...]
    word_bits: int
    opened: Circuit | None = None
    closed: Circuit | None = None
    salts: tuple[Salts, ...] = ()
    random: Circuit | None = None
    rows: tuple[int, ...] = ()
    decay: Circuit | None = None
    decay_period: int = 0
    step: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def velocities(self) -> bool:
        return any(name in self.update.finish.inputs for name in
                   self.numbers["gradients"].ports("v"))

    @property
    def rated(self) -> bool:
        return "rate" in self.update.finish.inputs

    @property
    def counted(self) -> bool:
        """Whether steps are counted."""
        return bool(self.salts or self.decay_period)

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of each layer."""
        return tuple(zip(self.sizes, self.sizes[1:]))
