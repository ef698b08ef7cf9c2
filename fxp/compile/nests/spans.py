"""The vector loops of a convolution, in LLVM: images, positions, taps, spans of lanes.

Nothing here does arithmetic on words; that is all in the circuits. State, vectors and
scalars are reached by strides, so one loop serves a sum forward, back and of weights.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nests.loops import Arguments, Memory, i64, index_range
from fxp.compile.nodes.vector import Lanes, emit
from fxp.trace.plans import SpanPlan

__all__ = ["emit_spans"]

I64 = ir.IntType(64)
PLACES = ("state", "vector")
HEAD = len(PLACES) + 2  # an entry of the scratch: both offsets, first and last lane, scalars


def emit_spans(builder, plan: SpanPlan, lanes: Lanes, args: Arguments):
    """Append the loops of a span plan."""
    _Spans(builder, plan, lanes, args).emit()


class _Spans:
    def __init__(self, builder, plan, lanes, args):
        self.builder = builder
        self.plan = plan
        self.lanes = lanes
        self.args = args
        self.memory = Memory(builder, lanes, plan.dtypes)

    def emit(self):
        b, args = self.builder, self.args
        with self._range(args["image"], args["images"]) as image:
            with self._range(i64(0), args["height"]) as y:
                first, low, high = self._inside("row", y)
                with b.if_then(b.icmp_signed("<", low, high)):
                    count = self._collect(image, y, first)
                    with self._range(i64(0), count) as position:
                        self._entry(position, low, high)

    def _inside(self, axis: str, index):
        """Return the row or column of the first tap, and which taps fall inside."""
        b, args = self.builder, self.args
        first = b.add(args[f"first_{axis}"], b.mul(index, args["stride"]))
        low, high = b.sub(i64(0), first), b.sub(args[f"{axis}s"], first)
        low = b.select(b.icmp_signed(">", low, i64(0)), low, i64(0))
        high = b.select(b.icmp_signed("<", high, args["taps"]), high, args["taps"])
        return first, low, high

    def _range(self, start, stop):
        return index_range(self.builder, start, stop)

    def _collect(self, image, y, row):
        """Write the operands of this row that change something to the scratch: their
        offsets in state and vectors, then the scalars. Return how many there are."""
        b, args, plan = self.builder, self.args, self.plan
        count = cgutils.alloca_once_value(b, i64(0))
        b.store(i64(0), count)
        base = b.add(b.mul(image, args["a_image"]), b.mul(y, args["a_row"]))
        starts = [self._offset(place, image=image, row=row) for place in PLACES]
        with self._range(i64(0), args["width"]) as x:
            column = b.add(base, b.mul(x, args["a_column"]))
            columns = [b.add(start, b.mul(x, args[f"{place}_column"]))
                       for place, start in zip(PLACES, starts)]
            span = self._span(x)
            with self._range(args["channel"], args["channels"]) as c:
                at = b.add(column, b.mul(c, args["a_channel"]))
                fields = [self.memory.load_scalar(n, args[n], at) for n in plan.scalars]
                position = b.load(count)
                slot = self._slot(position)
                for i, (place, start) in enumerate(zip(PLACES, columns)):
                    b.store(b.add(start, b.mul(c, args[f"{place}_channel"])), slot(i))
                for i, value in enumerate(span, len(PLACES)):
                    b.store(value, slot(i))
                for i, value in enumerate(fields, HEAD):
                    b.store(b.sext(value, I64) if value.type != I64 else value, slot(i))
                absent = ir.Constant(fields[0].type, plan.absent)
                present = b.zext(b.icmp_signed("!=", fields[0], absent), I64)
                b.store(b.add(position, present), count)
        return b.load(count)

    def _span(self, x):
        """Return the first lane, at the start of a vector, and the last of the columns
        of a window at x that fall inside."""
        b, args, count = self.builder, self.args, i64(self.lanes.count)
        _, low, high = self._inside("column", x)
        first = b.mul(low, args["unit"])
        return b.sub(first, b.srem(first, count)), b.mul(high, args["unit"])

    def _offset(self, place: str, **indices):
        b = self.builder
        parts = [b.mul(index, self.args[f"{place}_{name}"]) for name, index in indices.items()]
        return b.add(*parts)

    def _slot(self, position):
        """Return a function from field number to its place in the scratch."""
        b = self.builder
        width = 8 * (HEAD + len(self.plan.scalars))
        base = b.add(self.args["scratch"], b.mul(position, i64(width)))
        return lambda i: b.inttoptr(b.add(base, i64(8 * i)), I64.as_pointer())

    def _entry(self, position, low, high):
        b, plan, slot = self.builder, self.plan, self._slot(position)
        head = [b.load(slot(i)) for i in range(HEAD)]
        raw = [b.load(slot(HEAD + i)) for i in range(len(plan.scalars))]
        scalars = {}
        for name, value in zip(plan.scalars, raw):
            narrow = b.trunc(value, ir.IntType(8 * plan.dtypes[name].itemsize))
            scalars[name] = self.lanes.broadcast(b, self.memory.widen_scalar(narrow))
        if plan.low is None:
            return self._taps(plan.step, scalars, head, low, high)
        with b.if_else(b.icmp_signed("<=", raw[0], i64(plan.low_limit))) as (small, large):
            with small:
                self._taps(plan.low, scalars, head, low, high)
            with large:
                self._taps(plan.step, scalars, head, low, high)

    def _taps(self, circuit, scalars, head, low, high):
        b, args, step = self.builder, self.args, i64(self.lanes.count)
        *offsets, first, last = head
        with self._range(low, high) as tap:
            places = [b.add(start, b.mul(tap, args[f"{place}_tap"]))
                      for place, start in zip(PLACES, offsets)]
            with cgutils.for_range_slice(b, first, last, step) as (lane, _):
                self._step(circuit, scalars, *(b.add(p, lane) for p in places))

    def _step(self, circuit, scalars, state, vector):
        plan, args = self.plan, self.args
        inputs = {n: self.memory.load(n, args[n], state) for n in plan.state}
        inputs.update({n: self.memory.load(n, args[n], vector) for n in plan.vectors})
        outputs = emit(self.builder, circuit, self.lanes, {**inputs, **scalars})
        for name, value in zip(plan.state, outputs.values()):
            self.memory.store(name, args[name], state, value)

