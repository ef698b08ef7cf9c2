"""fxpmath: fixed-point arrays that keep their format."""

from __future__ import annotations

import numpy as np
from fxpmath import Fxp

__all__ = ["array", "matmul", "words"]

MODES = {"signed": True, "rounding": "around", "overflow": "saturate"}


def array(words: np.ndarray, bits: int, frac: int):
    """Return words as its array; results of operators have the same format."""
    return Fxp(words, n_word=bits, n_frac=frac, raw=True, op_sizing="same", **MODES)


def matmul(a, b):
    """Return the exact product, rounded once to the format of a; its @ fails."""
    return Fxp(np.dot(a, b), n_word=a.n_word, n_frac=a.n_frac, **MODES)


def words(made) -> np.ndarray:
    """Return the words of its array."""
    return np.asarray(made.val).astype(np.int64)
