"""Soft-max and cross-entropy over fixed-point logits, in integers alone.

As in `nets.arithmetic.lns.softmax`, log2 p_j = t_j - log2 sum 2**t_k with t_j = a_j log2 e, but p_j
goes back to a linear number by a table of 2**x, and the gradient is p - label.

A gradient that rounds to zero for the many classes that are not the label's leaves the sum of a
sample's gradients below zero: the logits rise together until they are all at the end of their
format. So they may have a format of their own, and `pull` holds their mean as it does there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fxp.compile.loading import compiler
from fxp.format import Fixed
from fxp.spec import divided, overflow, round_nearest_even, round_shift
from fxp.trace.bits import clamp, maximum, minimum, where
from fxp.trace.circuit import Circuit, evaluate, trace
from lnsarith.delta import methods as deltas
from lnsarith.lns.convert import LOG2_E, antilog
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number, one_level, zero_level

__all__ = ["FixedSoftmax"]

LOGS = Lns(17, 10)  # the format in which log2 p lives
CONSTANT_BITS = 14  # fraction bits of the constants log2 e and 1 / rows
PROBABILITY = Fixed(20, 18)


class FixedSoftmax:
    """The circuits of a soft-max unit and the loop that runs them.

    A pull of 0 leaves the mean logit alone; a quarter of the range of logits is free where
    `free` (in octaves) is negative. Gradients are 2**up times as large.
    """

    frac = LOGS.frac

    def __init__(self, logits: Fixed, gradients: Fixed, delta: str, pull: int = 0,
                 free: int = -1, up: int = 0):
        self.constant_bits = CONSTANT_BITS + up
        self.logits = logits
        self.gradients = gradients
        self.pull = pull
        self.free = free << self.frac if free >= 0 else self.linear(logits.high) >> 2
        self.delta = deltas.parse(delta).at(self.frac, zero_level(LOGS))
        self._kernels: dict[int, Callable] = {}

    def circuits(self, classes: int) -> dict[str, Circuit]:
        """Return the circuits for so many logits of a sample by name."""
        ends = [self.linear(w) for w in self.logits.words]
        sums = (ends[0], ends[1] + (16 << self.frac))
        spans = {"t": (ends[0], ends[1]), "s": sums}
        circuits = {
            "linear": trace(self.linear, {"word": self.logits.words}),
            "log_add": trace(self.log_add, {"s": sums, "t": spans["t"]}),
        }
        if self.pull:
            span = (classes * ends[0], classes * ends[1])
            circuits["mean"] = trace(lambda total: divided(total, classes, *span),
                                     {"total": span})
        mean = {"mean": (ends[0], ends[1])} if self.pull else {}
        circuits["gradient"] = trace(self.gradient, {
            **spans, "label": (0, 1), "scale": (0, 1 << self.constant_bits), **mean})
        return circuits

    def linear(self, word):
        """Return a log2 e of a logit, with `frac` fraction bits."""
        constant = round(LOG2_E * (1 << CONSTANT_BITS))
        return round_shift(word * constant, self.logits.frac + CONSTANT_BITS - self.frac,
                           "nearest-even")

    def log_add(self, s, t):
        """Return log2(2**s + 2**t)."""
        larger = maximum(s, t)
        limit = self.linear(self.logits.high) + (16 << self.frac)
        return minimum(larger + self.delta(larger - minimum(s, t), 0), limit)

    def gradient(self, t, s, label, scale, mean=None):
        """Return (p - label + c) * scale as a word of the gradients, scale = 2**up / rows.

        c is what the mean t of the sample has beyond what is free, / 2**pull; zero without
        a pull.
        """
        level = maximum(minimum(t - s, 0) + one_level(LOGS), zero_level(LOGS))
        p = antilog(Number(level, 0 * level), LOGS, PROBABILITY)
        missed = p - where(label, 1 << PROBABILITY.frac, 0)
        if mean is not None:
            beyond = mean - clamp(mean, -self.free, self.free)
            drop = self.pull - (PROBABILITY.frac - self.frac)
            missed = missed + round_shift(beyond, drop, "nearest-even")
        drop = PROBABILITY.frac + CONSTANT_BITS - self.gradients.frac
        product = missed * scale
        word = round_nearest_even(product, drop) if drop > 0 else product << -drop
        return overflow(word, self.gradients)

    def scale(self, rows: int) -> int:
        """Return 2**up / rows with the fraction bits of constants."""
        return round((1 << self.constant_bits) / rows)

    def bind(self, logits, labels, gradient, stats, backend: str):
        """Return a call that runs the unit over a batch; see `nets.arithmetic.integer.STATS`."""
        scale = self.scale(labels.size)
        words = logits.fields["word"]
        if backend == "numpy":
            return lambda: self._run_numpy(words, labels, gradient, stats, scale, logits.columns)
        run = self._kernel(logits.columns)
        out = gradient.fields["word"] if gradient else np.empty(words.shape, self.gradients.dtype)
        args = (words, labels, out, logits.columns, scale, stats)
        return lambda: run(*args)

    def _kernel(self, classes: int) -> Callable:
        """Return the compiled loop for so many classes, the same at every batch."""
        if classes not in self._kernels:
            loop = _LOOP.replace("HIGH", str(self.logits.high))
            loop = loop.replace("LOW", str(self.logits.low))
            loop = loop.replace("MEAN", ", mean(total)" if self.pull else "")
            self._kernels[classes] = compiler().scalar_kernel(
                "softmax", self.circuits(classes), loop)
        return self._kernels[classes]

    def _run_numpy(self, words, labels, gradient, stats, scale, classes):
        circuits, z = self.circuits(classes), words[:, :classes].astype(np.int64)
        t = evaluate(circuits["linear"], word=z)
        s = t[:, 0]
        for j in range(1, classes):
            s = evaluate(circuits["log_add"], s=s, t=t[:, j])
        rows = np.arange(labels.size)
        saturated = ((z == self.logits.high) | (z == self.logits.low)).sum()
        stats += [(s - t[rows, labels]).sum(), (z.argmax(axis=1) == labels).sum(), t.sum(),
                  saturated]
        if gradient is not None:
            label = (np.arange(classes) == labels[:, None]).astype(np.int64)
            means = {}
            if self.pull:
                mean = evaluate(circuits["mean"], total=t.sum(axis=1))
                means["mean"] = mean[:, None] + 0 * t
            gradient.fields["word"][:, :classes] = evaluate(
                circuits["gradient"], t=t, s=s[:, None] + 0 * t, label=label,
                scale=np.full_like(t, scale), **means)


_LOOP = '''\
@njit(cache=True, nogil=True)
def run(words, labels, out, classes, scale, stats):
    t = np.empty(classes, np.int64)
    for i in range(labels.size):
        best, s, total = 0, np.int64(0), np.int64(0)
        for j in range(classes):
            t[j] = linear(np.int64(words[i, j]))
            s = log_add(s, t[j]) if j else t[j]
            best = j if words[i, j] > words[i, best] else best
            total += t[j]
            stats[3] += words[i, j] == HIGH or words[i, j] == LOW
        stats[0] += s - t[labels[i]]
        stats[1] += best == labels[i]
        stats[2] += total
        for j in range(classes):
            out[i, j] = gradient(t[j], s, np.int64(labels[i] == j), scale MEAN)
'''
