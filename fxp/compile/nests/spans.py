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
AT_ONCE = 8  # entries that are compared with the absent one together


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
        self.taken = cgutils.alloca_once(builder, I64)

    def emit(self):
        b, args = self.builder, self.args
        with self._range(args["image"], args["images"]) as image:
            with self._range(i64(0), args["height"]) as y:
                first = b.add(args["first_row"], b.mul(y, args["stride"]))
                taps = self._inside(first)
                with b.if_then(b.icmp_signed("<", *taps)):
                    count = self._collect(b.add(b.mul(image, args["a_image"]),
                                                b.mul(y, args["a_row"])))
                    starts = [b.add(b.mul(image, args[f"{place}_image"]),
                                    b.mul(first, args[f"{place}_row"])) for place in PLACES]
                    with self._range(i64(0), count) as position:
                        self._entry(position, starts, taps)

    def _inside(self, first):
        """Return the first tap that falls inside of the rows, and the one behind the last."""
        b, args = self.builder, self.args
        low, high = b.sub(i64(0), first), b.sub(args["rows"], first)
        low = b.select(b.icmp_signed(">", low, i64(0)), low, i64(0))
        high = b.select(b.icmp_signed("<", high, args["taps"]), high, args["taps"])
        return low, high

    def _range(self, start, stop, step: int = 1):
        return index_range(self.builder, start, stop, step)

    def _collect(self, base):
        """Write the entries of a row that change something to the scratch: their number, then
        the scalars. Return how many there are."""
        b, args = self.builder, self.args
        b.store(i64(0), self.taken)
        whole = b.select(b.icmp_signed("==", args["beside"], i64(1)),
                         b.and_(args["entries"], i64(-AT_ONCE)), i64(0))
        with self._range(i64(0), whole, AT_ONCE) as entry:
            with b.if_then(self._any_present(b.add(base, entry))):
                for i in range(AT_ONCE):
                    number = b.add(entry, i64(i))
                    self._write(number, b.add(base, number))
        with self._range(whole, args["entries"]) as entry:
            self._write(entry, b.add(base, self._of(entry, "a")))
        return b.load(self.taken)

    def _any_present(self, at):
        """Return whether any of the next first fields is not the absent one."""
        b, name = self.builder, self.plan.scalars[0]
        kind = ir.VectorType(ir.IntType(8 * self.plan.dtypes[name].itemsize), AT_ONCE)
        words = b.load(self.memory.pointer(name, self.args[name], at, kind),
                       align=kind.element.width // 8)
        absent = ir.Constant(kind, [self.plan.absent] * AT_ONCE)
        there = b.bitcast(b.icmp_signed("!=", words, absent), ir.IntType(AT_ONCE))
        return b.icmp_signed("!=", there, ir.Constant(there.type, 0))

    def _write(self, entry, at):
        """Write an entry; it counts if its first field is not the absent one."""
        b, plan = self.builder, self.plan
        fields = [self.memory.load_scalar(n, self.args[n], at) for n in plan.scalars]
        position = b.load(self.taken)
        slot = self._slot(position)
        b.store(entry, slot(0))
        for i, value in enumerate(fields, 1):
            b.store(b.sext(value, I64) if value.type != I64 else value, slot(i))
        absent = ir.Constant(fields[0].type, plan.absent)
        present = b.zext(b.icmp_signed("!=", fields[0], absent), I64)
        b.store(b.add(position, present), self.taken)

    def _slot(self, position):
        """Return a function from field number to its place in the scratch."""
        b = self.builder
        width = 8 * (1 + len(self.plan.scalars))
        base = b.add(self.args["scratch"], b.mul(position, i64(width)))
        return lambda i: b.inttoptr(b.add(base, i64(8 * i)), I64.as_pointer())

    def _of(self, entry, name: str):
        """Return what the table says of an entry."""
        b, fields = self.builder, self.plan.FIELDS
        at = b.add(b.mul(entry, i64(8 * len(fields))), i64(8 * fields.index(name)))
        return b.load(b.inttoptr(b.add(self.args["table"], at), I64.as_pointer()))

    def _entry(self, position, starts, taps):
        b, plan, slot = self.builder, self.plan, self._slot(position)
        entry, *raw = (b.load(slot(i)) for i in range(1 + len(plan.scalars)))
        scalars = {}
        for name, value in zip(plan.scalars, raw):
            narrow = b.trunc(value, ir.IntType(8 * plan.dtypes[name].itemsize))
            scalars[name] = self.lanes.broadcast(b, self.memory.widen_scalar(narrow))
        places = [b.add(start, self._of(entry, place)) for start, place in zip(starts, PLACES)]
        # From the start of a vector on, so that one is filled up on both sides.
        begin = b.and_(self._of(entry, "begin"), i64(-self.lanes.count))
        span = begin, self._of(entry, "end")
        if plan.low is None:
            return self._taps(plan.step, scalars, places, span, taps)
        with b.if_else(b.icmp_signed("<=", raw[0], i64(plan.low_limit))) as (small, large):
            with small:
                self._taps(plan.low, scalars, places, span, taps)
            with large:
                self._taps(plan.step, scalars, places, span, taps)

    def _taps(self, circuit, scalars, starts, span, taps):
        b, args = self.builder, self.args
        with self._range(*taps) as tap:
            places = [b.add(start, b.mul(tap, args[f"{place}_tap"]))
                      for place, start in zip(PLACES, starts)]
            with self._range(span[0], span[1], self.lanes.count) as lane:
                self._step(circuit, scalars, *(b.add(p, lane) for p in places))

    def _step(self, circuit, scalars, state, vector):
        plan, args = self.plan, self.args
        inputs = {n: self.memory.load(n, args[n], state) for n in plan.state}
        inputs.update({n: self.memory.load(n, args[n], vector) for n in plan.vectors})
        outputs = emit(self.builder, circuit, self.lanes, {**inputs, **scalars})
        for name, value in zip(plan.state, outputs.values()):
            self.memory.store(name, args[name], state, value)
