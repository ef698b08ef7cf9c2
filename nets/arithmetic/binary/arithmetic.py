"""The arithmetic of binary networks in training: float32 around latent weights in -1..1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nets.arithmetic.real.arithmetic import RealArithmetic
from nets.arithmetic.tensor import Tensor
from nets.settings.settings import Settings

__all__ = ["BinaryArithmetic"]

DRAWS = 0x42495453  # sets the draws of pixels apart from all others of a seed


class BinaryArithmetic(RealArithmetic):
    """Floats whose pixels are integers: -1 and 1, or -255..255 without binarisation.

    A pixel of 0..255 is 1 above the threshold (127 unless settings say so); with
    binarize_input probability it is, in training, 1 with the probability pixel / 255,
    drawn anew for each batch, and elsewhere its likelier bit; with none it is
    2 pixel - 255: eight bits -1 and 1 of weights 1, 2, .. 128.
    """

    def __init__(self, settings: Settings, threads: int = 1, backend: str = "vector"):
        super().__init__(settings, threads, backend)
        self._latent: set[int] = set()

    @property
    def planes(self) -> int:
        """How many bits stand for a pixel."""
        return 8 if self.settings.binarize_input == "none" else 1

    def latent(self, rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        """Return weights drawn from -1..1, whose steps will be kept in there."""
        w = self.empty(rows, columns, "weights")
        _value(w)[...] = rng.uniform(-1, 1, (rows, columns))
        self._latent.add(id(_value(w)))
        return w

    def settling(self, w: Tensor) -> Callable[[], None] | None:
        value = _value(w)
        if id(value) not in self._latent:
            return None

        def keep() -> None:
            np.clip(value, -1, 1, out=value)

        return keep

    def encode(self, x: Tensor):
        if self.planes == 1:
            return lambda pixels: self._bits(pixels, self.settings.threshold, x)
        table = 2 * np.arange(256, dtype=self.dtype) - 255
        return lambda pixels: np.take(table, pixels, out=_value(x), mode="clip")

    def encode_training(self, x: Tensor):
        if self.settings.binarize_input != "probability":
            return self.encode(x)

        def draw(pixels: np.ndarray) -> None:
            rng = np.random.default_rng([self.settings.seed, DRAWS, self.step])
            limits = rng.integers(0, 255, pixels.shape, np.uint8)  # 0..254: pixel / 255 are below
            self._bits(pixels, limits, x)

        return draw

    def product(self, x: Tensor, w: Tensor, y: Tensor):
        """y = x w."""
        return lambda: np.matmul(_value(x), _value(w), out=_value(y))

    def signs(self, x: Tensor, y: Tensor) -> Callable[[], None]:
        """y = 1 where x is 0 or more, else -1."""
        if self.backend == "vector":
            loop = _loops().signs
            return lambda: loop(_value(x), _value(y))
        return lambda: _plus_minus(_value(x) >= 0, _value(y))

    def signs_gradient(self, x: Tensor, dy: Tensor, dx: Tensor) -> Callable[[], None]:
        """dx = dy where x is in -1..1, else 0: straight through."""
        if self.backend == "vector":
            loop = _loops().signs_gradient
            return lambda: loop(_value(x), _value(dy), _value(dx))
        return lambda: np.multiply(_value(dy), np.abs(_value(x)) <= 1, out=_value(dx))

    def _bits(self, pixels: np.ndarray, limit, x: Tensor) -> None:
        _plus_minus(pixels > limit, _value(x))


def _plus_minus(chosen: np.ndarray, out: np.ndarray) -> None:
    """Fill out with 1 where chosen, else with -1."""
    np.multiply(chosen, out.dtype.type(2), out=out)
    np.subtract(out, out.dtype.type(1), out=out)


def _value(t: Tensor) -> np.ndarray:
    return t.fields["value"]


def _loops():
    from fxp.compile.cache import compile_module

    return compile_module("binary", _TEXT)


_TEXT = """\
from fxp.compile.cache import njit


@njit(cache=True, nogil=True)
def signs(x, y):
    one = y.dtype.type(1)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = one if x[i, j] >= 0 else -one


@njit(cache=True, nogil=True)
def signs_gradient(x, dy, dx):
    zero = dx.dtype.type(0)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            dx[i, j] = dy[i, j] if abs(x[i, j]) <= 1 else zero
"""
