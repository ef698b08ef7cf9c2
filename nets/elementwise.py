"""What networks ask of an integer arithmetic number by number: maps bound to tensors."""

from __future__ import annotations

from functools import cached_property

from fxp.circuit import Circuit
from fxp.execute import bind_map
from fxp.plans import MapPlan
from nets.tensor import Tensor

__all__ = ["Elementwise"]


class Elementwise:
    """Activations and their gradients over words. Subclasses give the plans."""

    backend: str

    def slope_plan(self) -> MapPlan:
        raise NotImplementedError

    def slope_gradient_plan(self) -> MapPlan:
        raise NotImplementedError

    def relu_plan(self) -> MapPlan:
        raise NotImplementedError

    def relu_gradient_plan(self) -> MapPlan:
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

    def mapped(self, plan: MapPlan, **tensors: Tensor):
        """Return the call that runs a map whose ports are fields of these tensors."""
        arrays = {k: v for name, t in tensors.items() for k, v in t.named(name).items()}
        wanted = {*plan.circuit.inputs, *plan.circuit.outputs}
        return bind_map(plan, {k: v for k, v in arrays.items() if k in wanted}, self.backend)

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
