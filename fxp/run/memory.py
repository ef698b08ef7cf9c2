"""Memory that kernels work in: where it begins, and when a block of columns gets some."""

from __future__ import annotations

import numpy as np

from fxp.trace.plans import MatmulPlan

__all__ = ["aligned", "room_to_pack"]

LINE = 64  # bytes of a line of the cache
CLASH = 1 << 10  # rows so many bytes apart, or a multiple, have their lines in few sets of a cache
WORTH_PACKING = 16  # rows of a product that use each block of columns


def aligned(shape, dtype: np.dtype) -> np.ndarray:
    """Return an uninitialised array that begins where a line of the cache does: a vector that is
    written and read again at once must not lie in two."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def room_to_pack(plan: MatmulPlan, b: dict[str, np.ndarray], rows: int) -> np.ndarray:
    """Return memory for a block of the columns of b, none where its rows lie well in the caches
    or are used by few rows of the product."""
    depth, columns = next(iter(b.values())).shape
    clash = columns > plan.PACKED and any(x.strides[0] % CLASH == 0 for x in b.values())
    if not clash or rows < WORTH_PACKING or plan.combine is not None:
        return np.empty(0, np.uint8)
    return aligned(depth * plan.PACKED * sum(x.itemsize for x in b.values()), np.dtype(np.uint8))
