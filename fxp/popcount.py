"""Products of rows of bits by XOR and popcount, a tile of images x units in registers.

A row of n bits -1 and 1 lies in ceil(n / 64) words of uint64: bit i of word k is
element 64 k + i, 1 for 1, and the bits beyond n are 0 on both sides. Eight words of
eight units share a vector, so no sum is ever taken across lanes; LLVM makes of
`ctpop` VPOPCNTQ where there is one, else a table in registers.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fxp.compile import compile_module
from fxp.target import target

__all__ = ["BitLayer", "pack_bits", "words_of"]

LANES = 8


def words_of(bits: int) -> int:
    """Return how many words of 64 bits hold a row."""
    return -(-bits // 64)


def tile_shape() -> tuple[int, int]:
    """Return how many images, and vectors of units, are counted at a time."""
    return (4, 4) if target().level == "avx512" else (2, 2)


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


def tile(fires: bool):
    """Return the intrinsic that counts one tile; for the generated module.

    Its arguments are integers: the addresses of x, weights, limits and out, the
    strides of x and out from image to image in bytes, words and planes.
    """
    images, vectors = tile_shape()

    @intrinsic
    def count(typingctx, args):
        def generate(context, builder, signature, values):
            x, weights, limits, out, x_stride, out_stride, words, planes = (
                builder.extract_value(values[0], i) for i in range(8))
            sums = _count(builder, (images, vectors), x, x_stride, weights, words, planes)
            for i, row in enumerate(sums):
                place = builder.add(out, builder.mul(out_stride, _I64(i)))
                for v, total in enumerate(row):
                    if fires:
                        limit = _load(builder, limits, 64 * v, _VECTOR)
                        bits = builder.icmp_signed("<=", builder.load(total), limit)
                        _store(builder, builder.bitcast(bits, ir.IntType(8)), place, v)
                    else:
                        short = ir.VectorType(ir.IntType(32), LANES)
                        count32 = builder.trunc(builder.load(total), short)
                        _store(builder, count32, place, 4 * LANES * v)
            return context.get_dummy_value()

        return types.void(args), generate

    return count


def _count(builder, shape: tuple[int, int], x, x_stride, weights, words, planes):
    """Emit the loops over planes and words; return the places of the sums."""
    images, vectors = shape
    zero = ir.Constant(_VECTOR, None)
    sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(vectors)]
            for _ in range(images)]
    for place in (p for row in sums for p in row):  # a place in a loop is set only once
        builder.store(zero, place)
    popcount = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.ctpop.v{LANES}i64")
    row = builder.mul(words, _I64(8))
    with cgutils.for_range(builder, planes, intp=_I64) as plane:
        for place in (p for one in sums for p in one):
            value = builder.load(place)
            builder.store(builder.add(value, value), place)
        begin = builder.add(x, builder.mul(plane.index, row))
        with cgutils.for_range(builder, words, intp=_I64) as loop:
            at = builder.add(weights, builder.mul(loop.index, _I64(8 * LANES * vectors)))
            w = [_load(builder, at, 64 * v, _VECTOR) for v in range(vectors)]
            word = builder.add(begin, builder.mul(loop.index, _I64(8)))
            for i in range(images):
                image = builder.add(word, builder.mul(x_stride, _I64(i)))
                own = _splat(builder, _load(builder, image, 0, _I64))
                for v in range(vectors):
                    differ = builder.call(popcount, [builder.xor(own, w[v])])
                    total = builder.add(builder.load(sums[i][v]), differ)
                    builder.store(total, sums[i][v])
    return sums


@intrinsic
def pack64(typingctx, address, mask, limit):
    """Return the word of 64 comparisons (byte & mask) > limit."""
    def generate(context, builder, signature, values):
        chunk = ir.VectorType(ir.IntType(8), 64)
        byte = [builder.trunc(v, ir.IntType(8)) for v in values[1:]]
        pixels = builder.and_(_load(builder, values[0], 0, chunk), _splat(builder, byte[0], 64))
        bits = builder.icmp_unsigned(">", pixels, _splat(builder, byte[1], 64))
        return builder.bitcast(bits, _I64)

    return types.int64(types.int64, types.int64, types.int64), generate


@intrinsic
def store64(typingctx, address, word):
    """Write a word to an address."""
    def generate(context, builder, signature, values):
        _store(builder, values[1], values[0], 0)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def load8(typingctx, address):
    """Return the byte at an address."""
    def generate(context, builder, signature, values):
        return builder.zext(_load(builder, values[0], 0, ir.IntType(8)), _I64)

    return types.int64(types.int64), generate


_I64 = ir.IntType(64)
_VECTOR = ir.VectorType(_I64, LANES)


def _pointer(builder, address, offset: int, kind):
    return builder.inttoptr(builder.add(address, _I64(offset)), kind.as_pointer())


def _load(builder, address, offset: int, kind):
    value = builder.load(_pointer(builder, address, offset, kind))
    value.align = 1
    return value


def _store(builder, value, address, offset: int) -> None:
    builder.store(value, _pointer(builder, address, offset, value.type)).align = 1


def _splat(builder, value, count: int = LANES):
    kind = ir.VectorType(value.type, count)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), None)
    return builder.shuffle_vector(one, one, zeros)


_TEXT = """\
from numba import njit, types

from fxp.popcount import load8, pack64, store64, tile

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
