"""Activations of fixed-point words, as plans."""

from __future__ import annotations

from fxp import spec
from fxp.bits import maximum, where
from fxp.circuit import trace
from fxp.format import Fixed
from fxp.plans import MapPlan
from nets.elementwise import Elementwise
from nets.settings import Settings

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

    def order_circuit(self):
        return trace(lambda word: word + 0, {"word": self.formats["activations"].words})


def _map(function, operands: dict[str, Fixed], out: Fixed) -> MapPlan:
    """Return the plan of function(x, ...) of operands of these formats."""
    circuit = trace(function, {k: f.words for k, f in operands.items()}, outputs=("o",))
    return MapPlan(circuit, {**{k: f.dtype for k, f in operands.items()}, "o": out.dtype})
