"""Flips of single bits, by chance."""

from __future__ import annotations

import numpy as np

__all__ = ["flip_bits"]


def flip_bits(words: np.ndarray, bits: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return the patterns of words, 0..2**bits - 1, in one row, with each bit flipped with the
    rate (two draws of one bit undo each other, which is rare)."""
    total = words.size * bits
    places = rng.integers(total, size=rng.binomial(total, rate))
    found = words.astype(np.int64).ravel() & ((1 << bits) - 1)
    np.bitwise_xor.at(found, places // bits, 1 << (places % bits))
    return found
