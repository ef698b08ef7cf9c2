"""What NumPy's functions do with arrays of numbers: what their methods do, or nothing.

A function that the tables here do not have raises a TypeError that names what to use:
none of them turns words into floats by itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from fxp.arrays.joining import joined, where
from fxp.arrays.words import WordArray

__all__ = ["call_function", "call_ufunc"]

# The method of the left side, and that of the right one if the left is no array of numbers.
UFUNCS: dict[Any, tuple[str, str]] = {
    np.add: ("__add__", "__radd__"), np.subtract: ("__sub__", "__rsub__"),
    np.multiply: ("__mul__", "__rmul__"), np.divide: ("__truediv__", "__rtruediv__"),
    np.matmul: ("__matmul__", "__rmatmul__"), np.power: ("__pow__", ""),
    np.equal: ("__eq__", "__eq__"), np.not_equal: ("__ne__", "__ne__"),
    np.less: ("__lt__", "__gt__"), np.less_equal: ("__le__", "__ge__"),
    np.greater: ("__gt__", "__lt__"), np.greater_equal: ("__ge__", "__le__"),
    np.maximum: ("maximum", "maximum"), np.minimum: ("minimum", "minimum"),
    np.negative: ("__neg__", ""), np.absolute: ("__abs__", ""), np.sqrt: ("sqrt", ""),
}

# These put words elsewhere, whatever they mean.
MOVES: set[Any] = {
    np.atleast_1d, np.atleast_2d, np.broadcast_to, np.copy, np.diagonal, np.expand_dims, np.flip,
    np.fliplr, np.flipud, np.moveaxis, np.ravel, np.repeat, np.reshape, np.roll, np.rot90,
    np.squeeze, np.swapaxes, np.take, np.tile, np.transpose}
JOINS: set[Any] = {np.column_stack, np.concatenate, np.dstack, np.hstack, np.stack, np.vstack}
SIZES: set[Any] = {np.ndim, np.shape, np.size}


def _array_equal(a1, a2) -> bool:
    return bool(np.shape(a1) == np.shape(a2) and np.all(a1 == a2))


def _clip(a, a_min=None, a_max=None):
    low = a if a_min is None else np.maximum(a, a_min)
    return low if a_max is None else np.minimum(low, a_max)


OWN: dict[Any, Callable] = {
    np.sum: lambda a, axis=None: a.sum(axis), np.mean: lambda a, axis=None: a.mean(axis),
    np.max: lambda a, axis=None: a.max(axis), np.min: lambda a, axis=None: a.min(axis),
    np.amax: lambda a, axis=None: a.max(axis), np.amin: lambda a, axis=None: a.min(axis),
    np.dot: lambda a, b: a @ b, np.clip: _clip, np.where: where, np.array_equal: _array_equal,
}

HINTS = {
    "allclose": "x == y, x < y for exact values, x.is_identical(y) for words",
    "isclose": "x == y, x < y for exact values",
    "add.reduce": "x.sum(axis)", "maximum.reduce": "x.max(axis)", "minimum.reduce": "x.min(axis)",
    "square": "x * x", "fabs": "abs(x)", "nansum": "x.sum(axis)", "average": "x.mean(axis)",
    "inner": "x @ y.T", "vdot": "x @ y", "tensordot": "x @ y", "einsum": "x @ y",
    "zeros_like": "x.zeros(x.shape, x.f)", "save": "x.words and str(x.f)",
    "array_str": "str(x)", "array_repr": "repr(x)", "array2string": "str(x)",
}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple, options: dict):
    """Return what the operator of a ufunc gives; TypeError if there is none, or for options."""
    numbers = next(x for x in (*inputs, *options.get("out", ())) if isinstance(x, WordArray))
    left, right = UFUNCS.get(ufunc, ("", ""))
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if options or method != "__call__" or not hasattr(numbers, left):
        _refuse(numbers, name, options)
    if isinstance(inputs[0], WordArray):
        result = getattr(inputs[0], left)(*inputs[1:])
    else:
        result = getattr(numbers, right)(inputs[0]) if right else NotImplemented
    return _refuse(numbers, name) if result is NotImplemented else result


def call_function(numbers: WordArray, function: Callable, args: tuple, options: dict):
    """Return what a function of NumPy gives of words; TypeError if that is not defined."""
    name = function.__name__
    if function in SIZES or (function in MOVES and "out" not in options):
        found = _first_alone(numbers, name, args, options)
        result = function(found.words, *args[1:], **options)
        return result if function in SIZES else numbers._like(result)
    if function in JOINS and not set(options) - {"axis"}:
        return joined(function, *args, **options)
    if function in OWN:
        try:
            bound = inspect.signature(OWN[function]).bind(*args, **options)
        except TypeError:
            _refuse(numbers, name, options)
        return OWN[function](*bound.args, **bound.kwargs)
    _refuse(numbers, _full_name(function))


def _first_alone(numbers: WordArray, name: str, args: tuple, options: dict) -> WordArray:
    """Return the first argument if it alone is an array of numbers."""
    others = [*args[1:], *options.values()]
    if not args or not isinstance(args[0], WordArray) or any(
            isinstance(x, WordArray) for x in others):
        _refuse(numbers, name)
    return args[0]


def _full_name(function: Callable) -> str:
    module = (function.__module__ or "numpy").removeprefix("numpy").strip(".")
    return ".".join(filter(None, (module, function.__name__)))


def _refuse(numbers: WordArray, name: str, options=()) -> NoReturn:
    kind = type(numbers).__name__
    given = f" with {', '.join(options)}" if options else ""
    hint = f"take {HINTS[name]}, or " if name in HINTS else "take its methods, or "
    raise TypeError(f"np.{name}{given} is not defined for {kind}; {hint}x.to_float() for the "
                    "values in float64, where floats are meant")
