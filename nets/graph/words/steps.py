"""The steps of a graph in words; each takes and gives rows of words, one row an input.

Every sum of products, mean and sum is one of the arithmetic's own operators, compiled from
its circuit; a function of one number gives the word nearest to the function's value, from a
table of all words where these are few enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from nets.arithmetic.tensor import Tensor
from nets.graph.words.arithmetics import Arithmetics
from nets.graph.words.placed import Placed

__all__ = ["Combine", "Function", "Greatest", "Mean", "Move", "Product", "Step"]

TABLE = 16  # bits of words that a table is made for
Words = np.ndarray


@dataclass
class Step:
    """A step gives the tensor `out`, of a shape for one input, from tensors by name."""

    name: str
    inputs: tuple[str, ...]
    out: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def work(self) -> int:
        """Numbers that the step holds for one input."""
        return self.size

    def kept(self) -> bool:
        """Whether the words are words of the first input, their format and all."""
        return False

    def run(self, bench: Arithmetics, given: list[Words], of: list[Placed], to: Placed,
            weights: Placed) -> Words:
        """Return rows of words of the format `to`, for rows of words of the formats `of`."""
        raise NotImplementedError


@dataclass
class Product(Step):
    """Windows of the input times w, plus b; group g takes index[g] and gives its own maps.

    index is groups x positions x depth, -1 for a zero; w groups x depth x maps, b groups x
    maps, both reals. The result lies as maps x positions, or positions x maps if `last`. kernel
    has the rows and columns of a window.
    """

    index: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0), np.int64))
    w: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    b: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    last: bool = False
    kernel: tuple[int, ...] = (1, 1)

    @property
    def work(self):
        return max(self.size, self.index.size)

    @property
    def macs(self) -> int:
        """Products of a sum for one input."""
        return int(self.index.size * self.w.shape[2])

    def run(self, bench, given, of, to, weights):
        ar = bench.of({"in": of[0].f, "weights": weights.f, "out": to.f})
        fields = loaded(ar, given[0], "in")
        rows, (groups, positions, depth) = len(given[0]), self.index.shape
        maps = self.w.shape[2]
        found = np.empty((rows, groups, maps, positions), to.f.dtype)
        weight = weights.words(np.ldexp(self.w, of[0].shift - to.shift))
        start = to.words(self.b)
        for g in range(groups):
            places = self.index[g].reshape(-1)
            a = Tensor({k: v.take(places, 1).reshape(rows * positions, depth)
                        for k, v in fields.items()}, depth, "in")
            w, b = ar.empty(depth, maps, "weights"), ar.empty(1, maps, "out")
            ar.set_words(w, weight[g])
            ar.set_words(b, start[g][None])
            y = ar.empty(rows * positions, maps, "out")
            bench.affine(ar, a, w, b, y)()
            found[:, g] = ar.words(y).reshape(rows, positions, maps).transpose(0, 2, 1)
        if self.last:
            found = found.transpose(0, 3, 1, 2)
        return found.reshape(rows, -1)


@dataclass
class Function(Step):
    """The word nearest to a function of the word's value; `places` where it is not the same
    one for all places, and takes rows x shape."""

    function: Callable[[np.ndarray], np.ndarray] = lambda x: x
    places: bool = False
    slope: Callable[[np.ndarray], np.ndarray] | None = None  # for training

    def run(self, bench, given, of, to, weights):
        if not self.places and of[0].f.bits <= TABLE:
            low, high = of[0].f.words
            table = self._nearest(np.arange(low, high + 1), of[0], to)
            return table.take(given[0].astype(np.int64) - low)
        return self._nearest(given[0], of[0], to, self.places)

    def _nearest(self, words, of, to, shaped=False):
        values = of.reals(words)
        if shaped:
            values = values.reshape(len(values), *self.shape[1:])
        found = np.nan_to_num(self.function(values).astype(np.float64), nan=0.0, posinf=to.limit,
                              neginf=-to.limit)
        return to.words(found).reshape(words.shape)


@dataclass
class Move(Step):
    """Numbers of the inputs, put one behind the other, at their new places; -1 is a zero."""

    index: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def kept(self):
        return len(self.inputs) == 1

    def run(self, bench, given, of, to, weights):
        rows = [words if f == to else to.words(f.reals(words)) for words, f in zip(given, of)]
        rows.append(np.full((len(rows[0]), 1), to.zero, to.f.dtype))
        return np.concatenate(rows, 1).take(self.index, 1)


@dataclass
class Greatest(Step):
    """The greatest number of each window, results x places, where -1 is no number."""

    index: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.int64))

    def kept(self):
        return True

    @property
    def work(self):
        return self.index.size

    def run(self, bench, given, of, to, weights):
        return np.take_along_axis(given[0], self.chosen(of[0].heights(given[0])), 1)

    def chosen(self, heights: np.ndarray) -> np.ndarray:
        """Return, for rows of what orders words, the place of the greatest of each window: the
        first of equal ones."""
        heights = np.pad(heights, ((0, 0), (0, 1)), constant_values=np.iinfo(np.int64).min)
        best, chosen = heights.take(self.index[:, 0], 1), self.index[:, 0][None].repeat(
            len(heights), 0)
        for column in self.index.T[1:]:
            here = heights.take(column, 1)
            better = here > best
            best = np.where(better, here, best)
            chosen = np.where(better, column, chosen)
        return chosen


@dataclass
class Mean(Step):
    """The means of windows: for each count of numbers, the results that have it and where
    these lie (count x results).

    Of fixed-point words they are exact and rounded once. In logarithms those of pooling
    `windows` are sums in sequence of the numbers times the word of 1 / count, as
    `nets.layers.spatial.pool` takes them, and others means of means, for long sums lose what
    comes late.
    """

    parts: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    windows: bool = False

    @property
    def work(self):
        return sum(index.size for _, index in self.parts)

    def run(self, bench, given, of, to, weights):
        plainly = self.windows and bench.logarithmic
        ar = bench.of({"in": of[0].f, "out": of[0].f})
        fields, rows = loaded(ar, given[0], "in"), len(given[0])
        found = np.empty((rows, self.size), of[0].f.dtype)
        for results, index in self.parts:
            count, width = index.shape
            t = ar.empty(count, rows * width, "in")
            for k, v in t.fields.items():
                v[:, : rows * width] = fields[k].take(index, 1).transpose(1, 0, 2).reshape(
                    count, -1)
            mean = ar.empty(1, rows * width, "in")
            if plainly:
                ar.sum_of_rows(ar.weighted_plan("in"), t, ar.constant(Fraction(1, count)), mean)()
            else:
                ar.mean_of_rows(t, mean)()
            found[:, results] = ar.words(mean).reshape(rows, width)
        return found if of[0] == to else to.words(of[0].reals(found))


@dataclass
class Combine(Step):
    """A formula of `nets.arithmetic.formulas` of two or three tensors, number by number.

    Operands beyond the inputs are constants: reals of the input's size.
    """

    formula: str = "plus"
    constants: tuple[np.ndarray, ...] = ()

    def run(self, bench, given, of, to, weights):
        most = max(f.shift for f in (*of, to))
        sized = [f if f.shift == most or self.formula != "plus" else Placed(f.f, most) for f in of]
        rows = [w if f == s else s.words(f.reals(w)) for w, f, s in zip(given, of, sized)]
        after = sum(f.shift for f in sized) if self.formula == "times" else sized[0].shift
        form = Placed(to.f, after)
        formats = {"ab"[i]: f.f for i, f in enumerate(sized)}
        ar = bench.of({**formats, "k": weights.f, "out": to.f, "activations": to.f})
        operands = [filled(ar, w, "ab"[i]) for i, w in enumerate(rows)]
        for i, value in enumerate(self.constants):
            scale = 0 if i == 0 else -after  # a factor, then what is added
            kind = Placed(weights.f) if i == 0 and self.formula == "affine" else Placed(to.f)
            words = kind.words(np.ldexp(value, scale))
            role = "k" if kind.f == weights.f else "out"
            operands.append(filled(ar, np.broadcast_to(words, rows[0].shape), role))
        out = ar.empty(len(rows[0]), self.size, "out")
        ar.formula(self.formula, out, *operands)()
        found = ar.words(out)
        return found if form == to else to.words(form.reals(found))


def filled(ar, words: Words, role: str) -> Tensor:
    """Return a tensor that holds rows of words."""
    t = ar.empty(len(words), words.shape[1], role)
    ar.set_words(t, words)
    return t


def loaded(ar, words: Words, role: str) -> dict[str, np.ndarray]:
    """Return the fields of rows of words, with a column of zeros at the end: place -1."""
    t = ar.empty(len(words), words.shape[1] + 1, role)
    inner = {k: v[:, : words.shape[1]] for k, v in t.fields.items()}
    ar.set_words(Tensor(inner, words.shape[1], role), words)
    return {k: v[:, : t.columns] for k, v in t.fields.items()}
