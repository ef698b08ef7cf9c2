"""Memory that kernels work in: where it begins, and which products get some."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fxp.trace.plans import MatmulPlan

__all__ = ["Rooms", "aligned", "rooms_of"]

LINE = 64  # bytes of a line of the cache
CLASH = 1 << 10  # rows so many bytes apart, or a multiple, have their lines in few sets of a cache
WORTH_A_ROOM = 16  # rows of a product that use each block of columns
DEEP = 1 << 10  # steps from which a block of columns is too large for the second cache


def aligned(shape, dtype: np.dtype) -> np.ndarray:
    """Return an uninitialised array that begins where a line of the cache does: a vector that is
    written and read again at once must not lie in two."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)


class Rooms(NamedTuple):
    """The memory that a part of a product works in, and the arguments that lead there: how many
    steps and rows it takes at a time, where columns of b are put together, where sums wait."""

    arguments: dict[str, int]
    memory: list[np.ndarray]


def rooms_of(plan: MatmulPlan, b: dict[str, np.ndarray], rows: int) -> Rooms:
    """Return the rooms for so many rows: columns of b are put together where its rows do not lie
    well in the caches, sums wait where steps are too many for them."""
    depth, columns = next(iter(b.values())).shape
    chunk, group, memory = max(depth, 1), max(rows, 1), [np.empty(0, np.uint8)] * 2
    if rows >= WORTH_A_ROOM and plan.combine is None:
        if depth >= DEEP and not plan.keep_untouched:
            chunk, group = plan.CHUNK, plan.GROUP
            memory[1] = _bytes(len(plan.state) * plan.WAITING)
        if columns > plan.PACKED and any(x.strides[0] % CLASH == 0 for x in b.values()):
            memory[0] = _bytes(chunk * plan.PACKED * sum(x.itemsize for x in b.values()))
    packed, sums = (x.ctypes.data if x.size else 0 for x in memory)
    return Rooms({"chunk": chunk, "group": group, "packed": packed, "sums": sums}, memory)


def _bytes(count: int) -> np.ndarray:
    return aligned((count,), np.dtype(np.uint8))
