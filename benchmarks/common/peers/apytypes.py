"""apytypes: fixed-point matrix products, exact or rounded at every step."""

from __future__ import annotations

import apytypes
import numpy as np
from apytypes import APyFixedArray, OverflowMode, QuantizationMode

__all__ = ["array", "every_step", "exact", "words"]

MODES: dict = {"quantization": QuantizationMode.RND_CONV, "overflow": OverflowMode.SAT}


def array(words: np.ndarray, bits: int, frac: int):
    """Return words as its array."""
    values = words.astype(np.float64) * 2.0**-frac
    return APyFixedArray.from_array(values, bits=bits, frac_bits=frac)


def exact(a, b):
    """Return a @ b, exact sums rounded once to the format of a."""
    return (a @ b).cast(bits=a.bits, frac_bits=a.frac_bits, **MODES)


def every_step(a, b):
    """Return a @ b, each product and sum brought to the format of a.

    Release 0.5.1 does not saturate the sums, only the products (its issue 857): it
    gives right words as long as no sum leaves the format.
    """
    context = apytypes.APyFixedAccumulatorContext(
        bits=a.bits, frac_bits=a.frac_bits, **MODES
    )
    with context:
        return a @ b


def words(made) -> np.ndarray:
    """Return the words of its array."""
    return np.rint(made.to_numpy() * 2.0**made.frac_bits).astype(np.int64)
