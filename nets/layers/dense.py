"""Layers: forward and backward side by side, every operation asked of an arithmetic.

A layer binds its operations to tensors once for a batch size. forward returns the
output and the calls that fill it; backward the gradient of the input and the
calls that fill it and update the layer's parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fxp.run.execute import together
from nets.arithmetic.tensor import Tensor

__all__ = ["Dense", "Layer", "LeakyReLU", "ReLU"]

Calls = list[Callable[[], None]]


class Layer:
    """A step of a network; parameters are named tensors that training changes."""

    def parameters(self) -> dict[str, Tensor]:
        """Return the tensors that training changes."""
        return {}

    def check(self, x: Tensor) -> None:
        """Refuse an input of a size that the layer does not take: ValueError, with its name."""

    def forward(self, ar, x) -> tuple[Tensor, Calls]:
        """Return the output for x, a tensor, and the calls that compute it; where branches
        meet x is a tuple of tensors."""
        raise NotImplementedError

    def forward_training(self, ar, x) -> tuple[Tensor, Calls]:
        """Return the same for training, where that is something else."""
        return self.forward(ar, x)

    def backward(self, ar, x, dy: Tensor, wanted: bool) -> tuple[Any, Calls]:
        """Return the gradient of x (None unless wanted) and the calls; of several inputs x is
        a tuple, and so are the gradients."""
        raise NotImplementedError

    def kept(self) -> dict[str, Tensor]:
        """Return the tensors that belong to a model but are no parameters."""
        return {}

    def weight_gradient(self, x: np.ndarray, dy: np.ndarray) -> np.ndarray | None:
        """Return the gradient of the parameter w in float64; None without one."""
        return None


class Dense(Layer):
    """y = x w + b, with w inputs x outputs; ValueError, with the name, for other inputs.

    out is the role of y.
    """

    out = "activations"

    def __init__(self, ar, rng: np.random.Generator, inputs: int, outputs: int, std: float,
                 zero_bias: bool = False, name: str = "dense"):
        self.name = name
        self.w = ar.normal(rng, inputs, outputs, std)
        self.b = ar.empty(1, outputs, "weights") if zero_bias else ar.normal(rng, 1, outputs, std)

    def parameters(self):
        return {"w": self.w, "b": self.b}

    def check(self, x):
        if x.columns != self.w.rows:
            raise ValueError(f"{self.name}: takes {self.w.rows} numbers, for its weights are "
                             f"{self.w.rows} x {self.w.columns}, got {x.columns}")

    def forward(self, ar, x):
        self.check(x)
        y = ar.empty(x.rows, self.w.columns, self.out)
        return y, [ar.affine(x, self.w, self.b, y)]

    def backward(self, ar, x, dy, wanted):
        dx, calls = None, []
        if wanted:  # before w moves
            dx = ar.empty(x.rows, x.columns, "gradients")
            calls.append(ar.affine_gradient(dy, self.w, dx))
        steps = ar.descend(self.w, x, dy), ar.descend_bias(self.b, dy)
        return dx, [*calls, together(steps, ar.threads)]

    def weight_gradient(self, x, dy):
        return x.T @ dy


class LeakyReLU(Layer):
    """y = x, scaled by 2**slope where x is negative."""

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.leaky(x, y)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.leaky_gradient(x, dy, dx)]


class ReLU(Layer):
    """y = x where x is positive, else zero, as is its gradient."""

    def forward(self, ar, x):
        y = ar.empty(x.rows, x.columns, "activations")
        return y, [ar.relu(x, y)]

    def backward(self, ar, x, dy, wanted):
        dx = ar.empty(x.rows, x.columns, "gradients")
        return dx, [ar.relu_gradient(x, dy, dx)]
