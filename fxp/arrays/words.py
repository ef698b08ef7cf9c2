"""What arrays of numbers have in common, whatever their number system: the words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

import numpy as np

from fxp.arrays.exact import REALS, checked_kinds, exact_numbers, finite
from fxp.format import FormatError

__all__ = ["WordArray", "checked_words"]

A = TypeVar("A", bound="WordArray")

SHOWN = 1000  # longer arrays are abridged by repr


class WordArray:
    """Words in an integer array, their format f, and the arithmetic that binds them.

    A subclass names its format class (FORMAT) and the options of its arithmetic
    (OPTIONS). Values become words by `from_float` only, words become values where
    floats are named: by `to_float`, np.asarray(numbers, float) or float(number). Slices
    share their words. A format may be given as text, such as fixed16.11.
    """

    FORMAT: ClassVar[type]
    OPTIONS: ClassVar[tuple[str, ...]] = ()
    CLASSES: ClassVar[dict[type, Any]] = {}  # by format class

    words: np.ndarray
    f: Any
    arithmetic: Any

    def __init__(self, words, f, **options):
        raise NotImplementedError

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "FORMAT" in vars(cls):
            WordArray.CLASSES[cls.FORMAT] = cls

    def _encoded(self, values: np.ndarray) -> np.ndarray:
        """Return the words nearest to finite numbers (`fxp.arrays.exact.exact_numbers`)."""
        raise NotImplementedError

    def _zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return words of zero."""
        return np.full(shape, self._encoded(np.zeros(())), self.f.dtype)

    def _placed(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each number (`fxp.arrays.exact.exact_numbers`) the word at or next below it,
        or the lowest, and whether the number lies at (0), above (1) or below it (-1)."""
        raise NotImplementedError

    def _decoded(self) -> np.ndarray:
        """Return the values as float64."""
        raise NotImplementedError

    def _set(self, words: np.ndarray, f, arithmetic):
        self.words, self.f, self.arithmetic = words, f, arithmetic
        self._circuits = _circuits(arithmetic)

    def _like(self: A, words: np.ndarray) -> A:
        """Return an array of these words with the same format and arithmetic."""
        new = object.__new__(type(self))
        new.words, new.f, new.arithmetic = np.asarray(words), self.f, self.arithmetic
        new._circuits = self._circuits
        return new

    @property
    def options(self) -> dict:
        """The options of the arithmetic, as the constructor takes them."""
        return {name: getattr(self.arithmetic, name) for name in self.OPTIONS}

    @classmethod
    def from_float(cls: type[A], values, f, **options) -> A:
        """Return an array of the words nearest to values, which may be nested lists.

        Ints, floats, Fractions and Decimals are rounded once, whatever their size. What
        is too large saturates. NaN and infinity raise ValueError, other than real
        numbers TypeError.
        """
        empty = cls([], f, **options)
        values = values.to_float() if isinstance(values, WordArray) else values
        return empty._like(empty._encoded(finite(exact_numbers(values), empty.f)))

    @classmethod
    def zeros(cls: type[A], shape, f, **options) -> A:
        """Return an array of zeros."""
        empty = cls([], f, **options)
        return empty._like(empty._zeros(shape))

    def to_float(self) -> np.ndarray:
        """Return the values as float64, in a new array."""
        return np.asarray(self._decoded())

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        """Return the values as floats of a type that is named: NumPy asks for none where
        words would turn into floats unseen, as in np.sum([x, y])."""
        if dtype is None or np.dtype(dtype).kind != "f":
            raise TypeError(f"{type(self).__name__} does not turn into an ndarray by itself; "
                            "x.to_float() has the values in float64, x.words the words")
        if copy is False:
            raise ValueError("values are made from words, never shared; array.words are there")
        return self.to_float().astype(dtype, copy=False)

    def __float__(self) -> float:
        return float(self._decoded().item())

    def __bool__(self):
        raise TypeError("an array of numbers is neither true nor false; compare it first")

    def __getstate__(self):
        return self.words, self.f, self.arithmetic

    def __setstate__(self, state):
        self._set(*state)

    def __repr__(self) -> str:
        head = f"{type(self).__name__}("
        words = np.array2string(self.words, 88, separator=", ", threshold=SHOWN, prefix=head)
        defaults = {field.name: field.default for field in fields(self.arithmetic)}
        changed = [f"{name}={value!r}" for name, value in self.options.items()
                   if value != defaults[name]]
        text = f"{head}{', '.join([words, repr(self.f), *changed])})"
        return text if self.size or self.shape == (0,) else f"{text}.reshape({self.shape})"

    def __str__(self) -> str:
        values = np.array2string(self.to_float(), 88, threshold=SHOWN)
        return f"{values} {self.f}"

    def copy(self: A) -> A:
        """Return an array with words of its own."""
        return self._like(self.words.copy())

    __copy__ = copy

    def is_identical(self, other) -> bool:
        """Whether other has the same format, shape and words."""
        return (type(other) is type(self) and other.f == self.f
                and np.array_equal(self.words, other.words))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.words.shape

    @property
    def ndim(self) -> int:
        return self.words.ndim

    @property
    def size(self) -> int:
        return self.words.size

    @property
    def T(self: A) -> A:
        """The transposed view."""
        return self._like(self.words.T)

    def reshape(self: A, *shape) -> A:
        """Return the numbers in another shape; the words are shared where NumPy can."""
        return self._like(self.words.reshape(*shape))

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator:
        return (self[i] for i in range(len(self)))

    def __getitem__(self: A, key) -> A:
        return self._like(np.asarray(self.words[key]))

    def __setitem__(self, key, value):
        self.words[key] = self._wanted(value, same_options=False)

    def _format(self, to):
        """Return a format, or the one that a text names, of any array class there is.

        Raises FormatError for what is none, and where its class is not loaded.
        """
        if isinstance(to, str):
            for kind in self.CLASSES:
                if to.lstrip("u").startswith(kind.__name__.lower()):
                    return kind.parse(to)  # type: ignore[attr-defined]
        if type(to) not in self.CLASSES:
            raise FormatError(f"no array class for {to!r} is loaded; import the module that "
                              "has it, such as lnsarith.catalogue.array, or take x.to_float() "
                              "for floats")
        return to

    def _operand(self, other, same_options: bool = True):
        """Return the words of the other side of an operator, or NotImplemented.

        Raises FormatError for another format or arithmetic, TypeError for an ndarray.
        """
        if isinstance(other, WordArray):
            self._check(other, same_options)
            return other.words
        if isinstance(other, np.ndarray):
            name = type(self).__name__
            raise TypeError(f"an ndarray of {other.dtype} does not mix with {name}; make one "
                            f"of it, with {name}.from_float(values, f) or {name}(words, f)")
        if isinstance(other, REALS):
            return self._encoded(finite(exact_numbers(other), self.f))
        return NotImplemented

    def _wanted(self, other, same_options: bool = True) -> np.ndarray:
        words = self._operand(other, same_options)
        if words is NotImplemented:
            raise TypeError(f"{type(self).__name__} takes one of its kind or a number, "
                            f"got {type(other).__name__}")
        return words

    def _check(self, other: WordArray, same_options: bool):
        if other.f != self.f:
            raise FormatError(f"{self.f} and {other.f} do not mix; convert one with astype")
        if same_options and other.arithmetic is not self.arithmetic:
            for (name, mine), its in zip(self.options.items(), other.options.values()):
                if mine != its:
                    raise FormatError(f"{self.f} with {name}={mine} does not mix with "
                                      f"{name}={its}")


def checked_words(words, f, kind: type[Any]) -> np.ndarray:
    """Return words as an array of f's type, shared if it is one already.

    Raises FormatError where f is not of this kind of format or words lie outside
    it, TypeError for other than integers.
    """
    if not isinstance(f, kind):
        raise FormatError(f"the format must be a {kind.__name__}, got {f!r}")
    checked_kinds(words)
    given, words = words, np.asarray(words)
    if words.dtype.kind not in "iu" and words.size:
        kind_of = words.dtype
        words = np.asarray(given, object)  # NumPy makes floats of integers beyond 64 bits
        if kind_of.kind not in "fO" or not all(isinstance(w, int) for w in words.flat):
            raise TypeError(f"words are integers, got {kind_of}; values go through from_float")
    low, high = f.words
    if words.dtype != f.dtype or np.iinfo(f.dtype).bits > f.bits:
        outside = (words < low) | (words > high)
        if outside.any():
            raise FormatError(f"words of {f} are {low}..{high}, got {words[outside].flat[0]}")
    return words.astype(f.dtype, copy=False)


@lru_cache(maxsize=256)
def _circuits(arithmetic) -> dict:
    """Return the store of traced circuits that arrays of this arithmetic share."""
    return {}
