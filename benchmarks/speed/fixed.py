"""Fixed-point words against apytypes, fxpmath and NumPy."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.common.rows import Mark, Results
from benchmarks.common.timing import compare
from benchmarks.speed.row import add_rate, peer
from benchmarks.speed.words import FIXED, demand_equal, fixed_words

__all__ = ["rows"]

STEPS = Mark(">=", 40)
SIZE = (128, 784, 100)
TINY = (8, 50, 20)


def rows(results: Results, options) -> None:
    """Add products of matrices, then of elements; all words are compared first."""
    size = TINY if options.tiny else SIZE
    rng = np.random.default_rng(2)
    a, b = fixed_words(rng, 0.5, *size[:2]), fixed_words(rng, 0.5, *size[1:])
    peer(results, "apytypes", against_apytypes, a, b, options)
    peer(results, "fxpmath", against_fxpmath, a, b, options)
    peer(results, "numpy", against_numpy, a, b, options)
    count = 10**3 if options.tiny else 10**5
    x, y = fixed_words(rng, 8, count), fixed_words(rng, 8, count)
    peer(results, "fxpmath", multiply_fxpmath, x, y, options)
    peer(results, "numpy", multiply_numpy, x, y, options)


def against_apytypes(apytypes, results: Results, a, b, options) -> None:
    """No sum leaves the format here: apytypes 0.5.1 would not saturate it."""
    p, q = (apytypes.array(w, FIXED.bits, FIXED.frac) for w in (a, b))
    for kind, product, mark in (
        ("each", apytypes.every_step, STEPS),
        ("exact", apytypes.exact, None),
    ):
        theirs = partial(product, p, q)
        _matmul(results, kind, "apytypes", a, b, theirs, apytypes.words, mark, options)


def against_fxpmath(fxpmath, results: Results, a, b, options) -> None:
    """Add the row of its np.dot."""
    p, q = (fxpmath.array(w, FIXED.bits, FIXED.frac) for w in (a, b))
    theirs = partial(fxpmath.matmul, p, q)
    _matmul(
        results, "exact", "fxpmath np.dot", a, b, theirs, fxpmath.words, None, options
    )


def against_numpy(by_hand, results: Results, a, b, options) -> None:
    """Add the row of float64 sums; theirs start from words stored as float64."""
    p, q = a.astype(np.float64), b.astype(np.float64)
    theirs = partial(by_hand.exact_matmul, p, q, FIXED.frac)
    _matmul(results, "exact", "numpy float64", a, b, theirs, np.asarray, None, options)


def _matmul(results, kind, against, a, b, theirs, words, mark, options):
    x, y = _numbers(a, b, kind)
    size = f"{a.shape[0]}x{a.shape[1]}x{b.shape[1]}"
    name = f"fixed16 matmul {size}, {NAMES[kind]}"
    demand_equal(name, (x @ y).words, words(theirs()))
    pair = compare(lambda: x @ y, theirs, options.rounds)
    work = a.size * b.shape[1]
    add_rate(results, name, against, pair, work, "MAC/s", mark, "equal words")


def multiply_fxpmath(fxpmath, results: Results, x, y, options) -> None:
    """Add the row of its operator."""
    p, q = (fxpmath.array(w, FIXED.bits, FIXED.frac) for w in (x, y))
    _multiply(results, "fxpmath", x, y, lambda: p * q, fxpmath.words, options)


def multiply_numpy(by_hand, results: Results, x, y, options) -> None:
    """Add the row of the lines that one would write."""
    theirs = partial(by_hand.fixed_mul, x, y, FIXED.frac)
    _multiply(results, "numpy int32, by hand", x, y, theirs, np.asarray, options)


def _multiply(results, against, x, y, theirs, words, options):
    u, v = _numbers(x, y, "exact")
    name = f"fixed16 mul, rounded, {x.size:,} words"
    demand_equal(name, (u * v).words, words(theirs()))
    pair = compare(lambda: u * v, theirs, options.rounds)
    add_rate(results, name, against, pair, x.size, "/s", None, "equal words")


def _numbers(a, b, kind: str):
    from fxp.arrays.array import FixedArray

    return FixedArray(a, FIXED, kind=kind), FixedArray(b, FIXED, kind=kind)


NAMES = {
    "each": "rounded every step",
    "exact": "exact, rounded once",
}
