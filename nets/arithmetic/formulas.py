"""Formulas of batch normalisation, for any algebra of `nets.arithmetic.algebra`."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["FORMULAS"]

EPSILON = 2.0**-10  # added to a variance
SHARE = 2.0**-3  # of a batch in the running mean and variance

FORMULAS: dict[str, Callable] = {
    "plus": lambda q, a, b: q.plus(a, b),
    "minus": lambda q, a, b: q.plus(a, q.minus(b)),
    "times": lambda q, a, b: q.times(a, b),
    "affine": lambda q, a, b, c: q.plus(q.times(a, b), c),
    "blend": lambda q, a, b: q.plus(q.times(a, q.constant(1 - SHARE)),
                                    q.times(b, q.constant(SHARE))),
    "deviation": lambda q, a: q.inverse_root(q.plus(a, q.constant(EPSILON))),
    # a gradient less its mean and less its part along the normalised input
    "centred": lambda q, a, b, c, d: q.plus(q.plus(a, q.minus(b)), q.minus(q.times(c, d))),
}
