"""Matrices of numbers as the kernels hold them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fxp.run.execute import LANES

__all__ = ["Tensor", "padded", "roomy"]


@dataclass(frozen=True)
class Tensor:
    """A rows x columns matrix; each field of its numbers is an array of its own.

    The arrays have more columns than the matrix, up to a multiple of LANES; what
    is behind the last column is zero. Fields are level and sign of an LNS
    number, word of a fixed-point one, value of a float. The role (weights,
    activations or gradients) tells the format.
    """

    fields: dict[str, np.ndarray]
    columns: int
    role: str = "weights"

    @property
    def rows(self) -> int:
        return next(iter(self.fields.values())).shape[0]

    @property
    def transposed(self) -> Tensor:
        """The transposed view (its arrays are as long as this matrix is padded)."""
        return Tensor({k: v.T for k, v in self.fields.items()}, self.rows, self.role)

    def named(self, prefix: str) -> dict[str, np.ndarray]:
        """Return the fields under the names that plans use: a_level, a_sign or just a."""
        if len(self.fields) == 1:
            return {prefix: next(iter(self.fields.values()))}
        return {f"{prefix}_{k}": v for k, v in self.fields.items()}

    def broadcast(self, rows: int) -> Tensor:
        """Return this one-row matrix repeated, without a copy."""
        return Tensor({k: np.broadcast_to(v, (rows, v.shape[1])) for k, v in self.fields.items()},
                      self.columns, self.role)


def padded(columns: int) -> int:
    """Return the columns that arrays have for a matrix with so many."""
    return -(-columns // LANES) * LANES


def roomy(rows: int, columns: int, value: int, dtype) -> np.ndarray:
    """Return a matrix of one value, padded, and readable LANES numbers behind its end."""
    size = rows * padded(columns)
    return np.full(size + LANES, value, dtype)[:size].reshape(rows, -1)
