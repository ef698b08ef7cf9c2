"""KDE-SPINDLE: a cumulative distribution as a weighted sum of logistic functions.

    y = sum_k A_k g(B_k x - C_k),    g(z) = 1 / (1 + exp(-z))

with A > 0, sum A = 1 and B > 0; its derivative, sum_k A_k B_k g_k (1 - g_k), is the
density that the activation estimates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fxp.format import FormatError
from fxp.text.numbers import real

__all__ = ["MOST_KERNELS", "Kernels", "LOGISTIC", "logistic"]

MOST_KERNELS = 8
SUM = 1e-3  # how far the sum of A, in few digits, may be from 1


@dataclass(frozen=True)
class Kernels:
    """Rows (A, B, C), one a kernel. Raises FormatError for what is no distribution."""

    rows: tuple[tuple[float, float, float], ...]

    def __post_init__(self):
        if not 1 <= len(self.rows) <= MOST_KERNELS:
            raise FormatError(f"there are 1..{MOST_KERNELS} kernels, got {len(self.rows)}")
        for row in self.rows:
            a, b, _ = row
            if not (a > 0 and b > 0 and all(map(math.isfinite, row))):
                raise FormatError("a kernel is A, B, C with A and B above 0, got "
                                  + ", ".join(f"{v:g}" for v in row))
        total = sum(a for a, _, _ in self.rows)
        if abs(total - 1) > SUM:
            raise FormatError(f"the A of the kernels must add up to 1, not to {total:g}")

    def __str__(self) -> str:
        return "kernels=" + ",".join(":".join(map(repr, row)) for row in self.rows)

    @classmethod
    def parse(cls, text: str) -> Kernels:
        """Return the kernels that kernels=A:B:C,A:B:C means."""
        rows = []
        for part in text.removeprefix("kernels=").split(","):
            try:
                a, b, c = (real("A, B and C", v) for v in part.split(":"))
            except ValueError:
                raise FormatError(f"a kernel is A:B:C, got {part!r} "
                                  "(try kernels=0.5:1:0,0.5:2:3)") from None
            rows.append((a, b, c))
        return cls(tuple(rows))

    @classmethod
    def of(cls, rows) -> Kernels:
        """Return the kernels of numbers in rows; FormatError for other things."""
        try:
            triples = [(a, b, c) for a, b, c in rows]
        except (TypeError, ValueError) as error:
            raise FormatError(f"kernels are rows A, B, C of numbers ({error})") from None
        return cls(tuple((real("A", a), real("B", b), real("C", c)) for a, b, c in triples))

    def real(self, x):
        """Return the sum at floats, in their type."""
        return sum(a * logistic(b * x - c) for a, b, c in self.rows)

    def slope(self, x):
        """Return the derivative, the density, at floats, in their type."""
        every = ((a * b, logistic(b * x - c)) for a, b, c in self.rows)
        return sum(size * g * (1 - g) for size, g in every)


LOGISTIC = Kernels(((1.0, 1.0, 0.0),))


def logistic(z):
    """Return 1 / (1 + exp(-z)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))
