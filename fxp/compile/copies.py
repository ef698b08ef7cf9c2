"""Copies of arrays of any strides as machine code, so that threads can share them out."""

from __future__ import annotations

from functools import reduce

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.cache import Code
from fxp.compile.machine.native import function
from fxp.compile.nests.loops import Arguments, i64

__all__ = ["AXES", "COPY"]

AXES = 5
# Of an axis: how many numbers, and the bytes from one to the next, in both arrays.
FIELDS = ("count", "to", "of")
NAMES = ("to", "of", "size", *(f"{field}_{i}" for i in range(AXES) for field in FIELDS))
SIZES = (1, 2, 4, 8)  # bytes of a number
CHUNKS = (64, 16, 8, 4, 2, 1)  # bytes that are moved at once where all lie side by side


def _emit(builder: ir.IRBuilder, address: ir.Value) -> None:
    """Append the copy as the words at the address say: see `COPY`."""
    args = Arguments(builder, NAMES, address)
    with cgutils.loop_nest(builder, [args[f"count_{i}"] for i in range(AXES - 1)],
                           ir.IntType(64)) as indices:
        to, of = (reduce(builder.add, (builder.mul(index, args[f"{field}_{i}"])
                                       for i, index in enumerate(indices)), args[field])
                  for field in ("to", "of"))
        _line(builder, args, to, of)


def _line(builder, args: Arguments, to, of) -> None:
    """Copy along the last axis."""
    count, to_step, of_step = (args[f"{field}_{AXES - 1}"] for field in FIELDS)
    beside = builder.and_(*(builder.icmp_signed("==", step, args["size"])
                            for step in (to_step, of_step)))
    with builder.if_else(beside) as (together, apart):
        with together:
            _bytes(builder, to, of, builder.mul(args["size"], count))
        with apart:
            for size in SIZES:
                with builder.if_then(builder.icmp_signed("==", args["size"], i64(size))):
                    with cgutils.for_range(builder, count) as loop:
                        _move(builder, size, builder.add(to, builder.mul(loop.index, to_step)),
                              builder.add(of, builder.mul(loop.index, of_step)))


def _bytes(builder, to, of, count) -> None:
    """Copy bytes that lie side by side."""
    done = i64(0)
    for size in CHUNKS:
        left = builder.sub(count, done)
        with cgutils.for_range(builder, builder.lshr(left, i64(size.bit_length() - 1))) as loop:
            at = builder.add(done, builder.mul(loop.index, i64(size)))
            _move(builder, size, builder.add(to, at), builder.add(of, at))
        done = builder.and_(count, i64(-size))


def _move(builder, size: int, to, of) -> None:
    """Copy so many bytes, wherever they lie."""
    kind = (ir.IntType(8 * size) if size <= 8 else ir.VectorType(ir.IntType(64), size // 8))
    to, of = (builder.inttoptr(place, kind.as_pointer()) for place in (to, of))
    builder.store(builder.load(of, align=1), to, align=1)


_COPY = function("copy", _emit)
COPY = Code(NAMES, _COPY.run, _COPY.entry)
