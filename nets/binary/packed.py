"""A binary network in bits: counts, integer thresholds, one integer score a class.

Of a layer with n inputs of so many planes (1, or the 8 bits of a pixel) the count
p of a unit is the sum over planes of 2^plane times the number of bits that equal
the row's: an integer in 0..span, span = n (2^planes - 1), and S = 2 p - span is the
product of -1 and 1. A hidden unit fires if p reaches its threshold. The class is
that of the greatest score 2^fraction p + bias, the first of equal ones.

A convolution does the same for each window of an image; around an image with padding
`same` lie bits 0, which stand for -1. Of units that are pooled one bit is left of each
pooling window: whether any of its bits is set, or, of units in `every`, all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fxp.run.popcount import BitLayer, pack_bits, words_of
from nets.binary.windows import WindowLayer
from nets.layers.window import Window

__all__ = ["BitInput", "PackedLayer", "PackedNetwork"]

BLOCK = 256  # images: their bits of two layers fit the nearest caches


@dataclass(frozen=True)
class BitInput:
    """How uint8 pixels become bits: above threshold, or, without one, all eight."""

    pixels: int
    threshold: int | None

    @property
    def planes(self) -> int:
        return 8 if self.threshold is None else 1

    def pack(self, pixels: np.ndarray, out: np.ndarray) -> None:
        """Fill out, rows x (planes words) uint64, for pixels, rows x pixels uint8."""
        words = words_of(self.pixels)
        if self.threshold is not None:
            pack_bits(pixels, out, 255, self.threshold)
            return
        for plane in range(8):
            part = out[:, plane * words:(plane + 1) * words]
            pack_bits(pixels, part, 128 >> plane, 0)


@dataclass(frozen=True, eq=False)
class PackedLayer:
    """Rows of bits, units x words uint64, and thresholds of a hidden layer in
    0..span + 1, or biases and fraction of the last; int64. A convolution has a window,
    with pooling behind it that of the pooling and, bool, which units need every bit."""

    name: str
    inputs: int
    rows: np.ndarray
    planes: int = 1
    thresholds: np.ndarray | None = None
    biases: np.ndarray | None = None
    fraction: int = 0
    window: Window | None = None
    pool: Window | None = None
    every: np.ndarray | None = None

    def __post_init__(self):
        if self.rows.shape[1] != words_of(self.depth):
            raise ValueError(f"{self.name} has {self.depth} inputs, so rows of "
                             f"{words_of(self.depth)} words, got {_shape(self.rows)}")
        if self.window and int(np.prod(self.window.shape)) != self.inputs:
            raise ValueError(f"{self.name} has {self.inputs} inputs, so no images of "
                             f"{' x '.join(map(str, self.window.shape))}")
        if self.pool and (self.every is None or self.every.shape != (self.units,)):
            raise ValueError(f"{self.name} has {self.units} units, so as many bits in every, got "
                             f"{None if self.every is None else self.every.shape}")
        own = self.biases if self.thresholds is None else self.thresholds
        if own is None or own.shape != (self.units,):
            raise ValueError(f"{self.name} has {self.units} units, so as many thresholds or "
                             f"biases, got {None if own is None else own.shape}")

    @property
    def units(self) -> int:
        return self.rows.shape[0]

    @property
    def depth(self) -> int:
        """Bits of a row, in each plane."""
        return self.window.depth if self.window else self.inputs

    @property
    def outputs(self) -> int:
        """Bits, or counts, that come of an image."""
        last = self.pool or self.window
        return self.units * int(np.prod(last.out)) if last else self.units

    @property
    def span(self) -> int:
        return self.depth * ((1 << self.planes) - 1)


class PackedNetwork:
    """Packed layers in a row over an input; ValueError where their shapes do not fit."""

    def __init__(self, entry: BitInput, layers: Sequence[PackedLayer]):
        self.entry, self.layers = entry, list(layers)
        before, whence, planes = entry.pixels, "an image has {} pixels", entry.planes
        for layer in self.layers:
            if (layer.inputs, layer.planes) != (before, planes):
                raise ValueError(
                    f"{layer.name} takes {layer.inputs} inputs in {layer.planes} planes, for its "
                    f"rows are {layer.units} x {layer.inputs} bits, but "
                    f"{whence.format(before)}, in {planes} planes")
            before, whence, planes = layer.outputs, f"{layer.name} has {{}} units", 1
        self._bits = [_bit_layer(layer) for layer in self.layers]

    @property
    def classes(self) -> int:
        return self.layers[-1].units

    def answers(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Return the input's bits, those of each hidden layer and the last counts.

        Bits are uint64, rows x words; counts int64, rows x classes. pixels are uint8,
        rows x pixels; ValueError for others.
        """
        self._check(pixels)
        found: list[list[np.ndarray]] = [[] for _ in range(len(self.layers) + 1)]
        for _, arrays in self._blocks(pixels):
            for parts, array in zip(found, arrays):
                parts.append(array.copy())
        *bits, differ = (np.concatenate(parts)[:len(pixels)] for parts in found)
        last = self.layers[-1]
        return [*bits, last.span - differ[:, :last.units].astype(np.int64)]

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Return the class of each image, int64; pixels as for `answers`."""
        self._check(pixels)
        last = self.layers[-1]
        assert last.biases is not None
        classes = np.empty(len(pixels), np.int64)
        full = last.biases + (last.span << last.fraction)
        for low, arrays in self._blocks(pixels):
            count = min(BLOCK, len(pixels) - low)
            differ = arrays[-1][:count, :last.units].astype(np.int64)
            scores = full - (differ << last.fraction)
            scores.argmax(axis=1, out=classes[low:low + count])
        return classes

    def scores(self, pixels: np.ndarray) -> np.ndarray:
        """Return the scores by 2^fraction, float64, rows x classes."""
        last = self.layers[-1]
        assert last.biases is not None
        return self.answers(pixels)[-1] + np.ldexp(last.biases.astype(float), -last.fraction)

    def _blocks(self, pixels: np.ndarray):
        """Yield (first image, [bits, ..., differing bits]) in buffers used again."""
        rows = min(BLOCK, len(pixels))
        outs = [layer.empty(rows) for layer in self._bits]
        words = self.entry.planes * words_of(self.entry.pixels)
        first = np.zeros((len(outs[0]), words), np.uint64)
        for low in range(0, len(pixels), BLOCK):
            part = pixels[low:low + BLOCK]
            self.entry.pack(part, first[:len(part)])
            x = first
            for layer, out in zip(self._bits, outs):
                layer.run(x, out)
                x = out
            yield low, [first, *outs]

    def _check(self, pixels: np.ndarray) -> None:
        if pixels.dtype != np.uint8:
            raise ValueError(f"pixels must be uint8, got {pixels.dtype}")
        if pixels.ndim != 2 or pixels.shape[1] != self.entry.pixels or not len(pixels):
            raise ValueError(f"layer 0 takes rows x {self.entry.pixels} pixels, for its rows are "
                             f"{self.layers[0].units} x {self.entry.pixels} bits, "
                             f"got {_shape(pixels)}")


def _bit_layer(layer: PackedLayer) -> BitLayer | WindowLayer:
    """Return the kernel's layer: it counts differing bits, span - p of them."""
    if layer.thresholds is None:
        return BitLayer(layer.rows, layer.planes)
    bits = BitLayer(layer.rows, layer.planes, layer.span - layer.thresholds)
    if layer.window is None:
        return bits
    return WindowLayer(bits, layer.window, layer.pool, layer.every)


def _shape(array: np.ndarray) -> str:
    return " x ".join(map(str, array.shape))
