"""Dense layers of weights -1 and 1, forward and backward side by side.

A layer computes S = x sign(w) over inputs that are integers, so S is an integer
too and float32 holds it exactly: at most 2^14 inputs times 255 are below 2^24. The
latent weights w stay in -1..1; the gradient of sign(w) is taken for theirs.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["EPSILON", "Dense", "Head", "Hidden", "ShapeError"]

EPSILON = 1e-4
MOMENTUM = 0.1  # of the running statistics, the share of the newest batch


class ShapeError(ValueError):
    """Arrays whose shapes do not go together."""


class Dense:
    """Latent weights inputs x outputs, float32, and their signs (0 counts as 1)."""

    def __init__(self, name: str, rng: np.random.Generator, inputs: int, outputs: int):
        self.name = name
        self.w = rng.uniform(-1, 1, (inputs, outputs)).astype(np.float32)
        self.sign = np.where(self.w < 0, np.float32(-1), np.float32(1))
        self.gradient = np.empty_like(self.w)
        self.gradients: dict[str, np.ndarray] = {}  # of the other parameters, by name

    @property
    def inputs(self) -> int:
        return self.w.shape[0]

    @property
    def outputs(self) -> int:
        return self.w.shape[1]

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return S, rows x outputs, of float32 x, rows x inputs; ShapeError else."""
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise ShapeError(f"{self.name} takes rows x {self.inputs}, for its weights are "
                             f"{self.inputs} x {self.outputs}, got {_shape(x)}")
        return x @ self.sign

    def descend(self, x: np.ndarray, ds: np.ndarray, wanted: bool) -> np.ndarray | None:
        """Keep the gradient of w and return that of x, if wanted, for ds, that of S."""
        np.matmul(x.T, ds, out=self.gradient)
        return ds @ self.sign.T if wanted else None


class Hidden(Dense):
    """A dense layer, batch norm and sign: gamma (S - mean) / sd + beta >= 0.

    The gradient passes the sign where the norm is in -1..1 (straight-through).
    """

    def __init__(self, name: str, rng: np.random.Generator, inputs: int, outputs: int):
        super().__init__(name, rng, inputs, outputs)
        self.gamma = np.ones(outputs, np.float32)
        self.beta = np.zeros(outputs, np.float32)
        self.mean = np.zeros(outputs)
        self.variance = np.ones(outputs)
        self.gradients = {"gamma": self.gamma, "beta": self.beta}

    def normed(self, sums: np.ndarray) -> np.ndarray:
        """Return the norm by running statistics, float64, of sums (.. x outputs).

        Each of its steps is monotone in the sum, rounding included, so a threshold
        tells exactly where it is 0 or more.
        """
        scaled = (np.asarray(sums, np.float64) - self.mean) / np.sqrt(self.variance + EPSILON)
        return self.gamma.astype(np.float64) * scaled + self.beta.astype(np.float64)

    def infer(self, x: np.ndarray) -> np.ndarray:
        """Return activations -1 and 1, float32."""
        return np.where(self.normed(self.sums(x)) >= 0, np.float32(1), np.float32(-1))

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return activations by the statistics of the batch, and move the running ones."""
        s = self.sums(x)
        mean = s.mean(axis=0, dtype=np.float64)
        s -= mean.astype(np.float32)
        variance = np.einsum("ij,ij->j", s, s).astype(np.float64) / len(s)
        self.mean += MOMENTUM * (mean - self.mean)
        unbiased = variance * (len(s) / (len(s) - 1))
        self.variance += MOMENTUM * (unbiased - self.variance)
        self._inverse = (1 / np.sqrt(variance + EPSILON)).astype(np.float32)
        s *= self._inverse
        self._x, self._scaled = x, s
        y = s * self.gamma
        y += self.beta
        self._passes = np.abs(y) <= 1
        return np.where(y >= 0, np.float32(1), np.float32(-1))

    def backward(self, dy: np.ndarray, wanted: bool) -> np.ndarray | None:
        """Return the gradient of x, if wanted, for dy, that of the activations."""
        dy = dy * self._passes
        scaled, count = self._scaled, np.float32(len(dy))
        dgamma = np.einsum("ij,ij->j", dy, scaled)
        dbeta = dy.sum(axis=0)
        self.gradients = {"gamma": dgamma, "beta": dbeta}
        dy -= dbeta / count
        dy -= scaled * (dgamma / count)
        dy *= self.gamma * self._inverse
        return self.descend(self._x, dy, wanted)


class Head(Dense):
    """The last layer: logits scale S + bias, one positive scale for all classes."""

    def __init__(self, name: str, rng: np.random.Generator, inputs: int, outputs: int,
                 span: int):
        super().__init__(name, rng, inputs, outputs)
        self.unit = np.float32(1 / math.sqrt(inputs) / (span / inputs))
        self.log_scale = np.zeros(1, np.float32)
        self.bias = np.zeros(outputs, np.float32)
        self.gradients = {"log_scale": self.log_scale, "bias": self.bias}

    @property
    def scale(self) -> np.float32:
        return self.unit * np.exp(self.log_scale[0])

    def logits(self, sums: np.ndarray) -> np.ndarray:
        """Return the logits, float64, of sums (.. x outputs)."""
        return np.asarray(sums, np.float64) * float(self.scale) + self.bias

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the logits in float32."""
        self._x, self._s = x, self.sums(x) * self.scale
        return self._s + self.bias

    def backward(self, dy: np.ndarray, wanted: bool) -> np.ndarray | None:
        """Return the gradient of x, if wanted, for dy, that of the logits."""
        self.gradients = {"log_scale": np.einsum("ij,ij->", dy, self._s).reshape(1),
                          "bias": dy.sum(axis=0)}
        return self.descend(self._x, dy * self.scale, wanted)


def _shape(x: np.ndarray) -> str:
    return " x ".join(map(str, x.shape))
