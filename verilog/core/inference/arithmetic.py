"""What a core takes of an engine: the circuits of its plans, and a network's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fxp.trace.circuit import Circuit
from verilog.core.inference.form import Form, dense_form
from verilog.core.parts.lane import Sums
from verilog.core.parts.word import Word

__all__ = ["Arithmetic", "Layer", "Means"]


@dataclass(frozen=True)
class Layer:
    """A layer as words of memories: weights depth x outputs, biases outputs; int64. form is
    that of a convolution.

    parameters, where the arithmetic has some, are one word an output. numbers tells how many
    numbers an image has there where words hold several.
    """

    weights: np.ndarray
    biases: np.ndarray | None
    parameters: tuple[int, ...] | None = None
    numbers: int | None = None
    form: Form | None = None

    @property
    def shape(self) -> Form:
        """The layer's form."""
        return self.form or dense_form(*self.weights.shape)


@dataclass(frozen=True)
class Means:
    """How the mean of a window is taken: step takes the registers `state` and a number's
    fields and gives the registers, which begin at the values zero; finish takes them, and
    parameters of the output if it has some, and gives a number."""

    step: Circuit
    state: tuple[str, ...]
    zero: tuple[int, ...]
    finish: Circuit


@dataclass(frozen=True)
class Arithmetic:
    """The circuits of an engine's plans, and how words become fields and back.

    number has the fields of an activation, pixels its words (as memories hold them) for
    0..255. finish takes a sum's registers, and the parameters of its output if there are
    some, and gives a number and, where that is something else, a score; active (None: nothing
    between layers) takes a number x and gives one. order gives the integer that puts numbers in
    order, and scores where they have no score_order; pack a score's word, unpack a weight's
    fields, each from fields; without pack and unpack words are the fields themselves. packed is
    how many numbers of a bit each a word holds: then pixels are bits, and so are the numbers
    that finish gives.

    norm is what batch norm makes of a number x and of parameters of its output, in all
    layers but the last; means are those of layers whose form has average. least names the
    parameter that is 1 where max pooling takes the least number.
    """

    number: Word
    pixels: tuple[int, ...]
    sums: Sums
    finish: Circuit
    active: Circuit | None
    order: Circuit
    pack: Circuit | None = None
    unpack: Circuit | None = None
    parameters: Word | None = None
    score: Word | None = None
    score_order: Circuit | None = None
    packed: int = 1
    norm: Circuit | None = None
    average: Means | None = None
    least: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def scored(self) -> Word:
        """The word of a score."""
        return self.score or self.number

    @property
    def ranking(self) -> Circuit:
        """What gives the integer that puts scores in order."""
        return self.score_order or self.order
