"""Sums of products by which a Delta method is judged: long ones, and those of a small batch.

A long sum stands for a neuron's: of 784 inputs in 0..1 half are not zero, weights are normal
with a mean of their own in each sum, so that a sum is about 1.3 times as large as one of
independent terms. So it was in networks trained on Fashion-MNIST and EMNIST letters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["ABSENT", "Judge", "Terms", "exact_tables"]

ABSENT = -(1 << 40)  # the log of zero
OCTAVES = 16  # gaps beyond them leave a sum as it is
INPUTS, MEAN = 392, 0.048
LONG, FEW, BATCH = 600, 4000, 5


@dataclass(frozen=True)
class Terms:
    """Sums of products: logs in units of 2**-frac and signs (1 negative), of shape (terms,
    sums); the real sums, and the root of the sum of squares of each."""

    logs: np.ndarray
    signs: np.ndarray
    real: np.ndarray
    norm: np.ndarray

    @classmethod
    def of(cls, a: np.ndarray, b: np.ndarray, frac: int, guard: int) -> Terms:
        """Return a * b of numbers (terms, sums), each rounded to words of frac fraction bits,
        in a register with guard more."""
        with np.errstate(divide="ignore"):
            words = [np.rint(np.log2(abs(x)) * (1 << frac)) for x in (a, b)]
        present = (a != 0) & (b != 0)
        words = [np.where(present, w, 0).astype(np.int64) for w in words]
        logs = np.where(present, sum(words) << guard, ABSENT)
        signs = ((a < 0) ^ (b < 0)).astype(np.int64)
        products = np.where(present, np.exp2(sum(words) / (1 << frac)) * (1 - 2 * signs), 0)
        return cls(logs, signs, products.sum(0), np.sqrt((products**2).sum(0)))


class Judge:
    """The two ensembles in words of frac fraction bits, the register with guard more."""

    def __init__(self, frac: int, guard: int, seed: int = 0):
        rng = np.random.default_rng(seed)
        self.frac = frac + guard
        inputs = rng.random((INPUTS, LONG))
        weights = rng.normal(0, 1, (INPUTS, LONG)) + rng.normal(0, MEAN, LONG)
        few = rng.normal(0, 1, (2, BATCH, FEW))
        self.long = Terms.of(inputs, weights, frac, guard)
        self.few = Terms.of(few[0], few[1], frac, guard)

    def errors(self, tables: np.ndarray) -> tuple[float, float, float]:
        """Return the RMS error of long sums and of those of five terms, by the root of the
        sum of squares, and the gain of long ones: the slope of the sum against the real one.

        tables is D+ and D- of every gap, of shape (2, gaps), ABSENT where operands cancel.
        """
        found = [self._summed(terms, tables) for terms in (self.long, self.few)]
        errors = [float(np.sqrt(np.mean(((x - t.real) / t.norm) ** 2)))
                  for x, t in zip(found, (self.long, self.few))]
        gain = found[0] @ self.long.real / (self.long.real @ self.long.real)
        return errors[0], errors[1], float(gain)

    def loss(self, tables: np.ndarray) -> float:
        """Return the sum of the squared errors of both ensembles."""
        long, few, _ = self.errors(tables)
        return long**2 + few**2

    def weights(self) -> np.ndarray:
        """Return of each gap, for equal and opposite signs, how much an error there counts: the
        squares of accumulators by those of norms, summed over the steps of a sum with exact D."""
        tables = exact_tables(self.frac)
        counted = np.zeros_like(tables, float)
        for terms in (self.long, self.few):
            steps: list[tuple] = []
            self._summed(terms, tables, steps)
            for opposite, gaps, larger in steps:
                share = (self._sizes(larger) / terms.norm) ** 2 / terms.norm.size
                inside = (gaps < tables.shape[1]) & (share > 0)
                np.add.at(counted, (opposite[inside], gaps[inside]), share[inside])
        return np.array([_smoothed(row, self.frac) for row in counted])

    def _summed(self, terms: Terms, tables: np.ndarray, steps: list | None = None) -> np.ndarray:
        """Return the sums; add to steps, of each, the signs' difference, the gap and the log of
        the larger operand."""
        padded = np.concatenate([tables, [[0], [0]]], axis=1)
        level, sign = terms.logs[0], terms.signs[0]
        for log, s in zip(terms.logs[1:], terms.signs[1:]):
            larger = np.maximum(level, log)
            gap = 2 * larger - level - log
            opposite = sign ^ s
            sign = np.where(log > level, s, sign)
            if steps is not None:
                steps.append((opposite, gap, larger))
            moved = larger + padded[opposite, np.minimum(gap, tables.shape[1])]
            level = np.where(moved < ABSENT // 2, ABSENT, moved)
        return self._sizes(level) * (1 - 2 * sign)

    def _sizes(self, level: np.ndarray) -> np.ndarray:
        """Return the magnitudes of logs, 0 of that of zero."""
        return np.where(level > ABSENT // 2,
                        np.exp2(np.maximum(level, -60 << self.frac) / (1 << self.frac)), 0)


def exact_tables(frac: int) -> np.ndarray:
    """Return D+ and D- of gaps below 16 octaves in units of 2**-frac, each rounded."""
    d = np.arange(OCTAVES << frac) / (1 << frac)
    tables = np.zeros((2, d.size), np.int64)
    tables[0] = np.rint(np.log1p(np.exp2(-d)) / math.log(2) * (1 << frac))
    tables[1, 1:] = np.rint(np.log2(-np.expm1(-d[1:] * math.log(2))) * (1 << frac))
    tables[1, 0] = ABSENT
    return tables


def _smoothed(row: Sequence[float], frac: int) -> np.ndarray:
    """Return the mean over an eighth of an octave around each gap."""
    width = max(1, 1 << frac >> 3)
    padded = np.pad(row, width, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), "same")[width:-width]
