"""Where a trainer keeps what, and the phases of a step with their strides.

Weights lie in rows of as many words as there are lanes: of each layer the biases, then the
weights of each input. Outputs of a layer lie image by image. Gradients lie twice: in rows
as weights do, and in a bank for each image of a group, by unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from fxp.once import cached_property
from verilog.trainer.plan.learning import Learning

__all__ = ["BACKWARD", "FORWARD", "Geometry", "Layer", "Phase", "SOFTMAX", "UPDATE", "bits_for"]

FORWARD, SOFTMAX, BACKWARD, UPDATE = range(4)


def bits_for(most: int) -> int:
    """Return the bits of a counter that goes from 0 to `most`."""
    return max(1, most.bit_length())


@dataclass(frozen=True)
class Layer:
    """A layer: its inputs and outputs, tiles of lanes, and where its words begin."""

    inputs: int
    outputs: int
    tiles: int
    last: int  # outputs in the last tile
    weights: int  # row of its biases
    values: int  # its outputs, before the activation
    rows: int  # its gradients in rows
    banks: int  # its gradients in banks

    @property
    def weight_rows(self) -> int:
        return (self.inputs + 1) * self.tiles


@dataclass(frozen=True)
class Phase:
    """A phase of a step; what depends on the images of the batch is the sequencer's."""

    kind: int
    layer: int


@dataclass(frozen=True)
class Geometry:
    """A trainer's sizes for so many lanes and registers in their loop."""

    learning: Learning
    lanes: int
    loop: int

    @property
    def groups(self) -> int:
        """Groups of at most as many images as there are lanes."""
        return -(-self.learning.batch // self.lanes)

    @property
    def images(self) -> int:
        """Images of a group, and banks of gradients."""
        return min(self.learning.batch, self.lanes)

    @property
    def units(self) -> int:
        """Units that finish updates: as many as take a row in as many cycles as it has
        steps."""
        return -(-self.lanes // self.learning.batch)

    @property
    def chunks(self) -> int:
        """Cycles in which they take a row."""
        return -(-self.lanes // self.units)

    @property
    def depth(self) -> int:
        """Rows of sums that wait for being finished, a power of two."""
        return max(16, 1 << (4 * self.loop - 1).bit_length())

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        found: list[Layer] = []
        at = {"weights": 0, "values": 0, "rows": 0, "banks": 0}
        batch, p = self.learning.batch, self.lanes
        for i, (inputs, outputs) in enumerate(self.learning.layers):
            tiles = -(-outputs // p)
            found.append(Layer(inputs, outputs, tiles, outputs - (tiles - 1) * p, **at))
            at["weights"] += (inputs + 1) * tiles
            at["values"] += batch * outputs
            at["rows"] += batch * tiles
            at["banks"] += self.groups * outputs if i else 0
        return tuple(found)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a step in order."""
        count = len(self.layers)
        found = [Phase(FORWARD, i) for i in range(count)] + [Phase(SOFTMAX, count - 1)]
        for i in reversed(range(count)):
            found += [Phase(BACKWARD, i)] * (i > 0) + [Phase(UPDATE, i)]
        return tuple(found)

    @property
    def weight_rows(self) -> int:
        return sum(layer.weight_rows for layer in self.layers)

    @property
    def values(self) -> int:
        return self.learning.batch * sum(self.learning.sizes[1:])

    @property
    def gradient_rows(self) -> int:
        return self.learning.batch * sum(layer.tiles for layer in self.layers)

    @property
    def bank_words(self) -> int:
        """Words of each bank of gradients; 0 for a single layer."""
        return self.groups * sum(self.learning.sizes[2:])

    @property
    def words(self) -> int:
        """Words of weights and biases, without padding."""
        return sum((i + 1) * o for i, o in self.learning.layers)
