"""What networks ask of an integer arithmetic number by number: maps bound to tensors."""

from __future__ import annotations

from fractions import Fraction

from fxp.once import cached_property
from fxp.operators.spindle import Spindle
from fxp.run.execute import bind_map
from fxp.spec import random_word
from fxp.trace.circuit import Circuit
from fxp.trace.plans import MapPlan
from lnsarith.catalogue.operator import Operator
from nets.arithmetic.tensor import Tensor
from nets.settings.settings import Settings

__all__ = ["DROPOUT", "Elementwise"]

DROPOUT = 0x2545F491  # sets the random bits of dropout apart from those of updates


class Elementwise:
    """Activations and their gradients over words. Subclasses give the plans."""

    backend: str
    threads: int
    settings: Settings
    step: int

    def dropout_plan(self, role: str, threshold: int, factor: Fraction) -> MapPlan:
        raise NotImplementedError

    def formula_plan(self, name: str, roles: dict[str, str], out: str) -> MapPlan:
        """Return a formula of operands a, b, c, d of these roles, with a result of role out."""
        raise NotImplementedError

    def slope_plan(self) -> MapPlan:
        raise NotImplementedError

    def slope_gradient_plan(self) -> MapPlan:
        raise NotImplementedError

    def relu_plan(self) -> MapPlan:
        raise NotImplementedError

    def relu_gradient_plan(self) -> MapPlan:
        raise NotImplementedError

    def spindle_plan(self, units: Spindle) -> MapPlan:
        raise NotImplementedError

    def spindle_gradient_plan(self, units: Spindle) -> MapPlan:
        raise NotImplementedError

    def operator_plan(self, row: Operator) -> MapPlan:
        raise NotImplementedError

    def operator_gradient_plan(self, row: Operator) -> MapPlan:
        raise NotImplementedError

    def order_circuit(self) -> Circuit:
        """Return the circuit of an integer that orders activations, from their fields."""
        raise NotImplementedError

    def leaky(self, x: Tensor, y: Tensor):
        """y = x, scaled by 2**slope where negative."""
        return self.mapped(self._slope, x=x, o=y)

    def leaky_gradient(self, x: Tensor, dy: Tensor, dx: Tensor):
        """dx = dy, scaled by 2**slope where x is negative."""
        return self.mapped(self._slope_gradient, x=x, d=dy, o=dx)

    def relu(self, x: Tensor, y: Tensor):
        """y = x where positive, else zero."""
        return self.mapped(self._relu, x=x, o=y)

    def relu_gradient(self, x: Tensor, dy: Tensor, dx: Tensor):
        """dx = dy where x is positive, else zero."""
        return self.mapped(self._relu_gradient, x=x, d=dy, o=dx)

    def spindle(self, x: Tensor, y: Tensor, units: Spindle):
        """y = the sum of shifted ReLUs of x."""
        return self.mapped(self.spindle_plan(units), x=x, o=y)

    def spindle_gradient(self, x: Tensor, dy: Tensor, dx: Tensor, units: Spindle):
        """dx = dy times the gains of the units that work at x."""
        return self.mapped(self.spindle_gradient_plan(units), x=x, d=dy, o=dx)

    def operator(self, x: Tensor, y: Tensor, row: Operator):
        """y = an operator of x."""
        return self.mapped(self.operator_plan(row), x=x, o=y)

    def operator_gradient(self, x: Tensor, dy: Tensor, dx: Tensor, row: Operator):
        """dx = dy times the derivative of an operator at x."""
        return self.mapped(self.operator_gradient_plan(row), x=x, d=dy, o=dx)

    def dropped(self, x: Tensor, y: Tensor, threshold: int, factor: Fraction, number: int):
        """y = x times factor, or zero where 16 random bits are below threshold."""
        call = self.mapped(self.dropout_plan(x.role, threshold, factor), x=x, o=y)
        salt = (self.settings.seed * 65599 + DROPOUT + number) & 0xFFFFFFFF
        return lambda: call(seed=random_word(self.step & 0xFFFFFFFF, salt))

    def formula(self, name: str, out: Tensor, *operands: Tensor):
        """out = a formula of `nets.layers.norm` of operands of its size, or of a part of it."""
        tensors = dict(zip("abcd", operands))
        plan = self.formula_plan(name, {k: t.role for k, t in tensors.items()}, out.role)
        return self.mapped(plan, o=out, **tensors)

    def mapped(self, plan: MapPlan, **tensors: Tensor):
        """Return the call that runs a map whose ports are fields of these tensors."""
        arrays = {k: v for name, t in tensors.items() for k, v in t.named(name).items()}
        wanted = {*plan.circuit.inputs, *plan.circuit.outputs}
        return bind_map(plan, {k: v for k, v in arrays.items() if k in wanted}, self.backend,
                        threads=self.threads)

    @cached_property
    def _slope(self) -> MapPlan:
        return self.slope_plan()

    @cached_property
    def _slope_gradient(self) -> MapPlan:
        return self.slope_gradient_plan()

    @cached_property
    def _relu(self) -> MapPlan:
        return self.relu_plan()

    @cached_property
    def _relu_gradient(self) -> MapPlan:
        return self.relu_gradient_plan()
