"""Real numbers as they are given, not yet rounded: floats, ints, Fractions, Decimals."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["REALS", "checked_kinds", "each", "exact_numbers", "finite", "near_fraction", "signs"]

REALS = (numbers.Number, np.bool_)  # `exact_numbers` refuses some of them
WHOLE = 1 << 53  # integers up to here are float64 numbers
REACH = 60  # decimal digits before or behind the point beyond which no fixed-point word is


def exact_numbers(values) -> np.ndarray:
    """Return real numbers, or nested lists of them, as they are: as float64 where that holds
    each of them, else as an array of objects, each a Fraction, a finite Decimal, or a float
    if NaN or infinite. Raises TypeError for what is no real number: booleans, complex
    numbers, texts, masked arrays, None and other objects.
    """
    kinds = checked_kinds(values)
    array = np.asarray(values)
    if array.dtype.kind not in "iufO":
        raise TypeError(f"real numbers are wanted, got {array.dtype}: ints, floats, Fractions "
                        "and Decimals are some")
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        among_others = isinstance(values, (list, tuple)) and not all(
            issubclass(kind, (float, np.floating)) for kind in kinds)
        if not (among_others and _large(array)):
            return array.astype(np.float64, copy=False)
        array = np.array(values, object)  # NumPy has rounded the large ints among floats
    elif array.dtype.kind in "iu" and not _large(array):
        return array.astype(np.float64)
    return _mapped(array, _exact)


def checked_kinds(values) -> set[type]:
    """Return the types of what nested lists hold; TypeError for masked arrays and truth
    values, which NumPy would turn into numbers."""
    kinds = _kinds(values)
    for kind in kinds:
        if issubclass(kind, np.ma.MaskedArray):
            raise TypeError("a masked array has places without a number; fill them first, "
                            "with values.filled(number)")
        if issubclass(kind, (bool, np.bool_)):
            raise TypeError("a truth value is no number; give 0 and 1 as integers")
    return kinds


def each(values: np.ndarray, function: Callable[[Any], int]) -> np.ndarray:
    """Return the integers that a function gives of each object, as int64."""
    return _mapped(values, function).astype(np.int64)


def finite(values: np.ndarray, f) -> np.ndarray:
    """Return exact numbers; raise ValueError if one is NaN or infinite."""
    if values.dtype == object:
        amiss = _mapped(values, lambda value: isinstance(value, float)).astype(bool)
    else:
        amiss = ~np.isfinite(values)
    if amiss.any():
        raise ValueError(f"{f} has no word for {values[amiss].flat[0]}")
    return values


def signs(values: np.ndarray) -> np.ndarray:
    """Return -1, 0, 1 or NaN as exact numbers are negative, zero, positive or NaN."""
    if values.dtype != object:
        return np.sign(values)
    return _mapped(values, lambda v: v if v != v else (v > 0) - (v < 0)).astype(np.float64)


def near_fraction(value: Fraction | Decimal) -> Fraction:
    """Return a number as a Fraction; Decimals beyond any fixed-point word, which can have
    exponents of a billion, as others that are."""
    if isinstance(value, Decimal) and value and abs(value.adjusted()) > REACH:
        size = Fraction(10) ** (REACH if value.adjusted() > 0 else -REACH)
        return -size if value < 0 else size
    return Fraction(value)


def _mapped(values: np.ndarray, function: Callable) -> np.ndarray:
    """Return an array of objects: what a function gives of each."""
    found = np.empty(values.size, object)
    for i, value in enumerate(values.flat):
        found[i] = function(value)
    return found.reshape(values.shape)


def _kinds(values) -> set[type]:
    """Return the types of what nested lists hold."""
    if not isinstance(values, (list, tuple)):
        return {type(values)}
    kinds = set(map(type, values))
    if not any(issubclass(kind, (list, tuple)) for kind in kinds):
        return kinds
    return set().union(*map(_kinds, values))


def _large(array: np.ndarray) -> bool:
    """Whether an array holds numbers of which float64 need not have each integer."""
    return bool(((array > WHOLE) | (array < -WHOLE)).any())


def _exact(value) -> Fraction | Decimal | float:
    """Return what stands for a number without rounding it."""
    if isinstance(value, Decimal):
        if value.is_finite():
            return value
        return math.nan if value.is_nan() else float(value)
    if isinstance(value, numbers.Rational) and not isinstance(value, bool):
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, (float, np.floating)):
        return Fraction(*value.as_integer_ratio()) if np.isfinite(value) else float(value)
    raise TypeError(f"real numbers are wanted, got {value!r}, which is of {type(value).__name__}")
