"""Products of rows of bits by XOR and popcount, a tile of images x units in registers.

A row of n bits -1 and 1 lies in ceil(n / 64) words of uint64: bit i of word k is
element 64 k + i, 1 for 1, and the bits beyond n are 0 on both sides.
"""

from __future__ import annotations

import numpy as np

from fxp.compile.cache import compile_module
from fxp.compile.nests.popcount_tiles import LANES, tile_shape

__all__ = ["BitLayer", "pack_bits", "words_of"]


def words_of(bits: int) -> int:
    """Return how many words of 64 bits hold a row."""
    return -(-bits // 64)


class BitLayer:
    """Rows of weights, units x words uint64, against rows of inputs.

    The inputs of an image are `planes` rows, the most significant first; differing
    bits of the last plane count 1, of the one before 2, and so on. With limits (int64,
    one a unit, at least -1) a unit fires if it counts at most so many; without, its
    counts are the answer. ValueError for arrays whose shapes do not go together.
    """

    def __init__(self, rows: np.ndarray, planes: int = 1, limits: np.ndarray | None = None):
        self.units, self.words = rows.shape
        self.planes = planes
        images, vectors = tile_shape()
        self.images, self.width = images, LANES * vectors
        self.tiles = -(-self.units // self.width)
        padded = np.zeros((self.tiles * self.width, self.words), np.uint64)
        padded[: self.units] = rows
        tiles = padded.reshape(self.tiles, self.width, self.words)
        self._rows = np.ascontiguousarray(tiles.transpose(0, 2, 1))
        self._limits = np.full(len(padded), -1, np.int64)
        if limits is not None:
            if limits.shape != (self.units,):
                raise ValueError(f"{self.units} units need as many limits, got {limits.shape}")
            self._limits[: self.units] = limits
        self.fires = limits is not None
        self._kernel = _compiled(self.fires).run

    def empty(self, images: int) -> np.ndarray:
        """Return an array for the answers of images, padded as `run` wants it."""
        rows = -(-images // self.images) * self.images
        if self.fires:
            return np.zeros((rows, words_of(self.units)), np.uint64)
        return np.zeros((rows, self.tiles * self.width), np.int32)

    def run(self, x: np.ndarray, out: np.ndarray) -> None:
        """Fill out, rows of bits or int32 counts made by `empty`, for x.

        x is rows x (planes words), uint64, with at least as many rows as out.
        """
        if x.shape[1] != self.planes * self.words or len(x) < len(out):
            raise ValueError(f"{len(out)} images need {len(out)} x {self.planes * self.words} "
                             f"words, got {x.shape[0]} x {x.shape[1]}")
        self._kernel(x.ctypes.data, x.strides[0], self._rows.ctypes.data,
                     self._limits.ctypes.data, out.ctypes.data, out.strides[0], self.words,
                     self.planes, len(out), self.tiles, self.images, self.width)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the answers for x, rows x (planes words): bits, or counts int32."""
        out = self.empty(len(x))
        padded = np.zeros((len(out), x.shape[1]), np.uint64)
        padded[: len(x)] = x
        self.run(padded, out)
        return out[: len(x)] if self.fires else out[: len(x), : self.units]


def pack_bits(values: np.ndarray, out: np.ndarray, mask: int = 255, limit: int = 0) -> None:
    """Put (value & mask) > limit of uint8 values, rows x n, into out, rows x words."""
    assert values.dtype == np.uint8 and values.strides[1] == 1 and out.strides[1] == 8
    pack = _compiled(True).pack
    pack(values.ctypes.data, values.strides[0], out.ctypes.data, out.strides[0],
         len(values), values.shape[1], mask, limit)


def _compiled(fires: bool):
    """Return the module whose `run` gives fire bits, or counts of 32 bits."""
    return compile_module("popcount", _TEXT.format(fires=fires, bits=1 if fires else 32))


_TEXT = """\
from numba import types

from fxp.compile.cache import njit
from fxp.compile.nests.popcount_tiles import load8, pack64, store64, tile

count = tile({fires})
I = types.int64


@njit(types.void(*[I] * 12), nogil=True, cache=True)
def run(x, x_stride, rows, limits, out, out_stride, words, planes, images, tiles, step, width):
    for t in range(tiles):
        for i in range(0, images, step):
            place = out + i * out_stride + t * width * {bits} // 8
            count((x + i * x_stride, rows + 8 * t * width * words, limits + 8 * t * width,
                   place, x_stride, out_stride, words, planes))


@njit(types.void(*[I] * 8), nogil=True, cache=True)
def pack(values, stride, out, out_stride, rows, bits, mask, limit):
    for row in range(rows):
        pixel, place = values + row * stride, out + row * out_stride
        for low in range(0, bits - 63, 64):
            store64(place + low // 8, pack64(pixel + low, mask, limit))
        if bits % 64:
            word, first = 0, bits - bits % 64
            for i in range(bits % 64):
                word |= I((load8(pixel + first + i) & mask) > limit) << i
            store64(place + first // 8, word)
"""
