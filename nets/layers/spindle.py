"""Activations that are fitted functions: shifted ReLUs, or sums of logistic kernels.

Frozen ones stay as they are and go with words too. In floats the others change in
training: by gradient with the weights (units, whose gains need be no powers of two
then, and kernels), or kernels by being fitted anew to what flows in, see
`nets.train.spindle_online`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fxp.operators.spindle import Spindle
from lnsarith.spindle.kernels import Kernels, logistic
from nets.layers.dense import Layer
from nets.settings.spindle import function_of, mode_of

__all__ = ["Fitted", "Frozen", "Refitted", "TunedKernels", "TunedUnits", "spindle_layer"]


def spindle_layer(ar, settings) -> Layer:
    """Return a layer of the activation spindle, as the settings want it."""
    mode, function = mode_of(settings), function_of(settings)
    if mode == "frozen":
        return Frozen(function)
    if isinstance(function, Spindle):
        return TunedUnits(ar, function)
    return TunedKernels(ar, function) if mode == "tuned" else Refitted(ar, function)


class Fitted(Layer):
    """A layer that is a function."""

    def function_now(self, ar) -> Callable[[np.ndarray], np.ndarray]:
        """Return its function of float64 arrays, as it is after so much training."""
        raise NotImplementedError


class Frozen(Fitted):
    """y = f(x) with a function that stays as it is."""

    def __init__(self, function: Spindle | Kernels):
        self.function = function

    def function_now(self, ar):
        return self.function.real

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.spindle(x, y, self.function)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.spindle_gradient(x, dy, dx, self.function)]


class Refitted(Fitted):
    """y = sum of kernels, which `put` replaces; their A, B and C are kept with the model."""

    def __init__(self, ar, kernels: Kernels):
        self.rows = ar.empty(3, len(kernels.rows), "weights")
        self.put(ar, kernels)

    def put(self, ar, kernels: Kernels) -> None:
        """Take other kernels, as many."""
        ar.set_words(self.rows, np.array(kernels.rows).T)

    def function_now(self, ar):
        return Kernels.of(ar.words(self.rows).T).real

    def kept(self):
        return {"kernels": self.rows}

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.applied(lambda v, rows: Kernels.of(rows.T).real(v), y, x, self.rows)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.applied(lambda d, v, rows: d * Kernels.of(rows.T).slope(v), dx, dy, x,
                               self.rows)]


class Tuned(Fitted):
    """y = f(x) of numbers that learn, without decay: nothing draws them to zero.

    A gradient sums over all N outputs for an image, and is divided by sqrt N, as those
    of learned quantiser steps are (Esser et al., 2020): the rate is one for weights.
    """

    def __init__(self, ar, numbers: dict[str, list[float]]):
        self.numbers = {name: ar.empty(1, len(row), "weights") for name, row in numbers.items()}
        for name, row in numbers.items():
            ar.set_words(self.numbers[name], np.array([row]))

    def parameters(self):
        return self.numbers

    def function_now(self, ar):
        numbers = [ar.reals(t) for t in self.numbers.values()]
        return lambda x: self.value(x, *numbers)

    def value(self, x: np.ndarray, *numbers: np.ndarray) -> np.ndarray:
        """Return f(x)."""
        raise NotImplementedError

    def slope(self, x: np.ndarray, *numbers: np.ndarray) -> np.ndarray:
        """Return the derivative at x."""
        raise NotImplementedError

    def gradients(self, x: np.ndarray, d: np.ndarray, *numbers: np.ndarray) -> list:
        """Return the sums of d times the derivatives by each number."""
        raise NotImplementedError

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.applied(self.value, y, x, *self.numbers.values())]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        back = ar.applied(lambda d, v, *numbers: d * self.slope(v, *numbers), dx, dy, x,
                          *self.numbers.values())
        found = [ar.empty(1, t.columns, "gradients") for t in self.numbers.values()]

        scale = 1 / np.sqrt(x.columns)

        def gather() -> None:  # all of them before any number moves
            values = [ar.words(t) for t in (x, dy, *self.numbers.values())]
            for t, sums in zip(found, self.gradients(*values), strict=True):
                ar.set_words(t, np.reshape(sums, (1, -1)) * scale)

        moves = [ar.moving(t, lambda g=g: ar.words(g).copy(), decays=False)
                 for t, g in zip(self.numbers.values(), found, strict=True)]
        return dx, [back, gather, *moves]


class TunedUnits(Tuned):
    """y = offset + sum of gains max(0, s (x - knee)); the side s of a unit stays."""

    def __init__(self, ar, units: Spindle):
        self.sides = [-1 if u.left else 1 for u in units.units]
        super().__init__(ar, {
            "offset": [float(units.offset)], "knees": [float(u.knee) for u in units.units],
            "gains": [u.sign * 2.0**u.log for u in units.units]})

    def value(self, x, *numbers):
        offset, knees, gains = numbers
        total = np.full_like(x, offset[0, 0])
        for side, knee, gain in zip(self.sides, knees[0], gains[0]):
            total += gain * np.maximum(side * (x - knee), 0)
        return total

    def slope(self, x, *numbers):
        _, knees, gains = numbers
        total = np.zeros_like(x)
        for side, knee, gain in zip(self.sides, knees[0], gains[0]):
            total += side * gain * (side * (x - knee) > 0)
        return total

    def gradients(self, x, d, *numbers):
        _, knees, gains = numbers
        by_knee, by_gain = [], []
        for side, knee, gain in zip(self.sides, knees[0], gains[0]):
            away = side * (x - knee)
            by_gain.append(np.sum(d * np.maximum(away, 0)))
            by_knee.append(-side * gain * np.sum(d * (away > 0)))
        return [[np.sum(d)], by_knee, by_gain]


class TunedKernels(Tuned):
    """y = sum of A g(B x - C); A is the soft-max of `shares`, B the exponential of
    `steepness`, so that they stay kernels: A and B above 0, sum A = 1."""

    def __init__(self, ar, kernels: Kernels):
        a, b, c = np.array(kernels.rows).T
        super().__init__(ar, {"shares": np.log(a).tolist(), "steepness": np.log(b).tolist(),
                              "places": c.tolist()})

    def value(self, x, *numbers):
        return sum(a * logistic(b * x - c) for a, b, c in _kernels(*numbers))

    def slope(self, x, *numbers):
        every = ((a * b, logistic(b * x - c)) for a, b, c in _kernels(*numbers))
        return sum(size * g * (1 - g) for size, g in every)

    def gradients(self, x, d, *numbers):
        rows = list(_kernels(*numbers))
        each, by_steepness, by_place = [], [], []
        for a, b, c in rows:
            g = logistic(b * x - c)
            inner = d * (a * g * (1 - g))
            each.append(np.sum(d * g))
            by_steepness.append(b * np.sum(inner * x))
            by_place.append(-np.sum(inner))
        mean = sum(row[0] * part for row, part in zip(rows, each))
        return [[row[0] * (part - mean) for row, part in zip(rows, each)], by_steepness, by_place]


def _kernels(shares, steepness, places):
    """Return rows A, B, C."""
    a = np.exp(shares[0] - shares[0].max())
    return zip(a / a.sum(), np.exp(steepness[0]), places[0])
