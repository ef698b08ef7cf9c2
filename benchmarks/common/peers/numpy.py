"""NumPy by hand: what one writes without a library."""

from __future__ import annotations

import numpy as np

__all__ = ["exact_matmul", "fixed_mul"]


def exact_matmul(a: np.ndarray, b: np.ndarray, frac: int) -> np.ndarray:
    """Return words of a product of float64 words, as exact as 53 bits: rounded once."""
    total = np.rint((a @ b) * 2.0**-frac)
    return np.clip(total, -32768, 32767).astype(np.int16)


def fixed_mul(x: np.ndarray, y: np.ndarray, frac: int) -> np.ndarray:
    """Return words of int16 x * y, rounded to nearest even and saturated."""
    product = x.astype(np.int32) * y
    product += (1 << (frac - 1)) - 1 + ((product >> frac) & 1)
    product >>= frac
    return np.clip(product, -32768, 32767).astype(np.int16)
