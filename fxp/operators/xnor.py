"""XNOR and popcount: the product of two rows of bits that stand for -1 and 1."""

from __future__ import annotations

import numpy as np

from fxp.format import Fixed, FormatError

__all__ = ["equal_bits", "xnor_popcount"]


def xnor_popcount(x, y, f: Fixed):
    """Return how many bits of x and y are equal, 0..f.bits.

    With p equal bits of n, the dot product of the rows of -1 and 1 is 2 p - n. The
    bits are added as a balanced tree. f is unsigned and has no fraction.
    """
    if f.signed or f.frac:
        raise FormatError(f"xnor-popcount takes unsigned words without a fraction, such as "
                          f"ufixed16.0, got {f}")
    same = (x ^ y) ^ f.high
    return _total([(same >> i) & 1 for i in range(f.bits)])


def equal_bits(x, y, f: Fixed):
    """Return the same of float64 arrays that hold the words."""
    differ = np.asarray(x, np.int64) ^ np.asarray(y, np.int64)
    return f.bits - sum((differ >> i) & 1 for i in range(f.bits)) * 1.0


def _total(terms):
    """Return the sum of a list, its halves first."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return _total(terms[:half]) + _total(terms[half:])
