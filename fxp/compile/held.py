"""Where sums wait in the scratch of a product, between the pieces of its depth, in LLVM.

The scratch, see `MatmulPlan.scratch`, holds the steps of a row's piece, then how many
steps each row of a group has taken, then their states: a block of columns for each row
and part of the state.
"""

from __future__ import annotations

from llvmlite import ir

from fxp.compile.loops import Arguments, i64
from fxp.compile.vector import Lanes
from fxp.trace.plans import BLOCK, GROUP, MatmulPlan

__all__ = ["HeldStates"]

I64 = ir.IntType(64)


class HeldStates:
    """Loads and stores of states, and of the counts of steps that led to them."""

    def __init__(self, builder, plan: MatmulPlan, lanes: Lanes, args: Arguments):
        self.builder = builder
        self.names = plan.state
        self.lanes = lanes
        start = builder.mul(args["depth"], i64(8 * (1 + len(plan.scalars))))
        self.counts = builder.add(args["scratch"], builder.add(start, i64(8 * 8)))
        self.states = builder.add(self.counts, i64(8 * GROUP))

    def steps(self, place):
        """Return how many steps the row at this place of the group has taken."""
        return self.builder.load(self._count(place))

    def set_steps(self, place, count) -> None:
        self.builder.store(count, self._count(place))

    def _count(self, place):
        b = self.builder
        return b.inttoptr(b.add(self.counts, b.mul(place, i64(8))), I64.as_pointer())

    def load(self, place, column) -> dict:
        """Return the state of a vector from this column of the block on."""
        return {name: self.builder.load(self._pointer(i, place, column), align=self._align)
                for i, name in enumerate(self.names)}

    def store(self, place, column, state: dict) -> None:
        for i, name in enumerate(self.names):
            self.builder.store(state[name], self._pointer(i, place, column), align=self._align)

    def _pointer(self, part: int, place, column):
        b = self.builder
        row = b.add(b.mul(place, i64(len(self.names))), i64(part))
        element = b.add(b.mul(row, i64(BLOCK)), column)
        byte = b.add(self.states, b.mul(element, i64(self._align)))
        return b.inttoptr(byte, self.lanes.type.as_pointer())

    @property
    def _align(self) -> int:
        return self.lanes.width // 8
