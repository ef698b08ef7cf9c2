"""The loops of a product with one vector of columns, in LLVM.

A sum waits for itself at each step. Sums of other rows are all that can go on meanwhile,
where there are some; each row has steps of its own. Of one long row, those steps are left out
whose vector changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.machine.target import Target
from fxp.compile.nests.dots import DotMatmul
from fxp.compile.nests.fours import ByteMatmul
from fxp.compile.nests.loops import Arguments, i64
from fxp.compile.nests.products import LANES, Matmul, emit_matmul
from fxp.compile.nests.steps import Steps
from fxp.trace.plans import NARROW_ROWS, MatmulPlan

__all__ = ["by_fours", "emit_product"]


def emit_product(builder, plan, lanes, args) -> None:
    """Append the loops of a matrix product of the shape that the plan is for."""
    kind = _SHAPES.get(plan.shape) if lanes.count <= LANES else None
    if kind:
        kind(builder, plan, lanes, args).emit()
    else:
        emit_matmul(builder, plan, lanes, args)


class _NarrowMatmul(Matmul):
    """Rows beside each other, whose columns are LANES."""

    def __init__(self, builder, plan, lanes, args):
        super().__init__(builder, plan, lanes, args)
        vectors = LANES // lanes.count
        slots = [lanes.type] * len(plan.state)
        self.of_rows = [[[cgutils.alloca_once(builder, t) for t in slots]
                         for _ in range(vectors)] for _ in range(NARROW_ROWS)]
        self.steps_of = [Steps(builder, plan, self.memory, _moved(builder, plan, args, r))
                         for r in range(NARROW_ROWS)]
        self.offsets = [i64(t * lanes.count) for t in range(vectors)]
        self.live = [builder.sub(args["used"], offset) for offset in self.offsets]

    def emit(self):
        b, args = self.builder, self.args
        with self._range(args["row"], args["rows"], NARROW_ROWS) as first:
            rows = [b.add(first, i64(r)) for r in range(NARROW_ROWS)]
            there = [b.icmp_signed("<", row, args["rows"]) for row in rows]
            counts = [self._begin(r, row, there[r]) for r, row in enumerate(rows)]
            most = counts[0]
            for count in counts[1:]:
                most = b.select(b.icmp_signed(">", count, most), count, most)
            with self._range(i64(0), most) as position:
                for r, count in enumerate(counts):
                    with b.if_then(b.icmp_signed("<", position, count)):
                        self._step(r, position)
            for r, row in enumerate(rows):
                self._end(r, row, counts[r] if self.plan.keep_untouched else there[r])

    def _begin(self, r: int, row, there):
        """Return how many steps a row has, none for one that is not there."""
        b, count = self.builder, cgutils.alloca_once(self.builder, ir.IntType(64))
        b.store(i64(0), count)
        self.states = self.of_rows[r]
        with b.if_then(there):
            b.store(self.steps_of[r].collect(row), count)
            for t, offset in enumerate(self.offsets):
                self._start(row, offset, t)
        return b.load(count)

    def _step(self, r: int, position):
        self.states, self.steps = self.of_rows[r], self.steps_of[r]
        _, scalars, places = self._operands(position, self.offsets)
        self._steps(self.plan.step, scalars, places)

    def _end(self, r: int, row, wanted):
        b, self.states = self.builder, self.of_rows[r]
        with b.if_then(b.icmp_unsigned("!=", wanted, ir.Constant(wanted.type, 0))):
            self.finish.emit(row, i64(0), [self._state(t) for t in range(len(self.offsets))])


class _LongSum(Matmul):
    """One long row, whose columns are LANES."""

    def __init__(self, builder, plan, lanes, args):
        super().__init__(builder, plan, lanes, args)
        self.offsets = [i64(t) for t in range(0, LANES, lanes.count)]
        self.live = [builder.sub(args["used"], offset) for offset in self.offsets]
        self.states = [[cgutils.alloca_once(builder, lanes.type) for _ in plan.state]
                       for _ in self.offsets]
        # Whether there is a step at all, of those that change nothing too.
        self.touched = cgutils.alloca_once(builder, ir.IntType(1))

    def emit(self):
        b, plan, row = self.builder, self.plan, self.args["row"]
        for t, offset in enumerate(self.offsets):
            self._start(row, offset, t)
        with self._range(i64(0), self._collect()) as position:
            k = b.load(self._slot(position))
            scalars = {n: self.lanes.broadcast(b, self._scalar(n, k)) for n in plan.scalars}
            begin = b.mul(k, self.args["b_row"])
            self._steps(plan.step, scalars, [b.add(begin, offset) for offset in self.offsets])
        with b.if_then(b.load(self.touched)):
            self.finish.emit(row, i64(0), [self._state(t) for t in range(len(self.offsets))])

    def _collect(self):
        """Write the steps that change something to the scratch; return their count."""
        b, args, plan = self.builder, self.args, self.plan
        count = cgutils.alloca_once_value(b, i64(0))
        b.store(i64(0), count)
        b.store(ir.Constant(ir.IntType(1), not plan.keep_untouched), self.touched)
        name, used = plan.vectors[0], self._used()
        kind = ir.VectorType(ir.IntType(8 * plan.dtypes[name].itemsize), LANES)
        with self._range(i64(0), args["depth"]) as k:
            place = self.memory.pointer(name, args[name], b.mul(k, args["b_row"]), kind)
            differ = b.icmp_signed("!=", b.load(place, align=kind.element.width // 8),
                                   ir.Constant(kind, [plan.nothing] * LANES))
            bits = b.and_(used, b.bitcast(differ, used.type))
            field = self._scalar(plan.scalars[0], k)
            there = b.icmp_signed("!=", field, ir.Constant(field.type, plan.absent))
            b.store(b.or_(b.load(self.touched), there), self.touched)
            changes = b.and_(there, b.icmp_signed("!=", bits, ir.Constant(bits.type, 0)))
            position = b.load(count)
            b.store(k, self._slot(position))
            b.store(b.add(position, b.zext(changes, position.type)), count)
        return b.load(count)

    def _scalar(self, name: str, k):
        """Return a field of a at step k."""
        b, args = self.builder, self.args
        at = b.add(b.mul(args["row"], args["a_row"]), b.mul(k, args["a_step"]))
        return self.memory.load_scalar(name, args[name], at)

    def _used(self):
        """Return a bit for each column, set where it counts."""
        b, kind = self.builder, ir.VectorType(ir.IntType(16), LANES)
        undefined = ir.Constant(kind, ir.Undefined)
        one = b.insert_element(undefined, b.trunc(self.args["used"], kind.element),
                               ir.Constant(ir.IntType(32), 0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        columns = ir.Constant(kind, list(range(LANES)))
        counts = b.icmp_signed("<", columns, b.shuffle_vector(one, undefined, order))
        return b.bitcast(counts, ir.IntType(LANES))

    def _slot(self, position):
        b = self.builder
        at = b.add(self.args["scratch"], b.mul(position, i64(8)))
        return b.inttoptr(at, ir.IntType(64).as_pointer())


def _moved(builder, plan, args: Arguments, r: int) -> Arguments:
    """Return arguments whose scratch is that of a row."""
    each = builder.mul(builder.add(args["depth"], i64(plan.SPARE)),
                       i64(8 * r * (2 + len(plan.scalars))))
    return args.but(scratch=builder.add(args["scratch"], each))


def by_fours(plan: MatmulPlan, target: Target) -> bool:
    """Whether exact sums take four steps at a time, of bytes."""
    operands = (plan.step.inputs[n] for n in (*plan.scalars, *plan.vectors))
    return target.fours and all(-128 <= n.low and n.high < 128 for n in operands)


def _dots(builder, plan, lanes, args) -> DotMatmul:
    """Return the loops of exact sums of products, of bytes where four are one instruction."""
    kind = ByteMatmul if by_fours(plan, lanes.target) else DotMatmul
    return kind(builder, plan, lanes, args)


_SHAPES: dict[str, Callable[..., Any]] = {"narrow": _NarrowMatmul, "long": _LongSum, "dots": _dots}
