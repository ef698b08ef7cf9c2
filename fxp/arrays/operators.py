"""The operators of arrays of numbers: each one spec, run by the chosen backend."""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import numpy as np

from fxp.arrays.exact import REALS, exact_numbers
from fxp.arrays.numpy_functions import call_function, call_ufunc
from fxp.arrays.words import WordArray
from fxp.run import backend as run
from fxp.trace.circuit import trace

__all__ = ["NumberArray", "binary"]

N = TypeVar("N", bound="NumberArray")


def binary(name: str, swap: bool = False) -> Callable:
    """Return the method of an operator by its spec; with swap, self is the right side."""

    def method(self, other):
        words = self._operand(other)
        if words is NotImplemented:
            return words
        x, y = (words, self.words) if swap else (self.words, words)
        return self._like(self._map(getattr(self.SPEC, name), x=x, y=y))

    return method


def _comparison(holds: Callable) -> Callable:
    """Return the method of a comparison: booleans, by value, the numbers unrounded."""

    def method(self, other):
        order = self._order(other)
        return order if order is NotImplemented else holds(order, 0)

    return method


class NumberArray(WordArray):
    """Words with operators. A subclass names the module of its specs (SPEC).

    Both sides of an operator have the same format and arithmetic, and any shapes
    that broadcast; a number becomes the nearest word. Comparisons take numbers, and
    arrays of them, at their exact value.
    """

    SPEC: ClassVar[Any]
    __hash__ = None  # type: ignore[assignment]

    def _parameter(self, name: str, default):
        """Return what a spec's parameter of that name is in this arithmetic."""
        raise NotImplementedError

    def _product(self, a: np.ndarray, b: np.ndarray, init: np.ndarray, random) -> np.ndarray:
        """Return the words of init + a @ b."""
        raise NotImplementedError

    def _total(self, words: np.ndarray) -> np.ndarray:
        """Return the words of the sums of columns, one row."""
        raise NotImplementedError

    __add__, __radd__ = binary("add"), binary("add", swap=True)
    __sub__, __rsub__ = binary("sub"), binary("sub", swap=True)
    __mul__, __rmul__ = binary("mul"), binary("mul", swap=True)
    __eq__, __ne__ = _comparison(operator.eq), _comparison(operator.ne)
    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)

    def _order(self, other):
        """Return what is below, at or above 0 as words are less than, equal to or greater
        than others or real numbers, NaN beside a NaN; NotImplemented for other objects."""
        if isinstance(other, WordArray):
            words, side = self._operand(other, same_options=False), None
        elif isinstance(other, (*REALS, np.ndarray, list, tuple)):
            words, side = self._placed(exact_numbers(other))
        else:
            return NotImplemented
        order = self._map(self.SPEC.compare, np.int8, x=self.words, y=words)
        if side is None or not side.any():
            return order
        unordered = np.isnan(side)
        order += order  # in place: 1 byte a number, no new array
        order -= np.where(unordered, 0, side).astype(np.int8)
        return np.where(unordered, np.nan, order) if unordered.any() else order

    def __neg__(self):
        return self._like(self._map(self.SPEC.neg, x=self.words))

    def __abs__(self):
        return self._like(self._map(self.SPEC.absolute, x=self.words))

    def abs(self: N) -> N:
        """Return the magnitudes, as abs(self) does."""
        return abs(self)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function, types, args, options):
        return call_function(self, function, args, options)

    def minimum(self, other):
        """Return the smaller of each pair."""
        return self._like(self._map(self.SPEC.least, x=self.words, y=self._wanted(other)))

    def maximum(self, other):
        """Return the greater of each pair."""
        return self._like(self._map(self.SPEC.greatest, x=self.words, y=self._wanted(other)))

    def __matmul__(self, other):
        if isinstance(other, np.ndarray):
            self._operand(other)  # raises
        return self.matmul(other) if isinstance(other, WordArray) else NotImplemented

    __rmatmul__ = __matmul__  # asked only when the left side is no array of numbers

    def matmul(self, other, init=None, random=None):
        """Return init + self @ other, summed in the order that the arithmetic says.

        self is (..., K), other (K,) or (K, N). The sums start from init, an array of
        this arithmetic that broadcasts to the result, by default from zero. random
        goes with stochastic rounding: an integer for each sum, of which as many low
        bits are used as are dropped. Raises ValueError for shapes that do not fit.
        """
        self._check(other, same_options=True)
        a, b = self.words, other.words
        if a.ndim == 0 or b.ndim not in (1, 2) or a.shape[-1] != b.shape[0]:
            raise ValueError(f"no product of shapes {a.shape} and {b.shape}")
        shape = a.shape[:-1] + b.shape[1:]
        rows, depth, columns = math.prod(a.shape[:-1]), len(b), math.prod(b.shape[1:])
        if init is None:
            start = self._zeros((1, 1))
        else:
            start = np.broadcast_to(self._wanted(init), shape).reshape(rows, columns)
        if random is not None:
            random = np.broadcast_to(random, shape).reshape(rows, columns)
        words = self._product(a.reshape(rows, depth), b.reshape(depth, columns), start, random)
        return self._like(words.reshape(shape))

    def sum(self: N, axis: int | None = None) -> N:
        """Return the sums along an axis, or of all in C order; the order and precision
        are those of `matmul`, from the first to the last."""
        words = self.words.reshape(-1) if axis is None else np.moveaxis(self.words, axis, 0)
        shape = words.shape[1:]
        total = self._total(words.reshape(len(words), math.prod(shape)))
        return self._like(total.reshape(shape))

    def mean(self: N, axis: int | None = None) -> N:
        """Return the means along an axis, or that of all."""
        raise NotImplementedError

    def max(self: N, axis: int | None = None) -> N:
        """Return the greatest along an axis, or of all; of equal ones the first."""
        return self._extreme(self.SPEC.greatest, axis)

    def min(self: N, axis: int | None = None) -> N:
        """Return the smallest along an axis, or of all; of equal ones the first."""
        return self._extreme(self.SPEC.least, axis)

    def _extreme(self: N, spec: Callable, axis: int | None) -> N:
        words = self.words.reshape(-1) if axis is None else np.moveaxis(self.words, axis, 0)
        if not len(words):
            raise ValueError("of no numbers none is the greatest or the smallest")
        while len(words) > 1:
            even = len(words) & ~1
            winners = self._map(spec, x=words[:even:2], y=words[1:even:2])
            words = np.concatenate([winners, words[even:]])
        return self._like(words[0])

    def _count(self, axis: int | None) -> int:
        """Return how many numbers a mean is of; ValueError for none."""
        count = self.size if axis is None else self.shape[axis]
        if not count:
            raise ValueError("there is no mean of no numbers")
        return count

    def _map(self, spec: Callable, dtype=None, ranges=(), given=(), **arrays):
        """Return spec over arrays of words, traced once for this arithmetic.

        ranges gives those of ports that hold no words of f, given the parameters
        that differ from the arithmetic's; both as tuples of pairs.
        """
        key = spec, ranges, given
        if key not in self._circuits:
            ports = {**dict.fromkeys(arrays, self.f.words), **dict(ranges)}
            params = {n: self._parameter(n, p.default)
                      for n, p in inspect.signature(spec).parameters.items()
                      if n not in ports and n not in dict(given)}
            params.update((n, value) for n, value in given if n not in ports)
            self._circuits[key] = trace(spec, ports, **params)
        return run.elementwise(self._circuits[key], arrays, dtype or self.words.dtype)
