"""Training in logarithmic arithmetic, bit-true from the pixel to the weight update."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from fxp.bits import maximum
from fxp.circuit import trace
from fxp.plans import MapPlan
from fxp.spec import random_word
from lnsarith import delta as deltas
from lnsarith import spec
from lnsarith.format import Lns
from lnsarith.gauss import log2_word
from lnsarith.kernels import Accumulator
from lnsarith.spec import Number
from nets.elementwise_lns import LnsElementwise
from nets.integer import IntegerArithmetic
from nets.lns_softmax import LnsSoftmax
from nets.settings import parse_real
from nets.tensor import Tensor, roomy

__all__ = ["LnsArithmetic"]

SIGN = (-1, 0)


class LnsArithmetic(LnsElementwise, IntegerArithmetic):
    """The operations of a network over LNS numbers, held as levels and signs.

    Sums of products run in a register of the widest format with `guard` more
    bits. An update is w - lr g in that format, with the rate as a constant of it;
    with stochastic rounding it keeps update_guard more bits and adds random ones
    before it drops them. See `nets.lns_softmax`.

    With decay = gradient, g + weight_decay w takes the place of g; at lr = 2**-6 and
    weight_decay = 2**-10 that is lost in rounding at 12 and 16 bits. With decay =
    level it acts as it should: it multiplies, so it is a step down for every level,
    by one unit after as many batches as lr * weight_decay takes for it.
    """

    def __init__(self, settings, threads: int = 1, backend: str = "vector"):
        super().__init__(settings, threads, backend)
        self.formats = {r: settings.format(r) for r in ("weights", "activations", "gradients")}
        self.delta = deltas.parse(settings.delta)
        self.frac = self.formats["activations"].frac
        # Forced now, so that a wrong method or format is told before any work.
        self.delta.at(self.wide.frac + settings.guard, spec.zero_level(self.wide))

    @property
    def wide(self) -> Lns:
        """The format that holds all others."""
        frac = max(f.frac for f in self.formats.values())
        whole = max(f.bits - f.frac for f in self.formats.values())
        return Lns(whole + frac, frac)

    def empty(self, rows, columns, role):
        f = self.formats[role]
        return Tensor({"level": roomy(rows, columns, spec.zero_level(f), f.dtype),
                       "sign": roomy(rows, columns, 0, f.dtype)}, columns, role)

    def normal(self, rng, rows, columns, std):
        """Draw sign and log apart: P(log <= l) = erf(2**l / (std sqrt 2)), and the sign
        is fair (change of measure, ICASSP 2020). The thresholds come from math.erf,
        so that no vector unit can change a weight."""
        t = self.empty(rows, columns, "weights")
        drawn = _half_normal(self.formats["weights"], rng.random((rows, columns)), std)
        signs = -rng.integers(0, 2, (rows, columns))
        t.fields["level"][:, :columns] = drawn + spec.zero_level(self.formats["weights"])
        t.fields["sign"][:, :columns] = np.where(drawn == 0, 0, signs)
        return t

    def affine_plan(self):
        return self._accumulator("activations", "weights", "weights", "activations").plan()

    def input_gradient_plan(self):
        return self._accumulator("gradients", "weights", "gradients", "gradients").plan()

    def update_plan(self, depth=0, turned=False):
        operands = ("gradients", "activations") if turned else ("activations", "gradients")
        acc = self._accumulator(*operands, "gradients", "gradients")
        f = self.formats["weights"]
        ports = {"w_level": spec.level_range(f), "w_sign": SIGN}
        if self.settings.stochastic:
            ports.update(seed=(0, (1 << 32) - 1), element=(0, (1 << 31) - 1))
        stored = {k: f.dtype for k in ("w_level", "w_sign", "o_level", "o_sign")}
        keeps = not self.settings.stochastic and self._update_keeps_untouched()
        return acc.plan(self.updated, ports, keep_untouched=keeps, dtypes=stored)

    def updated(self, g: Number, w_level, w_sign, seed=None, element=None) -> Number:
        """Return w - lr g, rounded to the format of weights; see the class on decay."""
        s = self.settings
        f, register = self.formats["weights"], self._update_register
        delta = self.delta.at(register.frac, spec.zero_level(register))
        w = spec.resize(Number(w_level, w_sign), f, register, s.underflow)
        g = spec.resize(g, self.formats["gradients"], register, s.underflow)
        decay, rate = (_constant(parse_real(n, getattr(s, n)), register)
                       for n in ("weight_decay", "lr"))
        if decay is not None and s.decay == "gradient":
            g = spec.total(g, spec.product(w, decay, register, s.underflow), delta, register,
                           s.underflow)
        assert rate is not None  # settings refuse a rate of zero
        step = spec.product(g, rate, register, s.underflow)
        step = Number(step.level, -1 - step.sign)
        moved = spec.total(w, step, delta, register, s.underflow)
        random = None if seed is None else random_word(element, seed)
        return spec.resize(moved, register, f, s.underflow, random)

    def weighted_plan(self, role):
        return self._accumulator("activations", role, role, role, "sequential").plan()

    def constant(self, value):
        t = self.empty(1, 1, "activations")
        if n := _constant(value, self.formats["activations"]):
            t.fields["level"][0, 0] = n.level
        return t

    def decay_plan(self):
        """Return the step down of all weights by one unit."""
        f = self.formats["weights"]

        def lower(w_level, w_sign):
            return Number(maximum(w_level - 1, spec.zero_level(f)), w_sign)

        ports = {"w_level": spec.level_range(f), "w_sign": SIGN}
        circuit = trace(lower, ports, outputs=("o_level", "o_sign"))
        return MapPlan(circuit, dict.fromkeys([*ports, "o_level", "o_sign"], f.dtype))

    @property
    def decay_period(self) -> int:
        """Batches after which weights go one unit down; 0 for never."""
        s = self.settings
        rate = float(parse_real("lr", s.lr) * parse_real("weight_decay", s.weight_decay))
        if s.decay != "level" or not rate:
            return 0
        units = -math.log1p(-rate) / math.log(2) * (1 << self.formats["weights"].frac)
        return max(1, round(1 / units))

    @property
    def _update_register(self) -> Lns:
        return self.wide.widened(self.settings.update_guard if self.settings.stochastic else 0)

    def _update_keeps_untouched(self) -> bool:
        """Whether an update by a zero gradient changes no weight at all: tried on each."""
        f = self.formats["weights"]
        if f.bits > 16:
            return False
        levels = np.arange(*spec.level_range(f), dtype=np.int64)
        levels = np.append(levels, -1)
        zero = Number(np.full_like(levels, spec.zero_level(self.formats["gradients"])),
                      np.zeros_like(levels))
        for sign in SIGN:
            after = self.updated(zero, levels, np.full_like(levels, sign))
            same_sign = (after.sign == sign) | (levels == spec.zero_level(f))
            if not ((after.level == levels) & same_sign).all():
                return False
        return True

    def pixel_table(self):
        f = self.formats["activations"]
        logs = [log2_word(v, 255, f.frac) for v in range(1, 256)]
        low = spec.zero_level(f)
        levels = [low] + [min(-1, max(low, log + spec.one_level(f))) for log in logs]
        return {"level": np.array(levels, f.dtype), "sign": np.zeros(256, f.dtype)}

    @cached_property
    def one(self):
        t = self.empty(1, 1, "activations")
        t.fields["level"][0, 0] = spec.one_level(self.formats["activations"])
        return t

    def softmax(self, logits, labels, gradient, stats):
        return self._softmax.bind(logits, labels, gradient, stats, self.backend)

    @cached_property
    def _softmax(self) -> LnsSoftmax:
        s = self.settings
        return LnsSoftmax(self.formats["activations"], self.formats["gradients"],
                          deltas.parse(s.softmax_delta), s.softmax_bits, s.softmax_pull,
                          s.free)

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

    def _accumulator(self, a: str, b: str, init: str, out: str, order="") -> Accumulator:
        s, of = self.settings, self.formats
        return Accumulator(self.wide, self.delta, s.guard, order or s.order, s.underflow,
                           {"a": of[a], "b": of[b], "init": of[init], "out": of[out]})


def _constant(value, f: Lns) -> Number | None:
    """Return a non-negative real as a number of f; None for zero."""
    if not value:
        return None
    log = log2_word(value.numerator, value.denominator, f.frac)
    return Number(min(-1, max(spec.zero_level(f) + 1, log + spec.one_level(f))), 0)


def _half_normal(f: Lns, uniform: np.ndarray, std: float) -> np.ndarray:
    """Return log codes above zero's of |N(0, std**2)| at these cumulative probabilities."""
    shift = max(0, f.bits - 18)  # wide logs are drawn to 18 bits, then spread evenly
    steps = np.arange(f.zero_log, f.high_log, 1 << shift)
    edges = [math.erf(2.0 ** ((log + (1 << shift) / 2) / (1 << f.frac)) / (std * math.sqrt(2)))
             for log in steps.tolist()]
    return np.minimum(np.searchsorted(edges, uniform) << shift, f.high_log - f.zero_log)
