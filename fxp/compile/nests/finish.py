"""The end of sums: states to results, in lanes of their own width, in LLVM.

An update of a weight has a longer register than the sum before it, and random words
of 32 bits: the states of a tile then lie in memory for a moment, and are read back
into as many vectors of wider lanes as they fill.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nests.loops import Arguments, Memory, broadcast, i64, ramp
from fxp.compile.nodes.lanes import plan_width
from fxp.compile.nodes.vector import Lanes, emit
from fxp.trace.plans import MatmulPlan

__all__ = ["Finish"]


class Finish:
    """Emits the end of a plan's sums, whose lanes are given."""

    def __init__(self, builder, plan: MatmulPlan, lanes: Lanes, args: Arguments):
        self.builder = builder
        self.plan = plan
        self.args = args
        names = [n for n in (*plan.extra, *plan.finish.outputs) if n in plan.dtypes]
        width = plan_width([plan.finish], [plan.dtypes[n] for n in names], lanes.width)
        self.sums = lanes
        self.lanes = Lanes(width, lanes.target)
        self.memory = Memory(builder, self.lanes, plan.dtypes)

    def emit(self, row, column, states: list[dict], mask=None) -> None:
        """Write the results of neighbouring vectors of columns, whose states are given.

        The mask tells which lanes of the only vector count.
        """
        if self.lanes.width == self.sums.width:
            for t, state in enumerate(states):
                offset = self.builder.add(column, i64(t * self.lanes.count))
                self._vector(row, offset, state, mask)
        else:
            self._through_memory(row, column, states)

    def _through_memory(self, row, column, states):
        b, sums, size = self.builder, self.sums, len(states)
        places = {n: cgutils.alloca_once(b, sums.type, size=size) for n in self.plan.state
                  if n in self.plan.finish.inputs}
        for t, state in enumerate(states):
            for name, place in places.items():
                b.store(state[name], b.gep(place, [i64(t)]))
        step = i64(self.lanes.count)
        part = ir.VectorType(sums.type.element, self.lanes.count).as_pointer()
        left, every = b.sub(self.args["columns"], column), i64(size * sums.count)
        end = b.select(b.icmp_signed("<", left, every), left, every)
        with cgutils.for_range_slice(b, i64(0), end, step) as (first, _):
            state = {}
            for name, place in places.items():
                numbers = b.bitcast(place, sums.type.element.as_pointer())
                narrow = b.load(b.bitcast(b.gep(numbers, [first]), part),
                                align=self.sums.width // 8)
                signed = self.plan.finish.inputs[name].low < 0
                state[name] = (b.sext if signed else b.zext)(narrow, self.lanes.type)
            self._vector(row, b.add(column, first), state)

    def _vector(self, row, offset, state: dict, mask=None):
        b, args, plan = self.builder, self.args, self.plan
        inputs = dict(state)
        at = b.add(b.mul(row, args["extra_row"]), offset)
        for name in plan.extra:
            if name in plan.dtypes:
                low = plan.finish.inputs[name].low
                inputs[name] = self.memory.load(name, args[name], at, mask, low)
            else:
                inputs[name] = broadcast(b, self.lanes, args[name])
        if "element" in plan.finish.inputs:
            place = b.add(b.mul(row, args["columns"]), offset)
            inputs["element"] = ramp(b, self.lanes, place)
        at = b.add(b.mul(row, args["out_row"]), offset)
        for name, value in emit(b, plan.finish, self.lanes, inputs).items():
            self.memory.store(name, args[name], at, value, mask)
