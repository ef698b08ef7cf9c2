"""Adam (Kingma and Ba, 2015): moments and steps of every parameter, float32."""

from __future__ import annotations

import math

import numpy as np

from fxp.execute import compiler

__all__ = ["Adam"]

BETA1, BETA2, TINY = 0.9, 0.999, 1e-8


class Adam:
    """The moments of one parameter; step moves it."""

    def __init__(self, parameter: np.ndarray):
        self.m = np.zeros_like(parameter)
        self.v = np.zeros_like(parameter)

    def step(self, w: np.ndarray, gradient: np.ndarray, rate: float, count: int,
             sign: np.ndarray | None = None) -> None:
        """Move w in place by the count-th step; count begins with 1.

        With sign, w is clipped to -1..1 and sign filled with its signs.
        """
        corrected = rate * math.sqrt(1 - BETA2**count) / (1 - BETA1**count)
        arrays = [a.reshape(-1) for a in (w, gradient, self.m, self.v)]
        kernel = _kernels()
        if sign is None:
            kernel.move(*arrays, np.float32(corrected))
        else:
            kernel.move_binary(*arrays, sign.reshape(-1), np.float32(corrected))


def _kernels():
    return compiler().compile_module("adam", _TEXT)


_TEXT = f"""\
import numpy as np

from fxp.compile import njit

B1, C1 = np.float32({BETA1}), np.float32(1 - {BETA1})
B2, C2 = np.float32({BETA2}), np.float32(1 - {BETA2})
TINY, ONE, ZERO = np.float32({TINY}), np.float32(1), np.float32(0)


@njit(cache=True, nogil=True)
def move(w, g, m, v, rate):
    for i in range(w.size):
        m[i] = B1 * m[i] + C1 * g[i]
        v[i] = B2 * v[i] + C2 * g[i] * g[i]
        w[i] -= rate * m[i] / (np.sqrt(v[i]) + TINY)


@njit(cache=True, nogil=True)
def move_binary(w, g, m, v, sign, rate):
    for i in range(w.size):
        m[i] = B1 * m[i] + C1 * g[i]
        v[i] = B2 * v[i] + C2 * g[i] * g[i]
        moved = w[i] - rate * m[i] / (np.sqrt(v[i]) + TINY)
        moved = min(max(moved, -ONE), ONE)
        w[i] = moved
        sign[i] = -ONE if moved < ZERO else ONE
"""
