"""Training in logarithmic arithmetic, bit-true from the pixel to the weight update."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from fxp.once import cached_property
from lnsarith.delta import methods as deltas
from lnsarith.delta.gauss import log2_word
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number
from nets.arithmetic.integer import IntegerArithmetic
from nets.arithmetic.lns.descent import LnsDescent, lns_constant
from nets.arithmetic.lns.elementwise import LnsElementwise
from nets.arithmetic.lns.sigmoid import LnsSigmoid
from nets.arithmetic.lns.softmax import LnsSoftmax
from nets.arithmetic.registers import copying
from nets.arithmetic.tensor import Tensor, roomy

__all__ = ["LnsArithmetic"]

ROLES = ("weights", "activations", "gradients", "logits")
MOST = 32  # bits of a word
GROUP = 64  # numbers whose mean is taken as one sum: means come out right to some percent


class LnsArithmetic(LnsElementwise, LnsDescent, IntegerArithmetic):
    """The operations of a network over LNS numbers, held as levels and signs.

    Sums of products run in a register of the widest format with `guard` more
    bits, and `register_bits` more before the point. An update is w - lr g in that
    format without the guard bits, with the rate as a constant of it; with stochastic
    rounding it keeps update_guard more bits and adds random ones before it drops them.
    See `nets.arithmetic.lns.softmax`.

    With decay = gradient, g + weight_decay w takes the place of g; at lr = 2**-6 and
    weight_decay = 2**-10 that is lost in rounding at 12 and 16 bits. With decay =
    level it acts as it should: it multiplies, so it is a step down for every level,
    by one unit after as many batches as lr * weight_decay takes for it.
    """

    def __init__(self, settings, threads: int = 1, backend: str = "vector"):
        super().__init__(settings, threads, backend)
        self.formats = {r: settings.format(r) for r in ROLES}
        self.delta = deltas.parse(settings.delta)
        self.norm_delta = deltas.parse(settings.norm_delta)
        self.frac = self.formats["logits"].frac
        # Forced now, so that a wrong method or format is told before any work.
        self.delta.check(self.wide.frac + settings.guard)
        self.delta.at(self.wide.frac + settings.guard, spec.zero_level(self.wide))

    def empty(self, rows, columns, role):
        f = self.formats[role]
        return Tensor({"level": roomy(rows, columns, spec.zero_level(f), f.dtype),
                       "sign": roomy(rows, columns, 0, f.dtype)}, columns, role)

    def normal(self, rng, rows, columns, std):
        """Draw sign and log apart: P(log <= l) = erf(2**l / (std sqrt 2)), and the sign
        is fair (change of measure, ICASSP 2020). The thresholds come from math.erf,
        so that no vector unit can change a weight."""
        t = self.empty(rows, columns, "weights")
        if not std:
            return t
        drawn = _half_normal(self.formats["weights"], rng.random((rows, columns)), std)
        signs = -rng.integers(0, 2, (rows, columns))
        t.fields["level"][:, :columns] = drawn + spec.zero_level(self.formats["weights"])
        t.fields["sign"][:, :columns] = np.where(drawn == 0, 0, signs)
        return t

    def affine_plan(self):
        return self.accumulator("activations", "weights", "weights", "activations").plan()

    def logits_plan(self):
        return self.accumulator("activations", "weights", "weights", "logits").plan()

    def input_gradient_plan(self):
        return self.accumulator("gradients", "weights", "gradients", "gradients").plan()

    def weighted_plan(self, role):
        return self.accumulator("activations", role, role, role, "sequential").plan()

    def mean_of_rows(self, rows, mean):
        """mean = the mean of the means of groups, of means of groups of these, ...

        A long sum in sequence loses what comes late: beyond some thousand numbers it
        outgrows each by more than a word's fraction. A group is every n-th row. The register
        has one more integer bit, for a share of a small number is smaller than any word.
        """
        taken = self.accumulator("activations", rows.role, rows.role, rows.role, "sequential")
        wider = Lns(min(MOST, self.wide.bits + 1), self.wide.frac)
        calls, plan = [], replace(taken, f=wider, delta=self.norm_delta).plan()
        for size in _group_sizes(rows.rows):
            width = rows.rows // size * next(iter(rows.fields.values())).shape[1]
            groups = Tensor({k: v.reshape(size, width) for k, v in rows.fields.items()},
                            width, rows.role)
            means = self.empty(1, width, rows.role)
            calls.append(self.sum_of_rows(plan, groups,
                                          self.constant(Fraction(1, size)), means))
            rows = Tensor({k: v[:, :width].reshape(rows.rows // size, -1)
                           for k, v in means.fields.items()}, rows.columns, rows.role)
        take = copying(self, [(v[:, : mean.columns], rows.fields[k][:, : mean.columns])
                              for k, v in mean.fields.items()])

        def run() -> None:
            for call in calls:
                call()
            take()

        return run

    def fill(self, t, value):
        n = self._number(Fraction(value), self.formats[t.role])
        t.fields["level"][:, : t.columns] = n.level
        t.fields["sign"][:, : t.columns] = n.sign

    def constant(self, value):
        t = self.empty(1, 1, "activations")
        if n := lns_constant(value, self.formats["activations"]):
            t.fields["level"][0, 0] = n.level
        return t

    def pixel_table(self):
        f = self.formats["activations"]
        numbers = [self._number(self.settings.pixel(v), f) for v in range(256)]
        return {"level": np.array([n.level for n in numbers], f.dtype),
                "sign": np.array([n.sign for n in numbers], f.dtype)}

    def _number(self, value, f):
        """Return the nearest number of f; what is too small for it is zero."""
        low = spec.zero_level(f)
        if not value:
            return Number(low, 0)
        log = log2_word(abs(value.numerator), value.denominator, f.frac)
        level = min(-1, max(low, log + spec.one_level(f)))
        return Number(level, -1 if value < 0 and level > low else 0)

    @cached_property
    def one(self):
        t = self.empty(1, 1, "activations")
        t.fields["level"][0, 0] = spec.one_level(self.formats["activations"])
        return t

    def softmax(self, logits, labels, gradient, stats):
        return self.softmax_unit.bind(logits, labels, gradient, stats, self.backend)

    @cached_property
    def softmax_unit(self) -> LnsSoftmax:
        s = self.settings
        given = (self.formats["logits"], self.formats["gradients"],
                 deltas.parse(s.softmax_delta), s.softmax_bits)
        return LnsSigmoid(*given, s.loss_scale) if s.loss == "sigmoid" else LnsSoftmax(
            *given, s.softmax_pull, s.free, s.loss_scale)

    def words(self, t):
        f = self.formats[t.role]
        n = Number(t.fields["level"].astype(np.int64), t.fields["sign"].astype(np.int64))
        return spec.pack(n, f)[:, : t.columns].astype(f.dtype)

    def set_words(self, t, words):
        n = spec.unpack(words.astype(np.int64), self.formats[t.role])
        for name, values in zip(("level", "sign"), n):
            t.fields[name][:, : t.columns] = values

    def reals(self, t):
        f = self.formats[t.role]
        level = t.fields["level"][:, : t.columns].astype(np.int64)
        magnitude = 2.0 ** ((level - spec.one_level(f)) / (1 << f.frac))
        return np.where(level == spec.zero_level(f), 0.0,
                        np.where(t.fields["sign"][:, : t.columns] < 0, -magnitude, magnitude))


def _group_sizes(count: int) -> list[int]:
    """Return sizes with this product, each at most GROUP or a prime: the prime factors,
    ascending, multiplied up."""
    sizes, size, prime = [], 1, 2
    while count > 1:
        while count % prime:
            prime += 1
        if size * prime > GROUP and size > 1:
            sizes.append(size)
            size = 1
        size, count = size * prime, count // prime
    return [*sizes, size]


def _half_normal(f: Lns, uniform: np.ndarray, std: float) -> np.ndarray:
    """Return log codes above zero's of |N(0, std**2)| at these cumulative probabilities."""
    shift = max(0, f.bits - 18)  # wide logs are drawn to 18 bits, then spread evenly
    drawn = np.searchsorted(_edges(f, std, shift), uniform) << shift
    return np.minimum(drawn, f.high_log - f.zero_log)


@lru_cache(maxsize=16)  # of many layers, networks and seeds
def _edges(f: Lns, std: float, shift: int) -> np.ndarray:
    """Return the cumulative probabilities between these logs."""
    steps = np.arange(f.zero_log, f.high_log, 1 << shift)
    return np.array([
        math.erf(2.0 ** ((log + (1 << shift) / 2) / (1 << f.frac)) / (std * math.sqrt(2)))
        for log in steps.tolist()])
