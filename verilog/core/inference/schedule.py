"""How the sums of a network are shared out: lanes, slots, tiles, rows of weights, clocks.

Lanes are `outputs` x `images`: a word of a weight row serves the lanes of all images. Each
lane has as many slots as registers in its loop, and takes a step of each in turn: slots are
`output_slots` x `image_slots`. A tile is what lanes and slots sum up at once: outputs x
output_slots numbers of a layer, of images x image_slots images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fxp.format import FormatError
from verilog.core.inference.form import Form, dense_form
from verilog.core.parts.memory import block_count

__all__ = ["MOVED", "Schedule", "blocks_of", "choose_schedule"]

STARTED = 1  # clocks between two tiles
MOVED = 11  # clocks from a layer's last step to its last word, beside one a word and those that
DRAINED = MOVED + 2  # it takes to make a word of a sum: two in a plain layer


@dataclass(frozen=True)
class Schedule:
    """Lanes and slots for layers of these forms; biases take a row each if bias is 1.

    With packed above 1 inputs are words of so many numbers, and numbers tells of each layer
    how many those are.
    """

    forms: tuple[Form, ...]
    outputs: int
    images: int
    output_slots: int
    image_slots: int
    bias: int = 1
    packed: int = 1
    numbers: tuple[int, ...] = ()
    drained: int = DRAINED  # of the core once it is built

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Words of an input of each layer, and its outputs at a position."""
        return tuple((f.inputs, f.outputs) for f in self.forms)

    @property
    def plain(self) -> bool:
        """Whether all layers are dense."""
        return all(f.plain for f in self.forms)

    def words(self, numbers: int) -> int:
        """Words that hold so many numbers."""
        return -(-numbers // self.packed)

    @property
    def together(self) -> int:
        """Pixels that a word holds: those of a position, or of a row as many as there is room
        for."""
        first = self.forms[0]
        if self.packed == 1 or first.plain:
            return self.packed
        return self.pixels // (first.height * first.width)

    @property
    def lanes(self) -> int:
        return self.outputs * self.images

    @property
    def slots(self) -> int:
        return self.output_slots * self.image_slots

    @property
    def batch(self) -> int:
        """Images that run at once."""
        return self.images * self.image_slots

    @property
    def row_words(self) -> int:
        """Words of a row of weights."""
        return self.outputs * self.output_slots

    def steps(self, layer: int) -> int:
        """Steps of a sum of a layer, its bias included."""
        return self.forms[layer].depth + self.bias

    def tiles(self, layer: int) -> int:
        return -(-self.layers[layer][1] // self.row_words)

    @property
    def rows(self) -> int:
        """Rows of weights of all layers."""
        return sum(self.tiles(k) * self.steps(k) for k in range(len(self.layers)))

    @property
    def starts(self) -> tuple[int, ...]:
        """Where each layer's outputs begin among all, tiles filled up; the last is the end."""
        found = [0]
        for k in range(len(self.layers)):
            found.append(found[-1] + self.tiles(k) * self.row_words)
        return tuple(found)

    @property
    def places(self) -> int:
        """Outputs of all layers, tiles filled up."""
        return self.starts[-1]

    @property
    def regions(self) -> tuple[int, ...]:
        """Where each layer's inputs lie in a bank of activations: of layer 0 the first of
        two buffers; hidden layers take turns in two regions. The last is the bank's end."""
        sizes = [n * self.image_slots for n, _ in self.layers]
        even, odd = (max(sizes[k::2], default=0) for k in (1, 2))
        start = 2 * sizes[0]
        return (0, *(start + (0 if k % 2 else even) for k in range(1, len(sizes))),
                start + even + odd)

    def layer_clocks(self, layer: int) -> int:
        """Clocks of a layer for a batch, waiting included."""
        runs = self.tiles(layer) * self.forms[layer].turns
        steps = runs * (self.steps(layer) * self.slots + STARTED)
        drain = self.lanes * self.slots
        own = self.steps(layer) * self.slots + STARTED
        # A tile begins when one other at most waits for its words to be in their places.
        apart = max(own, drain, (own + drain + self.drained + 1) // 2)
        last = layer == len(self.layers) - 1
        return steps + (apart - own) * (runs - 1) + (0 if last else drain + self.drained)

    @property
    def clocks(self) -> int:
        """Clocks of a batch."""
        return sum(map(self.layer_clocks, range(len(self.layers))))

    @property
    def pixels(self) -> int:
        return self.numbers[0] if self.numbers else self.layers[0][0]

    @property
    def products(self) -> int:
        """Products of an image."""
        numbers = self.numbers or tuple(n for n, _ in self.layers)
        return sum(n // (f.height * f.width) * f.size**2 * f.outputs * f.turns
                   for n, f in zip(numbers, self.forms))

    @property
    def useful(self) -> float:
        """The share of lanes x clocks that are products."""
        return self.products * self.batch / (self.clocks * self.lanes * self.packed)

    @property
    def working(self) -> float:
        """The share of clocks in which the lanes step."""
        return sum(self.tiles(k) * self.steps(k) * f.turns for k, f in enumerate(self.forms)
                   ) * self.slots / self.clocks


def choose_schedule(layers: Sequence[Form | tuple[int, int]], lanes: int, pipeline: int,
                    batch: int | None, bits: tuple[int, int], bias: int = 1, packed: int = 1,
                    numbers: tuple[int, ...] = ()) -> Schedule:
    """Return the schedule with the greatest share of useful products, less two thousandths for
    each block memory and a quarter of that for each image of a batch, which wait for each other.

    bits are those of a word in a row of weights and of an activation. FormatError if lanes
    are more than the largest layer can use, or no split has the batch.
    """
    forms = tuple(x if isinstance(x, Form) else dense_form(*x) for x in layers)
    found = [Schedule(forms, o, lanes // o, s, pipeline // s, bias, packed, numbers)
             for o in range(1, lanes + 1) if lanes % o == 0
             for s in range(1, pipeline + 1) if pipeline % s == 0]
    widest = max(f.outputs for f in forms)
    found = [s for s in found if s.outputs <= widest]
    if lanes > widest:
        raise FormatError(f"parallel must be at most the {widest} outputs of the widest layer, "
                          f"got {lanes}")
    if batch is not None:
        able = sorted({s.batch for s in found})
        found = [s for s in found if s.batch == batch]
        if not found:
            raise FormatError(f"images must be one of {', '.join(map(str, able))} with {lanes} "
                              f"lanes and {pipeline} registers, got {batch}")
    return max(found, key=lambda s: s.useful - 0.002 * blocks_of(s, bits) - 0.0005 * s.batch)


def blocks_of(s: Schedule, bits: tuple[int, int]) -> int:
    """Return the block memories of weights and activations."""
    weights = block_count(bits[0] * s.row_words, s.rows)[0]
    return weights + s.images * block_count(bits[1], s.regions[-1])[0]

