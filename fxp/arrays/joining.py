"""Arrays of numbers put together: their words, of one format and arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fxp.arrays.words import WordArray

__all__ = ["concatenate", "joined", "stack", "where"]


def concatenate(arrays: Sequence, axis: int | None = 0):
    """Return arrays one behind the other along an axis; with None flattened."""
    return joined(np.concatenate, arrays, axis=axis)


def stack(arrays: Sequence, axis: int = 0):
    """Return arrays of one shape side by side along a new axis."""
    return joined(np.stack, arrays, axis=axis)


def where(condition, x, y):
    """Return x where a condition holds, else y; one of them may be a number.

    condition is booleans; TypeError for others, FormatError if x and y do not mix.
    """
    numbers = x if isinstance(x, WordArray) else y
    if not isinstance(numbers, WordArray):
        raise TypeError("where wants an array of numbers on one side at least; values go "
                        "through np.where")
    if isinstance(condition, WordArray) or np.asarray(condition).dtype != bool:
        raise TypeError("the condition of where is booleans, such as x > 0")
    return numbers._like(np.where(condition, numbers._wanted(x), numbers._wanted(y)))


def joined(function, arrays: Sequence, **options):
    """Return what one of NumPy's joining functions makes of the words of arrays."""
    arrays = list(arrays)
    first = next((part for part in arrays if isinstance(part, WordArray)), None)
    if first is None:
        raise TypeError(f"{function.__name__} wants arrays of numbers; values go through "
                        f"np.{function.__name__}")
    for part in arrays:
        if not isinstance(part, WordArray):
            raise TypeError(f"{type(part).__name__} does not mix with {type(first).__name__}; "
                            f"make one of it, with {type(first).__name__}.from_float(values, f)")
        first._check(part, same_options=True)
    return first._like(function([part.words for part in arrays], **options))
