"""Where the operands of a product lie, and the memory that kernels work in."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from fxp.trace.plans import NARROW_ROWS, MatmulPlan

__all__ = ["Rooms", "aligned", "rooms_of", "rows_and_steps", "tables_of"]

LINE = 64  # bytes of a line of the cache
CLASH = 1 << 10  # rows so many bytes apart, or a multiple, have their lines in few sets of a cache
WORTH_A_ROOM = 16  # rows of a product that use each block of columns
DEEP = 1 << 10  # steps from which a block of columns is too large for the second cache


def aligned(shape, dtype: np.dtype) -> np.ndarray:
    """Return an uninitialised array that begins where a line of the cache does: a vector that is
    written and read again at once must not lie in two."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)


class Rooms(NamedTuple):
    """The memory that a part of a product works in, and the arguments that lead there: where the
    steps of its rows are listed, how many steps and rows it takes at a time, where columns of b
    are put together, where sums wait."""

    arguments: dict[str, int]
    memory: dict[str, np.ndarray]


def rooms_of(plan: MatmulPlan, a: dict[str, np.ndarray], b: dict[str, np.ndarray],
             rows: int) -> Rooms:
    """Return the rooms for so many rows: columns of b are put together where its rows do not lie
    well in the caches, sums wait where steps are too many for them."""
    depth, columns = next(iter(b.values())).shape
    if plan.shape == "dots":
        return _of_dots(plan, depth, columns, rows)
    beside = NARROW_ROWS if plan.shape == "narrow" else 1
    steps = beside * (2 + len(a)) * (depth + plan.SPARE) + rows + plan.SPARE
    chunk, group, places = max(depth, 1), max(rows, 1), {"scratch": _bytes(8 * steps)}
    if rows >= WORTH_A_ROOM and plan.combine is None:
        if depth >= DEEP and not plan.keep_untouched:
            chunk, group = plan.CHUNK, plan.GROUP
            places["sums"] = _bytes(len(plan.state) * plan.WAITING)
        if columns > plan.PACKED and any(x.strides[0] % CLASH == 0 for x in b.values()):
            size = sum(x.itemsize for x in b.values())
            places["packed"] = _bytes(chunk * plan.PACKED * size)
    return _rooms(places, chunk=chunk, group=group)


def _of_dots(plan: MatmulPlan, depth: int, columns: int, rows: int) -> Rooms:
    """Return the rooms of `fxp.compile.nests.dots`: what is known of blocks of b, steps of a that
    are taken together and lists of them; steps of b, of all blocks if they are few, else of the
    one at hand; registers."""
    rows, columns = min(rows + 7, plan.DOT_ROWS), min(columns + 31, plan.DOT_COLUMNS)
    blocks = -(-depth // plan.DOT_STEPS)
    blocks = blocks if 1 <= blocks <= plan.DOT_BLOCKS else 1
    known = plan.DOT_BLOCKS * (plan.DOT_WIDTH + 2)
    lists = (rows + 3) // 4 * (plan.DOT_STEPS + 16)
    return _rooms({
        "scratch": _bytes(4 * (known + plan.DOT_STEPS // 2 * plan.DOT_ROWS + 2 * lists)),
        "packed": _bytes(((blocks - 1) * plan.DOT_COLUMNS + columns) * plan.DOT_STEPS * 2),
        "sums": _bytes(rows * plan.DOT_WIDTH * 8)}, chunk=blocks * plan.DOT_STEPS)


def _rooms(places: dict[str, np.ndarray], **arguments: int) -> Rooms:
    addresses = {name: place.ctypes.data for name, place in places.items()}
    return Rooms({**arguments, **addresses}, places)


def _bytes(count: int) -> np.ndarray:
    return aligned((count,), np.dtype(np.uint8))


def rows_and_steps(a: np.ndarray) -> tuple[int, int]:
    """Return how many rows and steps an operand has, by the first and the second half of its
    axes."""
    half = a.ndim // 2
    return math.prod(a.shape[:half]), math.prod(a.shape[half:])


class Tables(NamedTuple):
    """Where rows and steps of an operand lie, and pairs of steps if they lie beside each other,
    in bytes behind its begin; of an odd number the last pair are the last two. `line` says that
    all steps lie beside each other."""

    arrays: dict[str, np.ndarray]
    line: bool


def tables_of(a: np.ndarray) -> Tables:
    """Return the tables of an operand."""
    return _tables(a.shape, a.strides, a.itemsize)


@lru_cache(maxsize=32)  # those of large windows are some hundred KB
def _tables(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> Tables:
    half = len(shape) // 2
    rows, steps = (_places(shape[part], strides[part])
                   for part in (slice(half), slice(half, None)))
    tables = {"a_rows": rows, "a_steps": steps}
    seconds = np.minimum(np.arange(1, len(steps) + 1, 2), len(steps) - 1)
    if len(steps) > 1 and (steps[seconds] - steps[seconds - 1] == size).all():
        tables["a_pairs"] = steps[seconds - 1]
    return Tables(tables, bool((np.diff(steps) == size).all()))


def _places(shape, strides) -> np.ndarray:
    places = np.zeros(1, np.int64)
    for count, stride in zip(shape, strides):
        places = np.add.outer(places, stride * np.arange(count, dtype=np.int64)).reshape(-1)
    return places
