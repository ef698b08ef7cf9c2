"""Copies of arrays of any strides as machine code, so that threads can share them out."""

# Intrinsics are called without the typing context that they are defined with.
# mypy: disable-error-code="call-arg"

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fxp.compile.cache import Code, njit
from fxp.compile.memory import word

__all__ = ["AXES", "COPY"]

AXES = 5
# Of an axis: how many numbers, and the bytes from one to the next, in both arrays.
FIELDS = ("count", "to", "of")


def _mover(bits: int):
    """Return the copy of so many bits, wherever they lie."""
    lane = ir.IntType(min(bits, 64))
    kind = lane if bits <= 64 else ir.VectorType(lane, bits // 64)

    @intrinsic
    def move(typingctx, to, of):
        def generate(context, builder, signature, values):
            to, of = (builder.inttoptr(v, kind.as_pointer()) for v in values)
            builder.store(builder.load(of, align=1), to, align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return move


_move8, _move16, _move32, _move64, _move128, _move512 = (
    _mover(bits) for bits in (8, 16, 32, 64, 128, 512))


@njit(nogil=True)
def _bytes(to, of, count):
    """Copy bytes that lie side by side."""
    end = to + count
    while end - to >= 64:
        _move512(to, of)
        to, of = to + 64, of + 64
    while end - to >= 16:
        _move128(to, of)
        to, of = to + 16, of + 16
    if end - to >= 8:
        _move64(to, of)
        to, of = to + 8, of + 8
    if end - to >= 4:
        _move32(to, of)
        to, of = to + 4, of + 4
    if end - to >= 2:
        _move16(to, of)
        to, of = to + 2, of + 2
    if end > to:
        _move8(to, of)


@njit(nogil=True)
def _line(to, of, size, count, to_step, of_step):
    if to_step == size and of_step == size:
        _bytes(to, of, size * count)
    elif size == 1:
        for i in range(count):
            _move8(to + i * to_step, of + i * of_step)
    elif size == 2:
        for i in range(count):
            _move16(to + i * to_step, of + i * of_step)
    elif size == 4:
        for i in range(count):
            _move32(to + i * to_step, of + i * of_step)
    else:
        for i in range(count):
            _move64(to + i * to_step, of + i * of_step)


@njit(nogil=True)
def _steps(axis):
    return word(axis), word(axis + 8), word(axis + 16)


@njit(types.void(types.int64), nogil=True, cache=True)
def _copy(address):
    """Copy as the words at the address say: see `COPY`."""
    to, of, size = _steps(address)
    count0, to0, of0 = _steps(address + 24)
    count1, to1, of1 = _steps(address + 48)
    count2, to2, of2 = _steps(address + 72)
    count3, to3, of3 = _steps(address + 96)
    count, to_step, of_step = _steps(address + 120)
    for i in range(count0):
        for j in range(count1):
            for k in range(count2):
                for m in range(count3):
                    here = to + i * to0 + j * to1 + k * to2 + m * to3
                    there = of + i * of0 + j * of1 + k * of2 + m * of3
                    _line(here, there, size, count, to_step, of_step)


COPY = Code(("to", "of", "size", *(f"{field}_{i}" for i in range(AXES) for field in FIELDS)),
            _copy)
