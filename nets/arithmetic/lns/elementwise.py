"""Activations of LNS numbers, as plans."""

from __future__ import annotations

from fxp.spec import random_word
from fxp.trace.bits import where
from fxp.trace.circuit import evaluate, trace
from fxp.trace.plans import MapPlan
from lnsarith.delta.methods import Delta
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number
from nets.arithmetic.algebra import LnsAlgebra
from nets.arithmetic.descent import SEED
from nets.arithmetic.elementwise import Elementwise
from nets.arithmetic.formulas import FORMULAS
from nets.arithmetic.lns.descent import lns_constant
from nets.settings.settings import Settings

__all__ = ["LnsElementwise"]

SIGN = (-1, 0)


class LnsElementwise(Elementwise):
    """The plans of maps over LNS numbers, held as levels and signs."""

    settings: Settings
    formats: dict
    delta: Delta
    norm_delta: Delta
    wide: Lns

    def slope_plan(self):
        f = self.formats["activations"]
        return _map(lambda x_level, x_sign: spec.leaky_relu(
            Number(x_level, x_sign), f, self.settings.slope), {"x": f}, f)

    def slope_gradient_plan(self):
        f = self.formats["gradients"]

        def slope(x_sign, d_level, d_sign):
            moved = spec.leaky_relu(Number(d_level, x_sign), f, self.settings.slope)
            return Number(moved.level, d_sign)

        ports = {"x_sign": SIGN, "d_level": spec.level_range(f), "d_sign": SIGN}
        circuit = trace(slope, ports, outputs=("o_level", "o_sign"))
        stored = dict.fromkeys([*ports, "o_level", "o_sign"], f.dtype)
        return MapPlan(circuit, {**stored, "x_sign": self.formats["activations"].dtype})

    def relu_plan(self):
        f = self.formats["activations"]

        def relu(x_level, x_sign):
            return Number(where(x_sign != 0, spec.zero_level(f), x_level), 0 * x_sign)

        return _map(relu, {"x": f}, f)

    def relu_gradient_plan(self):
        f, g = self.formats["activations"], self.formats["gradients"]

        def relu(x_level, x_sign, d_level, d_sign):
            off = (x_sign != 0) | (x_level == spec.zero_level(f))
            return Number(where(off, spec.zero_level(g), d_level), d_sign)

        return _map(relu, {"x": f, "d": g}, g)

    def operator_plan(self, row):
        f = self.formats["activations"]
        circuit = row.circuit(f)

        def apply(x_level, x_sign):
            word = spec.pack(Number(x_level, x_sign), f)
            return spec.unpack(evaluate(circuit, **{row.operands[0]: word}), f)

        return _map(apply, {"x": f}, f)

    def operator_gradient_plan(self, row):
        f, g = self.formats["activations"], self.formats["gradients"]

        def slope(x_level, x_sign, d_level, d_sign):
            x, d = spec.pack(Number(x_level, x_sign), f), spec.pack(Number(d_level, d_sign), g)
            return spec.unpack(row.gradient(x, d, f, g), g)

        return _map(slope, {"x": f, "d": g}, g)

    def formula_plan(self, name, roles, out):
        s, of = self.settings, self.formats
        register = self.wide.widened(s.guard)
        method = self.delta if name == "plus" else self.norm_delta  # as any sum of a network
        delta = method.at(register.frac, spec.zero_level(register))
        algebra = LnsAlgebra(register, delta, s.underflow)

        def formula(**fields):
            numbers = [spec.resize(Number(fields[f"{k}_level"], fields[f"{k}_sign"]), of[role],
                                   register, s.underflow) for k, role in roles.items()]
            return spec.resize(FORMULAS[name](algebra, *numbers), register, of[out], s.underflow)

        return _map(formula, {k: of[role] for k, role in roles.items()}, of[out])

    def dropout_plan(self, role, threshold, factor):
        f = self.formats[role]
        constant = lns_constant(factor, f)
        assert constant is not None  # a factor is at least one

        def drop(x_level, x_sign, seed, element):
            off = (random_word(element, seed) & 0xFFFF) < threshold
            n = spec.product(Number(x_level, x_sign), constant, f, self.settings.underflow)
            return Number(where(off, spec.zero_level(f), n.level), n.sign)

        return _map(drop, {"x": f}, f, SEED)

    def order_circuit(self):
        f = self.formats["activations"]

        def order(level, sign):
            height = level - spec.zero_level(f)
            return where(sign != 0, 0 - height, height)

        return trace(order, {"level": spec.level_range(f), "sign": SIGN})


def _map(function, operands: dict[str, Lns], out: Lns, scalars=None) -> MapPlan:
    """Return the plan of function(x_level, x_sign, ...) of operands of these formats."""
    ports: dict[str, tuple[int, int]] = {}
    for name, f in operands.items():
        ports.update({f"{name}_level": spec.level_range(f), f"{name}_sign": SIGN})
    circuit = trace(function, {**ports, **(scalars or {})}, outputs=("o_level", "o_sign"))
    stored = {p: operands[p[0]].dtype for p in ports}
    return MapPlan(circuit, {**stored, "o_level": out.dtype, "o_sign": out.dtype})
