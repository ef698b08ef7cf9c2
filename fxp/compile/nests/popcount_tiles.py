"""Machine code that counts differing bits, and that packs bytes into bits.

Words of eight units share a vector, so no sum is ever taken across lanes; a tile of
images x vectors keeps its sums in registers. LLVM makes of `ctpop` VPOPCNTQ where
there is one, else a table in registers.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fxp.compile.machine.defined import check_defined
from fxp.compile.machine.target import target

__all__ = ["LANES", "load8", "pack64", "store64", "tile", "tile_shape"]

LANES = 8


def tile_shape() -> tuple[int, int]:
    """Return how many images, and vectors of units, are counted at a time."""
    return (4, 4) if target().level == "avx512" else (2, 2)


def tile(fires: bool):
    """Return the intrinsic that counts one tile; for the generated module.

    Its integers: addresses of x, weights, limits and out; strides of x and out from
    image to image in bytes; words; planes.
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
            check_defined(builder.function, ours=False)
            return context.get_dummy_value()

        return types.void(args), generate

    return count


def _count(builder, shape: tuple[int, int], x, x_stride, weights, words, planes):
    """Emit the loops over planes and words; return the places of the sums."""
    images, vectors = shape
    zero = ir.Constant(_VECTOR, None)
    sums = [[cgutils.alloca_once(builder, _VECTOR) for _ in range(vectors)]
            for _ in range(images)]
    places = [place for row in sums for place in row]
    for place in places:
        builder.store(zero, place)
    with cgutils.for_range(builder, planes, intp=_I64) as plane:
        for place in places:
            value = builder.load(place)
            builder.store(builder.add(value, value), place)
        row = builder.add(x, builder.mul(plane.index, builder.mul(words, _I64(8))))
        with cgutils.for_range(builder, words, intp=_I64) as loop:
            at = builder.add(weights, builder.mul(loop.index, _I64(8 * LANES * vectors)))
            word = builder.add(row, builder.mul(loop.index, _I64(8)))
            _count_word(builder, sums, word, x_stride, at)
    return sums


def _count_word(builder, sums, word, x_stride, weights) -> None:
    """Emit the counts of one word of each image against one of each unit."""
    popcount = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.ctpop.v{LANES}i64")
    w = [_load(builder, weights, 64 * v, _VECTOR) for v in range(len(sums[0]))]
    for i, row in enumerate(sums):
        image = builder.add(word, builder.mul(x_stride, _I64(i)))
        own = _splat(builder, _load(builder, image, 0, _I64))
        for place, weight in zip(row, w):
            differ = builder.call(popcount, [builder.xor(own, weight)])
            builder.store(builder.add(builder.load(place), differ), place)


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
