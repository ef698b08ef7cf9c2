"""Machine code that threads share out: how parts of a job are taken, without the interpreter.

A part is two words in memory, the address of a function void(int64), as kernels are compiled,
and that of its arguments. The job lies on a board: whoever leads it writes it there and takes
parts from the first one on until none is left; whoever follows takes them from the last one
back, so that a range of images or rows stays in one processor's caches from job to job. Who
comes late finds nothing to do; the leader waits for those alone that are at a part.
"""

# Intrinsics are called without the typing context that they are defined with.
# mypy: disable-error-code="call-arg"

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fxp.compile.cache import njit

__all__ = ["ended", "follow", "lead", "new_board"]

I64, I32, I8P = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
LINE = 64  # bytes that a processor's caches hand over together
OPEN, TAKEN, BEHIND, BUSY, PARTS, COUNT = (LINE * i for i in range(6))
BOARD = 6 * LINE
LOOKS = 200_000  # at a word of the board, some hundred microseconds


def new_board() -> tuple[np.ndarray, int]:
    """Return an array, and the address in it where an empty board begins."""
    memory = np.zeros(BOARD // 8 + LINE // 8, np.int64)
    return memory, -(-memory.ctypes.data // LINE) * LINE


def _place(builder, address):
    return builder.inttoptr(address, I64.as_pointer())


@intrinsic
def _read(typingctx, address):
    def generate(context, builder, signature, values):
        return builder.load_atomic(_place(builder, values[0]), "seq_cst", 8)

    return types.int64(types.int64), generate


@intrinsic
def _write(typingctx, address, value):
    def generate(context, builder, signature, values):
        builder.store_atomic(values[1], _place(builder, values[0]), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def _count(typingctx, address, value):
    """Return what was there, and leave the sum."""
    def generate(context, builder, signature, values):
        return builder.atomic_rmw("add", _place(builder, values[0]), values[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def _call(typingctx, function, arguments):
    """Call a function as Numba compiles void(int64); what it returns is always nothing."""
    def generate(context, builder, signature, values):
        result, error = (cgutils.alloca_once(builder, I8P) for _ in range(2))
        kind = ir.FunctionType(I32, [I8P.as_pointer(), I8P.as_pointer(), I64])
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), [result, error, values[1]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@njit(nogil=True)
def _run(board, i):
    part = _read(board + PARTS) + 16 * i
    _call(_read(part), _read(part + 8))


@njit(types.void(types.int64, types.int64, types.int64), nogil=True, cache=True)
def lead(board, parts, count):
    """Run so many parts, which lie one after the other; nobody else leads on this board.
    Some may still be run by others: see `ended`."""
    _write(board + PARTS, parts)
    _write(board + COUNT, count)
    _write(board + TAKEN, 0)
    _write(board + BEHIND, 0)
    _write(board + OPEN, 1)
    i = 0
    while _count(board + TAKEN, 1) < count:
        _run(board, i)
        i += 1
    _write(board + OPEN, 0)


@njit(types.boolean(types.int64), nogil=True, cache=True)
def ended(board):
    """Look for a while whether nobody is at a part of the last job any more."""
    for _ in range(LOOKS):
        if not _read(board + BUSY):
            return True
    return False


@njit(types.void(types.int64), nogil=True, cache=True)
def follow(board):
    """Take parts of the jobs on the board, until it was looked at for a while in vain."""
    idle = 0
    while idle < LOOKS:
        idle += 1
        if _read(board + OPEN) and _read(board + TAKEN) < _read(board + COUNT):
            _count(board + BUSY, 1)
            if _read(board + OPEN):  # still, and its leader waits while one is busy
                count = _read(board + COUNT)
                while _count(board + TAKEN, 1) < count:
                    _run(board, count - 1 - _count(board + BEHIND, 1))
                idle = 0
            _count(board + BUSY, -1)
