"""How floating-point weights take a step against their gradient."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from nets.arithmetic.tensor import Tensor
from nets.settings.settings import Settings, parse_real

__all__ = ["RealDescent"]

BETAS = 0.9, 0.999  # of Adam (Kingma and Ba, 2015), as is the rest
EPSILON = 1e-8


class RealDescent:
    """Stochastic gradient descent, with momentum if asked for, or Adam."""

    settings: Settings
    backend: str
    step: int
    salted = 0  # floats are not rounded by random words
    dtype: np.dtype

    def __init__(self):
        self.factor = Fraction(1)
        self._kept: dict[int, dict[str, Tensor]] = {}
        self._waiting: list[tuple[np.ndarray, Callable[[np.ndarray], None]]] = []

    def empty(self, rows: int, columns: int, role: str) -> Tensor:
        """Return a matrix of zeros."""
        raise NotImplementedError

    def kept(self, w: Tensor) -> dict[str, Tensor]:
        """Return what is kept from step to step beside a parameter."""
        names = ["mean", "square"] if self.settings.optimizer == "adam" else (
            ["velocity"] if self._real("momentum") else [])
        key = id(w.fields["value"])
        if key not in self._kept:
            self._kept[key] = {n: self.empty(w.rows, w.columns, "gradients") for n in names}
        return self._kept[key]

    def moving(self, w: Tensor, gradient: Callable[[], np.ndarray],
               decays: bool = True) -> Callable[[], None]:
        """Return the call that takes a step of w; gradient returns an array of its own.

        Unless it decays, weight_decay and l1 are not for it."""
        value, kept = w.fields["value"], {k: t.fields["value"] for k, t in self.kept(w).items()}
        settle = self.settling(w)
        rate, decay, clip, l1 = (self._real(n) for n in ("lr", "weight_decay", "clip", "l1"))
        decay, l1 = (decay, l1) if decays else (0.0, 0.0)
        adam = self.settings.optimizer == "adam"

        def step(g: np.ndarray) -> None:
            if clip:
                np.clip(g, -clip, clip, out=g)
            if adam and self.backend == "vector":
                self._adam_compiled(value, g, decay, l1, rate, **kept)
            else:
                g += self.dtype.type(decay) * value
                if l1:
                    g += self.dtype.type(l1) * np.sign(value)
                if adam:
                    g = self._adam(g, **kept)
                elif kept:
                    kept["velocity"] *= self.dtype.type(self._real("momentum"))
                    kept["velocity"] += g
                    g = kept["velocity"].copy()
                g *= self.dtype.type(rate * float(self.factor))
                np.subtract(value, g, out=value)
            if settle:
                settle()

        if not self._real("clip_norm"):
            return lambda: step(gradient())
        return lambda: self._waiting.append((gradient(), step))

    def settling(self, w: Tensor) -> Callable[[], None] | None:
        """Return the call that follows each step of w; None where none has to."""
        return None

    def last_calls(self) -> list[Callable[[], None]]:
        """Return what ends a batch: steps that waited for the norm of all gradients."""
        limit = self._real("clip_norm")
        return [lambda: self._step_together(limit)] if limit else []

    def _step_together(self, limit: float) -> None:
        squares = sum(float(np.sum(np.square(g, dtype=np.float64))) for g, _ in self._waiting)
        if squares > limit**2:
            for g, _ in self._waiting:
                g *= self.dtype.type(limit / np.sqrt(squares))
        for g, step in self._waiting:
            step(g)
        self._waiting.clear()

    def _adam(self, g, mean, square):
        first, second = BETAS
        mean += (1 - first) * (g - mean)
        square += (1 - second) * (g * g - square)
        size = np.sqrt(square / (1 - second**self.step)) + EPSILON
        return (mean / (1 - first**self.step) / size).astype(self.dtype)

    def _adam_compiled(self, value, g, decay, l1, rate, mean, square):
        """Take the whole step of w in one pass, to the bit what NumPy's many give."""
        first, second = BETAS
        scalars = (decay, l1, 1 - first, 1 - second, 1 - first**self.step, 1 - second**self.step,
                   EPSILON, rate * float(self.factor))
        _loops().adam(value, g, mean, square, *map(self.dtype.type, scalars))

    def _real(self, name: str) -> float:
        return float(parse_real(name, getattr(self.settings, name)))


def _loops():
    from fxp.compile.cache import compile_module

    return compile_module("real_descent", _TEXT)


_TEXT = """\
import numpy as np
from fxp.compile.cache import njit


@njit(cache=True, nogil=True, error_model="numpy")
def adam(w, g, mean, square, decay, l1, new, new_square, seen, seen_square, tiny, rate):
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            d = g[i, j] + decay * w[i, j]
            if l1 != 0:
                d += l1 * np.sign(w[i, j])
            m = mean[i, j] + new * (d - mean[i, j])
            s = square[i, j] + new_square * (d * d - square[i, j])
            mean[i, j], square[i, j] = m, s
            w[i, j] -= m / seen / (np.sqrt(s / seen_square) + tiny) * rate
"""
