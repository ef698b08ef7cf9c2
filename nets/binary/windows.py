"""Convolution and pooling of bits: windows become rows for the kernel of rows."""

from __future__ import annotations

import numpy as np

from fxp.run.popcount import BitLayer, pack_bits, words_of
from nets.layers.spatial.gather import patches
from nets.layers.window import Window
from nets.quantize.simplify import extremes

__all__ = ["WindowLayer", "unpacked"]


class WindowLayer:
    """A layer of rows at each window of images, as BitLayer is one; around an image lie
    zeros. One bit is left of a pooling window: any of its bits, of units in `every` all."""

    def __init__(self, bits: BitLayer, window: Window, pool: Window | None,
                 every: np.ndarray | None):
        self.bits, self.window, self.pool, self.every = bits, window, pool, every
        self.outputs = bits.units * int(np.prod((pool or window).out))

    def empty(self, images: int) -> np.ndarray:
        """Return an array for the answers of images, padded as `run` wants it."""
        rows = -(-images // self.bits.images) * self.bits.images
        return np.zeros((rows, words_of(self.outputs)), np.uint64)

    def run(self, x: np.ndarray, out: np.ndarray) -> None:
        """Fill out, rows of bits made by `empty`, for x, rows x (planes words)."""
        count, planes = len(out), self.bits.planes
        images = unpacked(x[:count].reshape(count * planes, -1), int(np.prod(self.window.shape)))
        rows = patches(images.reshape(-1, *self.window.shape), self.window)
        rows = rows.reshape(count, planes, -1, self.window.depth).transpose(0, 2, 1, 3)
        packed = _packed(rows.reshape(-1, self.window.depth))
        fires = unpacked(self.bits(packed.reshape(-1, planes * packed.shape[1])), self.bits.units)
        fires = fires.reshape(count, -1)
        if self.pool:
            assert self.every is not None
            fires = extremes(fires, self.pool, self.every)
        pack_bits(np.ascontiguousarray(fires), out)


def _packed(bits: np.ndarray) -> np.ndarray:
    """Return rows of 0 and 1, uint8, as words."""
    words = np.zeros((len(bits), words_of(bits.shape[1])), np.uint64)
    pack_bits(np.ascontiguousarray(bits), words)
    return words


def unpacked(words: np.ndarray, bits: int) -> np.ndarray:
    """Return rows of words as 0 and 1, uint8."""
    bytes_ = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(bytes_, axis=1, count=bits, bitorder="little")
