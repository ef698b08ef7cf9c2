"""Soft-max and cross-entropy over LNS logits, in integers alone.

With t_j = a_j log2 e as a linear fixed-point number, log2 p_j = t_j - log2 sum
2**t_k: the sum runs with D+ over a fine table (ICASSP 2020: r = 1/64), and p_j is
an LNS number at once. The label's gradient is p - 1, by D- of the same table.
The register of t needs more integer bits than a word: rounding lets all logits
drift together, and a clamped t means nothing.

Soft-max does not care about a common shift, so nothing but rounding moves it, and
in long runs it runs away. `pull` holds it: as far as the mean t of a sample exceeds
`free` octaves, it is divided by 2**pull and added to each of its gradients, as if
half its square were part of the loss. The best answer is the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fxp.compile.loading import compiler
from fxp.format import Fixed
from fxp.spec import divided
from fxp.trace.bits import clamp, maximum, minimum, where
from fxp.trace.circuit import Circuit, evaluate, trace
from lnsarith.delta.gauss import log2_word
from lnsarith.delta.methods import Delta
from lnsarith.lns import spec
from lnsarith.lns.convert import LOG2_E, antilog, log2_of
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number

__all__ = ["LnsSoftmax"]

SIGN = (-1, 0)


class LnsSoftmax:
    """The circuits of a soft-max unit and the loop that runs them.

    The register of t has the integer bits of the logits' log and `extra` more; a
    quarter of it is free where `free` is negative. Gradients are 2**up times as large.
    """

    def __init__(self, logits: Lns, gradients: Lns, delta: Delta, extra: int, pull: int,
                 free: int, up: int = 0):
        self.up = up << logits.frac
        self.logits = logits
        self.gradients = gradients
        self.pull = pull
        whole = max(1, logits.bits - 2 - logits.frac) + extra
        self.register = Fixed(min(32, 1 + whole + logits.frac), logits.frac)
        octaves = free << logits.frac
        self.free = octaves if free >= 0 else self.register.high >> 2
        self.delta = delta.at(logits.frac, spec.zero_level(logits))
        self._kernels: dict[int, Callable] = {}

    def circuits(self, classes: int) -> dict[str, Circuit]:
        """Return the circuits for so many logits of a sample by name."""
        number = {"level": spec.level_range(self.logits), "sign": SIGN}
        low, high = self.register.words
        sums = (low, high + (16 << self.logits.frac))
        return {
            "linear": trace(self.linear, number),
            "order": trace(self.order, number),
            "log_add": trace(self.log_add, {"s": sums, "t": (low, high)}),
            "mean": trace(lambda total: self.mean(total, classes),
                          {"total": (classes * low, classes * high)}),
            "common": trace(self.common, {"mean": (low, high)}, outputs=("level", "sign")),
            "gradient": trace(self.gradient, {
                "t": (low, high), "s": sums, "label": (0, 1), "scale": (-(1 << 31), self.up),
                "c_level": spec.level_range(self.logits), "c_sign": SIGN}),
        }

    def linear(self, level, sign):
        """Return a log2 e of a logit a, as a word of the register."""
        return antilog(Number(level, sign), self.logits, self.register, LOG2_E)

    def order(self, level, sign):
        """Return an integer that orders logits."""
        height = level - spec.zero_level(self.logits)
        return where(sign != 0, 0 - height, height)

    def log_add(self, s, t):
        """Return log2(2**s + 2**t)."""
        larger = maximum(s, t)
        total = larger + self.delta(larger - minimum(s, t), 0)
        return minimum(total, self.register.high + (16 << self.logits.frac))

    def mean(self, total, classes: int):
        """Return the mean t of a sample, rounded down, of the sum of its t."""
        low, high = self.register.words
        return divided(total, classes, classes * low, classes * high)

    def common(self, mean) -> Number:
        """Return what every gradient of a sample gets: the excess of its mean t / 2**pull."""
        f = self.logits
        n = log2_of(mean - clamp(mean, -self.free, self.free), self.register, f)
        return Number(maximum(n.level - (self.pull << f.frac), spec.zero_level(f)), n.sign)

    def gradient(self, t, s, label, scale, c_level, c_sign) -> Number:
        """Return (p - label + c) 2**scale with log2 p = t - s; p is at most 1."""
        f = self.logits
        zero, one = spec.zero_level(f), spec.one_level(f)
        p = Number(maximum(minimum(t - s, 0) + one, zero), 0)
        missed = spec.total(p, Number(one, -1), self.delta, f)
        n = Number(where(label, missed.level, p.level), where(label, missed.sign, p.sign))
        if self.pull:
            n = spec.total(n, Number(c_level, c_sign), self.delta, f)
        moved = where(n.level == zero, zero, maximum(n.level + scale, zero))
        moved = minimum(moved, -1) if self.up else moved
        return spec.resize(Number(moved, n.sign), f, self.gradients)

    def scale(self, rows: int) -> int:
        """Return log2(2**up / rows) in units of the logits."""
        return log2_word(1, rows, self.logits.frac) + self.up

    def bind(self, logits, labels, gradient, stats, backend: str):
        """Return a call that runs the unit over a batch; see `nets.arithmetic.integer.STATS`."""
        scale = self.scale(labels.size)
        if backend == "numpy":
            return lambda: self._run_numpy(logits, labels, gradient, stats, scale)
        run = self._kernel(logits.columns)
        level, sign = logits.fields["level"], logits.fields["sign"]
        # Without a gradient, the loop writes into a scratch of the same shape.
        out = gradient.fields if gradient else {
            k: np.empty(level.shape, self.gradients.dtype) for k in ("level", "sign")}
        args = (level, sign, labels, out["level"], out["sign"], logits.columns, scale, stats)
        return lambda: run(*args)

    def _kernel(self, classes: int) -> Callable:
        """Return the compiled loop for so many classes, the same at every batch."""
        if classes not in self._kernels:
            self._kernels[classes] = self._compiled(self.circuits(classes))
        return self._kernels[classes]

    def _compiled(self, circuits: dict[str, Circuit]):
        loop = _LOOP.replace("TOP", str(self.register.high))
        return compiler().scalar_kernel("softmax", circuits, loop)

    def _run_numpy(self, logits, labels, gradient, stats, scale):
        classes = logits.columns
        circuits = self.circuits(classes)
        fields = {k: v[:, :classes].astype(np.int64) for k, v in logits.fields.items()}
        t = evaluate(circuits["linear"], **fields)
        s = t[:, 0]
        for j in range(1, classes):
            s = evaluate(circuits["log_add"], s=s, t=t[:, j])
        rows = np.arange(labels.size)
        right = evaluate(circuits["order"], **fields).argmax(axis=1) == labels
        saturated = (np.abs(t) >= self.register.high).sum()
        stats += [(s - t[rows, labels]).sum(), right.sum(), t.sum(), saturated]
        if gradient is not None:
            label = (np.arange(classes) == labels[:, None]).astype(np.int64)
            c_level, c_sign = evaluate(
                circuits["common"], mean=evaluate(circuits["mean"], total=t.sum(axis=1)))
            level, sign = evaluate(circuits["gradient"], t=t, s=s[:, None] + 0 * t, label=label,
                                   scale=np.full_like(t, scale),
                                   c_level=c_level[:, None] + 0 * t, c_sign=c_sign[:, None] + 0 * t)
            gradient.fields["level"][:, :classes] = level
            gradient.fields["sign"][:, :classes] = sign


_LOOP = '''\
@njit(cache=True, nogil=True)
def run(level, sign, labels, d_level, d_sign, classes, scale, stats):
    t = np.empty(classes, np.int64)
    for i in range(labels.size):
        best, best_order, s, total = 0, np.int64(0), np.int64(0), np.int64(0)
        for j in range(classes):
            t[j] = linear(np.int64(level[i, j]), np.int64(sign[i, j]))
            s = log_add(s, t[j]) if j else t[j]
            place = order(np.int64(level[i, j]), np.int64(sign[i, j]))
            if j == 0 or place > best_order:
                best, best_order = j, place
            total += t[j]
            stats[3] += abs(t[j]) >= TOP
        stats[0] += s - t[labels[i]]
        stats[1] += best == labels[i]
        stats[2] += total
        c_level, c_sign = common(mean(total))
        for j in range(classes):
            a, b = gradient(t[j], s, np.int64(labels[i] == j), scale, c_level, c_sign)
            d_level[i, j] = a
            d_sign[i, j] = b
'''
