"""What one would write by hand: 16-bit LNS words multiplied as matrices, one at a time.

The words are those of Lns(16, 10) with the default 20-entry table, summed from the
first product to the last, in 64-bit integers that Numba compiles. Of several such
loops this was the fastest, by branches and by rows of b.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["delta_table", "matmul"]

ZERO = 0x4000  # the word of zero; its sign must be 0
BIAS = 0x4000  # code = log + BIAS, so that the code of zero is 0
CELL = 9  # a cell of the table is half an octave, 1 << CELL units wide
LAST = 20  # the entry from which the smaller term is dropped


def delta_table() -> np.ndarray:
    """Return D+ in row 0, D- in row 1; gap 0 of D- cancels."""
    gaps = np.arange(LAST) * 2.0**CELL / 1024
    with np.errstate(divide="ignore"):
        both = [np.log2(1 + 2**-gaps), np.log2(1 - 2**-gaps)]
    units = np.rint(np.maximum(both, -32.0) * 1024).astype(np.int64)
    return np.hstack([units, np.zeros((2, 1), np.int64)])


@njit
def mac(acc, x, y, table):
    """Return the word of acc + x * y."""
    code = ((x & 0x7FFF) ^ ZERO) + ((y & 0x7FFF) ^ ZERO) - BIAS
    if x == ZERO or y == ZERO or code <= 0:
        return acc
    code = min(code, 0x7FFF)
    sign = (x ^ y) & 0x8000
    if acc == ZERO:
        return (code ^ ZERO) | sign
    other = (acc & 0x7FFF) ^ ZERO
    opposite = (acc & 0x8000) ^ sign
    gap = other - code
    larger = other
    if gap < 0:
        gap, larger = -gap, code
    else:
        sign = acc & 0x8000
    cell = min((gap + (1 << (CELL - 1))) >> CELL, LAST)
    larger += table[1 if opposite else 0, cell]
    if larger <= 0:
        return ZERO
    return (min(larger, 0x7FFF) ^ ZERO) | sign


@njit
def matmul(a, b, table, out):
    """Write a @ b."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            out[i, j] = ZERO
        for k in range(a.shape[1]):
            x = np.int64(a[i, k])
            for j in range(b.shape[1]):
                out[i, j] = mac(np.int64(out[i, j]), x, np.int64(b[k, j]), table)
