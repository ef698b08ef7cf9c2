"""How LNS weights take a step against their gradient, to the bit."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np

from fxp.spec import random_word
from fxp.trace.bits import maximum, minimum, where
from fxp.trace.circuit import trace
from fxp.trace.plans import MapPlan, narrowest
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta.gauss import log2_word
from lnsarith.delta.methods import Delta
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number
from nets.arithmetic.descent import SEED, Descent

__all__ = ["LnsDescent", "lns_constant"]

SIGN = (-1, 0)


class LnsDescent(Descent):
    """The step of a weight, see `updated`, and its decay; the class of the arithmetic
    says how they are rounded."""

    formats: dict
    delta: Delta

    @property
    def wide(self) -> Lns:
        """The format of registers without guard bits: it holds all stored words."""
        stored = [f for role, f in self.formats.items() if role != "logits"]
        frac = max(f.frac for f in stored)
        whole = max(f.bits - f.frac for f in stored) + self.settings.register_bits
        return Lns(whole + frac, frac)

    def accumulator(self, a: str, b: str, init: str, out: str, order: str = "") -> Accumulator:
        """Return how sums of products of two roles are taken."""
        s, of = self.settings, self.formats
        order = order or ("tree" if s.order == "tree" else "sequential")
        return Accumulator(self.wide, self.delta, s.guard, order, s.underflow,
                           {"a": of[a], "b": of[b], "init": of[init], "out": of[out]})

    def sums_by_images(self):
        return self.settings.order == "images"

    def sum_plan(self):
        acc = self.accumulator("gradients", "gradients", "gradients", "gradients")
        span = spec.level_range(acc.register)
        ports = {"level": span, "sign": SIGN, "level_2": span, "sign_2": SIGN}

        def add(level, sign, level_2, sign_2):
            return acc.total(Number(level, sign), Number(level_2, sign_2))

        kinds = {n: narrowest(*of) for n, of in ports.items()}
        return MapPlan(trace(add, ports, outputs=("level", "sign")), kinds)

    def update_plan(self, depth=0, turned=False):
        operands = ("gradients", "activations") if turned else ("activations", "gradients")
        acc = self.accumulator(*operands, "gradients", "gradients")
        f, g = self.formats["weights"], self.formats["gradients"]
        ports, outputs = _ports("w", f), ["level", "sign"]
        stored = {**dict.fromkeys((*ports, "o_level", "o_sign"), f.dtype)}
        if self.settings.stochastic:
            ports.update(SEED)
        if self.scheduled:
            ports["rate"] = spec.zero_level(self._update_register), -1
        if self.with_momentum:
            ports.update(_ports("v", g))
            outputs += ["v_level", "v_sign"]
            stored.update(dict.fromkeys((*_ports("v", g), "o_v_level", "o_v_sign"), g.dtype))
        keeps = not self.with_momentum and self._update_keeps_untouched()
        return acc.plan(self.updated, ports, outputs, keep_untouched=keeps, dtypes=stored)

    def updated(self, g: Number, w_level, w_sign, v_level=None, v_sign=None, rate=None,
                seed=None, element=None):
        """Return w - lr g, rounded to the format of weights, with a seed stochastically."""
        random = None if seed is None else random_word(element, seed)
        return self._updated(g, w_level, w_sign, v_level, v_sign, rate, random)

    def _updated(self, g: Number, w_level, w_sign, v_level, v_sign, rate, random):
        """Return what `updated` does, of given random bits; see the class on decay.

        g is 2**loss_scale times as large as it is meant. It is clipped first; then come decay
        and l1 sign(w). With momentum v = momentum v + g takes the place of g and is returned
        too, rounded to a gradient.
        """
        s = self.settings
        f, gradients, register = (self.formats["weights"], self.formats["gradients"],
                                  self._update_register)
        w = spec.resize(Number(w_level, w_sign), f, register, s.underflow)
        g = spec.resize(g, gradients, register, s.underflow)
        if s.loss_scale:
            one = Number(spec.one_level(register) - (s.loss_scale << register.frac), 0)
            g = spec.product(g, one, register, s.underflow)
        clip, decay, l1, momentum, lr = (
            lns_constant(self.real(n), register)
            for n in ("clip", "weight_decay", "l1", "momentum", "lr"))
        if clip:
            g = Number(minimum(g.level, clip.level), g.sign)
        if decay is not None and s.decay == "gradient":
            g = self._sum(g, spec.product(w, decay, register, s.underflow))
        if l1:
            level = where(w.level == spec.zero_level(register), w.level, l1.level)
            g = self._sum(g, Number(level, w.sign))
        if momentum:
            v = spec.resize(Number(v_level, v_sign), gradients, register, s.underflow)
            g = self._sum(spec.product(v, momentum, register, s.underflow), g)
        lr = lr if rate is None else Number(rate, 0)
        assert lr is not None  # settings refuse a rate of zero
        step = spec.product(g, lr, register, s.underflow)
        moved = self._sum(w, Number(step.level, -1 - step.sign))
        after = spec.resize(moved, register, f, s.underflow, random)
        if not momentum:
            return after
        return *after, *spec.resize(g, register, gradients, s.underflow)

    def rate_word(self, factor):
        lr = lns_constant(self.real("lr") * factor, self._update_register)
        return lr.level if lr else spec.zero_level(self._update_register)

    def decay_plan(self):
        """Return the step down of all weights by one unit."""
        f = self.formats["weights"]

        def lower(w_level, w_sign):
            return Number(maximum(w_level - 1, spec.zero_level(f)), w_sign)

        ports = _ports("w", f)
        circuit = trace(lower, ports, outputs=("o_level", "o_sign"))
        return MapPlan(circuit, dict.fromkeys([*ports, "o_level", "o_sign"], f.dtype))

    @property
    def decay_period(self) -> int:
        """Batches after which weights go one unit down; 0 for never."""
        rate = float(self.real("lr") * self.real("weight_decay"))
        if self.settings.decay != "level" or not rate:
            return 0
        units = -math.log1p(-rate) / math.log(2) * (1 << self.formats["weights"].frac)
        return max(1, round(1 / units))

    @property
    def _update_register(self) -> Lns:
        return self.wide.widened(self.settings.update_guard if self.settings.stochastic else 0)

    def _sum(self, x: Number, y: Number) -> Number:
        register = self._update_register
        delta = self.delta.at(register.frac, spec.zero_level(register))
        return spec.total(x, y, delta, register, self.settings.underflow)

    def _update_keeps_untouched(self) -> bool:
        """Whether an update by a zero gradient changes no weight at all: tried on each,
        with the least and the most that random bits add. A rate that changes must have
        nothing to multiply."""
        f = self.formats["weights"]
        pulled = self.real("l1") or (self.real("weight_decay") and
                                     self.settings.decay == "gradient")
        if f.bits > 16 or (self.scheduled and pulled):
            return False
        levels = np.arange(*spec.level_range(f), dtype=np.int64)
        levels = np.append(levels, -1)
        zero = Number(np.full_like(levels, spec.zero_level(self.formats["gradients"])),
                      np.zeros_like(levels))
        rate = spec.one_level(self._update_register) if self.scheduled else None
        randoms = (0, -1) if self.settings.stochastic else (None,)
        for sign, random in product(SIGN, randoms):
            signs = np.full_like(levels, sign)
            after = self._updated(zero, levels, signs, None, None, rate, random)
            same_sign = (after.sign == sign) | (levels == spec.zero_level(f))
            if not ((after.level == levels) & same_sign).all():
                return False
        return True


def lns_constant(value: Fraction, f: Lns) -> Number | None:
    """Return a non-negative real as a number of f; None for zero."""
    if not value:
        return None
    log = log2_word(value.numerator, value.denominator, f.frac)
    return Number(min(-1, max(spec.zero_level(f) + 1, log + spec.one_level(f))), 0)


def _ports(name: str, f: Lns) -> dict[str, tuple[int, int]]:
    return {f"{name}_level": spec.level_range(f), f"{name}_sign": SIGN}
