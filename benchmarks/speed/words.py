"""Operands of the speed measurements, and the check that both sides answer the same."""

from __future__ import annotations

import numpy as np

from fxp.format import Fixed
from lnsarith.lns.format import Lns

__all__ = ["FIXED", "LNS", "demand_equal", "fixed_words", "lns_words"]

LNS = Lns(16, 10)
FIXED = Fixed(16, 11)


def lns_words(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return words of Lns(16, 10) from 1/32 to 8, both signs, none of them zero.

    No sum of two of them is below the format, which xlns has no bounds to notice.
    """
    logs = rng.integers(-5 << 10, 3 << 10, shape)
    return ((logs & 0x7FFF) - (rng.integers(0, 2, shape) << 15)).astype(np.int16)


def fixed_words(rng: np.random.Generator, reach: float, *shape: int) -> np.ndarray:
    """Return words of Fixed(16, 11) between -reach and reach."""
    limit = int(reach * 2048)
    return rng.integers(-limit, limit, shape).astype(np.int16)


def demand_equal(what: str, ours, theirs, where=...) -> None:
    """Raise RuntimeError unless the words agree: else their times mean nothing."""
    ours, theirs = np.asarray(ours)[where], np.asarray(theirs)[where]
    if not np.array_equal(ours, theirs):
        count = int(np.count_nonzero(ours != theirs))
        raise RuntimeError(f"{what}: {count} of {ours.size} words differ")
