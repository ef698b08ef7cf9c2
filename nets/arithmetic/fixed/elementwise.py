"""Activations of fixed-point words, as plans."""

from __future__ import annotations

from fxp import spec
from fxp.format import Fixed
from fxp.operators.spindle import spindle, spindle_gradient
from fxp.trace.bits import maximum, where
from fxp.trace.circuit import evaluate, trace
from fxp.trace.plans import MapPlan
from nets.arithmetic.algebra import FixedAlgebra, Scaled
from nets.arithmetic.descent import SEED
from nets.arithmetic.elementwise import Elementwise
from nets.arithmetic.formulas import FORMULAS
from nets.settings.settings import Settings

__all__ = ["FixedElementwise"]


class FixedElementwise(Elementwise):
    """The plans of maps over fixed-point words."""

    settings: Settings
    formats: dict

    def slope_plan(self):
        f = self.formats["activations"]
        return _map(lambda x: spec.leaky_relu(x, f, self.settings.slope), {"x": f}, f)

    def slope_gradient_plan(self):
        x, d = self.formats["activations"], self.formats["gradients"]

        def slope(x, d):
            return where(x < 0, spec.round_shift(d, -self.settings.slope, "nearest-even"), d)

        return _map(slope, {"x": x, "d": d}, d)

    def relu_plan(self):
        f = self.formats["activations"]
        return _map(lambda x: maximum(x, 0), {"x": f}, f)

    def relu_gradient_plan(self):
        x, d = self.formats["activations"], self.formats["gradients"]
        return _map(lambda x, d: where(x > 0, d, 0), {"x": x, "d": d}, d)

    def spindle_plan(self, units):
        f = self.formats["activations"]
        return _map(lambda x: spindle(x, f, f, units, "nearest-even"), {"x": f}, f)

    def spindle_gradient_plan(self, units):
        x, d = self.formats["activations"], self.formats["gradients"]
        return _map(lambda **words: spindle_gradient(**words, f=x, g=d, units=units),
                    {"x": x, "d": d}, d)

    def operator_plan(self, row):
        f = self.formats["activations"]
        circuit = row.circuit(f)
        return _map(lambda x: evaluate(circuit, **{row.operands[0]: x}), {"x": f}, f)

    def operator_gradient_plan(self, row):
        x, d = self.formats["activations"], self.formats["gradients"]
        return _map(lambda **words: row.gradient(words["x"], words["d"], x, d), {"x": x, "d": d}, d)

    def formula_plan(self, name, roles, out):
        of = self.formats
        algebra = FixedAlgebra(of["activations"])

        def formula(**words):
            numbers = [Scaled(words[k], of[role].frac) for k, role in roles.items()]
            n = FORMULAS[name](algebra, *numbers)
            shifted = spec.round_shift(n.word, n.frac - of[out].frac, "nearest-even")
            return spec.overflow(shifted, of[out])

        return _map(formula, {k: of[role] for k, role in roles.items()}, of[out])

    def dropout_plan(self, role, threshold, factor):
        f, frac = self.formats[role], self.formats["activations"].frac
        constant = round(factor * (1 << frac))

        def drop(x, seed, element):
            off = (spec.random_word(element, seed) & 0xFFFF) < threshold
            scaled = spec.overflow(spec.round_shift(x * constant, frac, "nearest-even"), f)
            return where(off, 0, scaled)

        return _map(drop, {"x": f}, f, SEED)

    def order_circuit(self):
        return trace(lambda word: word + 0, {"word": self.formats["activations"].words})


def _map(function, operands: dict[str, Fixed], out: Fixed, scalars=None) -> MapPlan:
    """Return the plan of function(x, ...) of operands of these formats."""
    ports = {k: f.words for k, f in operands.items()}
    circuit = trace(function, {**ports, **(scalars or {})}, outputs=("o",))
    return MapPlan(circuit, {**{k: f.dtype for k, f in operands.items()}, "o": out.dtype})
