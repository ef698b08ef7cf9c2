"""A network in integers alone: int8 words, 32-bit accumulators, multipliers and shifts.

The scheme of Jacob et al., "Quantization and training of neural networks for efficient
integer-arithmetic-only inference" (CVPR 2018), with weights symmetric about zero: a word
q of activations means scale (q - zero), a word of weights its channel's scale times the
word. A sum of products s, in at most 32 bits with its bias, becomes the word

    clamp(zero + (s * m + 2^(n-1) >> n)),   m = positive or, of a negative s, negative

so s m / 2^n is rounded once, to nearest, ties upwards (the paper's kernels round twice).
m has at most 31 bits and n is 1..62, so that everything fits 63 bits. Nothing here is
rounded by floats: they only carry integers below 2^24 or 2^53 through matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nets.layers.window import Window, shown
from nets.quantize.simplify import extremes, products, window_sums

__all__ = ["IntegerAverage", "IntegerExtreme", "IntegerNetwork", "IntegerProduct",
           "IntegerStep", "Rescale"]

ACCUMULATOR = (1 << 31) - 1  # the largest magnitude of a sum
BLOCK = 200  # images at a time


@dataclass(frozen=True, eq=False)
class Rescale:
    """How sums, ... x channels, become words in low..high.

    positive, negative and shift are int64, one for each channel, or one for all.
    """

    positive: np.ndarray
    negative: np.ndarray
    shift: np.ndarray
    zero: int
    low: int
    high: int

    def __post_init__(self):
        for m in (self.positive, self.negative):
            if m.min() < 0 or m.max() >= 1 << 31:
                raise ValueError(f"multipliers must lie in 0..2^31-1, got {m.min()}..{m.max()}")
        if self.shift.min() < 1 or self.shift.max() > 62:
            raise ValueError("shifts must lie in 1..62, got "
                             f"{self.shift.min()}..{self.shift.max()}")
        if not self.low <= self.zero <= self.high:
            raise ValueError(f"zero must lie in {self.low}..{self.high}, got {self.zero}")

    def words(self, sums: np.ndarray) -> np.ndarray:
        """Return the words of sums (int64), as int32."""
        scaled = sums * np.where(sums < 0, self.negative, self.positive)
        scaled += np.int64(1) << (self.shift - 1)
        scaled >>= self.shift
        scaled += self.zero
        return np.clip(scaled, self.low, self.high).astype(np.int32)


@dataclass(frozen=True, eq=False)
class IntegerProduct:
    """Rows, or windows of images, less their zero, times weights, plus biases; rescaled.

    weights is depth x channels, biases (channels), int64; inputs lie in low..high.
    ValueError where sums could leave 32 bits, or shapes do not fit.
    """

    name: str
    weights: np.ndarray
    biases: np.ndarray
    window: Window | None
    inputs: tuple[int, int, int]  # zero, low, high
    rescale: Rescale

    def __post_init__(self):
        depth, channels = self.weights.shape
        if self.biases.shape != (channels,):
            raise ValueError(f"{self.name} has {channels} channels, so as many biases, got "
                             f"{shown(self.biases.shape)}")
        if self.window and self.window.depth != depth:
            raise ValueError(f"{self.name} has windows of {self.window.depth} numbers, but "
                             f"{shown(self.weights.shape)} weights")
        if (most := int((self._reach + abs(self.biases)).max())) > ACCUMULATOR:
            raise ValueError(f"{self.name}: sums of {depth} products reach {most}, which is "
                             "beyond 32 bits; take fewer bits")

    @property
    def _reach(self) -> np.ndarray:
        """The largest magnitude of each channel's sum of products."""
        zero, low, high = self.inputs
        return abs(self.weights).sum(axis=0) * max(high - zero, zero - low)

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of an input and of an output."""
        depth, channels = self.weights.shape
        if self.window is None:
            return depth, channels
        return int(np.prod(self.window.shape)), int(np.prod(self.window.out)) * channels

    def answer(self, q: np.ndarray) -> np.ndarray:
        """Return the words for words, rows x numbers."""
        kind = np.float32 if self._reach.max() < 1 << 24 else np.float64
        x = (q - self.inputs[0]).astype(kind)
        sums = products(x, self.window, self.weights.astype(kind)).astype(np.int64)
        sums += self.biases
        return self.rescale.words(sums).reshape(len(q), -1)


@dataclass(frozen=True, eq=False)
class IntegerAverage:
    """The sum over each window of words less their zero, rescaled."""

    name: str
    window: Window
    zero: int
    rescale: Rescale

    @property
    def sizes(self) -> tuple[int, int]:
        return _pooled(self.window)

    def answer(self, q: np.ndarray) -> np.ndarray:
        sums = window_sums(q.astype(np.int64) - self.zero, self.window)
        return self.rescale.words(sums).reshape(len(q), -1)


@dataclass(frozen=True, eq=False)
class IntegerExtreme:
    """The greatest word of each window, of channels in `least` (bool) the least."""

    name: str
    window: Window
    least: np.ndarray

    @property
    def sizes(self) -> tuple[int, int]:
        return _pooled(self.window)

    def answer(self, q: np.ndarray) -> np.ndarray:
        return extremes(q, self.window, self.least)


IntegerStep = IntegerProduct | IntegerAverage | IntegerExtreme


class IntegerNetwork:
    """Steps in a row over uint8 pixels, whose words are looked up in a table of 256.

    scale is what a unit of a score means. ValueError where the sizes do not fit.
    """

    def __init__(self, table: np.ndarray, steps: Sequence[IntegerStep], scale: float):
        self.table, self.steps, self.scale = table.astype(np.int32), list(steps), scale
        if self.table.shape != (256,):
            raise ValueError(f"the table of pixels must have 256 words, got {table.size}")
        for before, step in zip(self.steps, self.steps[1:]):
            if before.sizes[1] != step.sizes[0]:
                raise ValueError(f"{step.name} takes {step.sizes[0]} numbers, but {before.name} "
                                 f"gives {before.sizes[1]}")

    @property
    def pixels(self) -> int:
        return self.steps[0].sizes[0]

    @property
    def classes(self) -> int:
        return self.steps[-1].sizes[1]

    def answers(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Return the words of the input and after each step, int32, rows x numbers.

        pixels are uint8, rows x pixels; ValueError for others.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != self.pixels:
            raise ValueError(f"takes uint8 rows of {self.pixels} pixels, got "
                             f"{shown(pixels.shape)} of {pixels.dtype}")
        found = [self.table[pixels]]
        for step in self.steps:
            found.append(step.answer(found[-1]))
        return found

    def scores(self, pixels: np.ndarray) -> np.ndarray:
        """Return the last words, int32, rows x classes."""
        parts = [self.answers(pixels[i : i + BLOCK])[-1] for i in range(0, len(pixels), BLOCK)]
        return np.concatenate(parts) if parts else np.empty((0, self.classes), np.int32)

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Return the class of each image: the greatest score, the first of equal ones."""
        return self.scores(pixels).argmax(axis=1)


def _pooled(window: Window) -> tuple[int, int]:
    return int(np.prod(window.shape)), int(np.prod(window.out)) * window.shape[2]
