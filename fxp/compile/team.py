"""Machine code that threads share out: how parts of a job are taken, without the interpreter.

A part is two words in memory, the address of a function void(int64), as kernels are compiled,
and that of its arguments. The job lies on a board: whoever leads it writes it there and takes
parts from the first one on until none is left; whoever follows takes them from the last one
back, so that a range of images or rows stays in one processor's caches from job to job. Who
comes late finds nothing to do; the leader waits for those alone that are at a part.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from fxp.compile.machine.native import I8P, I64, KIND, function
from fxp.compile.nests.loops import i64

__all__ = ["Board"]

LINE = 8  # words that a processor's caches hand over together
OPEN, TAKEN, BEHIND, BUSY, PARTS, COUNT, ENDED = (LINE * i for i in range(7))
WORDS = 7 * LINE
LOOKS = 200_000  # at a word of the board, some hundred microseconds


class Board:
    """A job that lies in memory, none at first."""

    def __init__(self):
        self._memory = np.zeros(WORDS + LINE, np.int64)
        skipped = -self._memory.ctypes.data // 8 % LINE
        self._words = self._memory[skipped : skipped + WORDS].data
        self._address = self._memory.ctypes.data + 8 * skipped

    def lead(self, parts: int, count: int) -> None:
        """Run so many parts, which lie one after the other from this address on; nobody else
        leads on this board. Some may still be run by others: see `ended`."""
        self._words[PARTS], self._words[COUNT] = parts, count
        _LEAD.run(self._address)

    def ended(self) -> bool:
        """Look for a while whether nobody is at a part of the last job any more."""
        _LOOK.run(self._address)
        return bool(self._words[ENDED])

    def follow(self) -> None:
        """Take parts of the jobs here, until it was looked for them for a while in vain."""
        _FOLLOW.run(self._address)


class _Words:
    """The words of a board in LLVM; every read and write is seen by all threads in one order."""

    def __init__(self, builder: ir.IRBuilder, board: ir.Value):
        self.builder = builder
        self.first = builder.inttoptr(board, I64.as_pointer())

    def _place(self, word: int):
        return self.builder.gep(self.first, [i64(word)])

    def read(self, word: int):
        return self.builder.load_atomic(self._place(word), "seq_cst", 8)

    def write(self, word: int, value) -> None:
        self.builder.store_atomic(value, self._place(word), "seq_cst", 8)

    def add(self, word: int, value: int):
        """Return what was there, and leave the sum."""
        return self.builder.atomic_rmw("add", self._place(word), i64(value), "seq_cst")

    def run(self, number) -> None:
        """Run a part; what it returns is always nothing."""
        b = self.builder
        result, error = (cgutils.alloca_once(b, I8P) for _ in range(2))
        part = b.inttoptr(b.add(self.read(PARTS), b.mul(number, i64(16))), I64.as_pointer())
        called, argument = (b.load(b.gep(part, [i64(i)]), align=8) for i in range(2))
        b.call(b.inttoptr(called, KIND.as_pointer()), [result, error, argument])


@contextmanager
def _while(builder: ir.IRBuilder, condition: Callable[[], ir.Value]):
    """A loop that runs as long as the condition, looked at before each turn, holds."""
    look, body, end = (builder.append_basic_block(f"while.{n}") for n in ("look", "body", "end"))
    builder.branch(look)
    builder.position_at_end(look)
    builder.cbranch(condition(), body, end)
    builder.position_at_end(body)
    yield
    builder.branch(look)
    builder.position_at_end(end)


def _emit_lead(builder: ir.IRBuilder, board: ir.Value) -> None:
    words = _Words(builder, board)
    for word, value in ((TAKEN, 0), (BEHIND, 0), (OPEN, 1)):
        words.write(word, i64(value))
    count = words.read(COUNT)
    number = cgutils.alloca_once_value(builder, i64(0))
    with _while(builder, lambda: builder.icmp_signed("<", words.add(TAKEN, 1), count)):
        words.run(builder.load(number))
        builder.store(builder.add(builder.load(number), i64(1)), number)
    words.write(OPEN, i64(0))


def _emit_look(builder: ir.IRBuilder, board: ir.Value) -> None:
    words = _Words(builder, board)
    looks, busy = (cgutils.alloca_once_value(builder, i64(v)) for v in (0, 1))

    def goes_on():
        few = builder.icmp_signed("<", builder.load(looks), i64(LOOKS))
        return builder.and_(few, builder.icmp_signed("!=", builder.load(busy), i64(0)))

    with _while(builder, goes_on):
        builder.store(words.read(BUSY), busy)
        builder.store(builder.add(builder.load(looks), i64(1)), looks)
    ended = builder.icmp_signed("==", builder.load(busy), i64(0))
    words.write(ENDED, builder.zext(ended, I64))


def _emit_follow(builder: ir.IRBuilder, board: ir.Value) -> None:
    words = _Words(builder, board)
    idle = cgutils.alloca_once_value(builder, i64(0))

    def is_open():
        return builder.icmp_signed("!=", words.read(OPEN), i64(0))

    with _while(builder, lambda: builder.icmp_signed("<", builder.load(idle), i64(LOOKS))):
        builder.store(builder.add(builder.load(idle), i64(1)), idle)
        with builder.if_then(is_open()):
            left = builder.icmp_signed("<", words.read(TAKEN), words.read(COUNT))
            with builder.if_then(left):
                words.add(BUSY, 1)
                with builder.if_then(is_open()):  # still, and its leader waits while one is busy
                    _take(builder, words)
                    builder.store(i64(0), idle)
                words.add(BUSY, -1)


def _take(builder: ir.IRBuilder, words: _Words) -> None:
    """Run parts from the last one back, until all are taken."""
    count = words.read(COUNT)
    with _while(builder, lambda: builder.icmp_signed("<", words.add(TAKEN, 1), count)):
        words.run(builder.sub(builder.sub(count, i64(1)), words.add(BEHIND, 1)))


_LEAD = function("team_lead", _emit_lead)
_LOOK = function("team_look", _emit_look)
_FOLLOW = function("team_follow", _emit_follow)
