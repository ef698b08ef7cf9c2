"""The vector loops of a matrix product, in LLVM: rows, tiles of column vectors, depth.

Nothing here does arithmetic on words; that is all in the circuits. Rows of b, init,
extra and out are padded to whole vectors.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.finish import Finish
from fxp.compile.held import HeldStates
from fxp.compile.lanes import plan_width
from fxp.compile.loops import Arguments, Memory, broadcast, i64, index_range, ramp
from fxp.compile.target import Target
from fxp.compile.vector import Lanes, emit
from fxp.trace.graph import SpecError
from fxp.trace.plans import BLOCK, GROUP, PIECE, MatmulPlan

__all__ = ["emit_matmul", "sum_width"]

I64 = ir.IntType(64)
TILE = 4  # column vectors whose accumulators are held in registers together
LANES = 32  # rows are padded to a multiple of this, not to longer vectors


def emit_matmul(builder, plan: MatmulPlan, lanes: Lanes, args: Arguments):
    """Append the loops of a matrix product: rows, tiles of column vectors, depth."""
    (_Matmul if plan.combine is None else _TreeMatmul)(builder, plan, lanes, args).emit()


def sum_width(plan: MatmulPlan, target: Target) -> int:
    """Return the lane width of the sums; the rest of the plan may need wider lanes.

    Lanes of 8 bits are worth it where tables of bytes are read at once.
    """
    circuits = [c for c in plan.circuits if c is not plan.finish]
    names = (*plan.scalars, *plan.vectors, *plan.start.inputs)
    least = 8 if target.bytes and plan.combine is None else 16
    return plan_width(circuits, [plan.dtypes[n] for n in names], least)


class _Matmul:
    def __init__(self, builder, plan, lanes, args):
        self.builder = builder
        self.plan = plan
        self.lanes = lanes
        self.args = args
        self.memory = Memory(builder, lanes, plan.dtypes)
        self.finish = Finish(builder, plan, lanes, args)
        self.held = HeldStates(builder, plan, lanes, args)
        slots = [lanes.type] * len(plan.state)
        self.states = [[cgutils.alloca_once(builder, t) for t in slots] for _ in range(TILE)]

    def emit(self):
        """Blocks of columns, groups of rows, pieces of depth, rows: the piece of b stays in
        the nearest cache while all rows of a group take their steps with it."""
        b, args = self.builder, self.args
        with self._range(i64(0), args["columns"], BLOCK) as begin:
            end = self._least(b.add(begin, i64(BLOCK)), args["columns"])
            with self._range(args["row"], args["rows"], GROUP) as base:
                stop = self._least(b.add(base, i64(GROUP)), args["rows"])
                once = b.select(b.icmp_signed("<", i64(0), args["depth"]), args["depth"], i64(1))
                with self._range(i64(0), once, PIECE) as first:
                    bound = self._least(b.add(first, i64(PIECE)), args["depth"])
                    with self._range(base, stop) as row:
                        self._row(row, b.sub(row, base), (first, bound), (begin, end))

    def _row(self, row, place, piece, columns):
        """A row's steps with a piece: from start for the first steps, to the end after the
        last piece; between pieces, states lie in the scratch."""
        b, held = self.builder, self.held
        count = self._collect(row, *piece)
        zero = i64(0)
        before = b.select(b.icmp_signed("==", piece[0], zero), zero, held.steps(place))
        steps = b.add(before, count)
        held.set_steps(place, steps)
        last = b.icmp_signed(">=", piece[1], self.args["depth"])
        if self.plan.keep_untouched:
            last = b.and_(last, b.icmp_signed("!=", steps, zero))
        with b.if_then(b.or_(last, b.icmp_signed("!=", count, zero))):
            self.fresh, self.last = b.icmp_signed("==", before, zero), last
            self._columns((row, place, columns[0]), count, *columns)

    def _range(self, start, stop, step: int = 1):
        return index_range(self.builder, start, stop, step)

    def _least(self, x, y):
        return self.builder.select(self.builder.icmp_signed("<", x, y), x, y)

    def _columns(self, row, count, begin, end):
        """Full tiles first, then single vectors, then what is left of one."""
        b, step = self.builder, i64(self.lanes.count)
        wide = i64(TILE * self.lanes.count)
        whole = b.sub(end, b.srem(b.sub(end, begin), wide))
        with self._range(begin, whole, TILE * self.lanes.count) as column:
            self._tile(row, column, count, TILE)
        last = b.sub(end, b.srem(b.sub(end, whole), step))
        with self._range(whole, last, self.lanes.count) as column:
            self._tile(row, column, count, 1)
        if self.lanes.count > LANES:
            with b.if_then(b.icmp_signed("<", last, end)):
                left = broadcast(b, self.lanes, b.sub(end, last))
                mask = b.icmp_signed("<", ramp(b, self.lanes, None), left)
                self._tile(row, last, count, 1, mask)

    def _collect(self, row, first, bound):
        """Write the steps of this row that change something to the scratch: offset of
        the row of b, then the scalar fields. Return how many there are."""
        b, args, plan = self.builder, self.args, self.plan
        count = cgutils.alloca_once_value(b, i64(0))
        base = b.mul(row, args["a_row"])
        with self._range(first, bound) as k:
            at = b.add(base, b.mul(k, args["a_step"]))
            fields = [self.memory.load_scalar(n, args[n], at) for n in plan.scalars]
            position = b.load(count)
            slot = self._slot(position)
            b.store(b.mul(k, args["b_row"]), slot(0))
            for i, value in enumerate(fields):
                b.store(b.sext(value, I64) if value.type != I64 else value, slot(i + 1))
            present = i64(1)
            if plan.absent is not None:
                absent = ir.Constant(fields[0].type, plan.absent)
                present = b.zext(b.icmp_signed("!=", fields[0], absent), I64)
            b.store(b.add(position, present), count)
        return b.load(count)

    def _slot(self, position):
        """Return a function from field number to its place in the scratch."""
        b = self.builder
        width = 8 * (1 + len(self.plan.scalars))
        base = b.add(self.args["scratch"], b.mul(position, i64(width)))
        return lambda i: b.inttoptr(b.add(base, i64(8 * i)), I64.as_pointer())

    def _tile(self, row, column, count, size: int, mask=None):
        b, plan, (row, place, begin) = self.builder, self.plan, row
        offsets = [b.add(column, i64(t * self.lanes.count)) for t in range(size)]
        spots = [b.sub(offset, begin) for offset in offsets]
        with b.if_else(self.fresh) as (fresh, begun):
            with fresh:
                for t in range(size):
                    self._start(row, offsets[t], t, mask)
            with begun:
                for t in range(size):
                    self._set_state(t, self.held.load(place, spots[t]))
        with self._range(i64(0), count) as position:
            raw, scalars, places = self._operands(position, offsets)
            if plan.low is None:
                self._steps(plan.step, scalars, places, mask)
            else:
                is_low = b.icmp_signed("<=", raw[0], i64(plan.low_limit))
                with b.if_else(is_low) as (low, high):
                    with low:
                        self._steps(plan.low, scalars, places, mask)
                    with high:
                        self._steps(plan.step, scalars, places, mask)
        with b.if_else(self.last) as (last, later):
            with last:
                self.finish.emit(row, column, [self._state(t) for t in range(size)], mask)
            with later:
                for t in range(size):
                    self.held.store(place, spots[t], self._state(t))

    def _operands(self, position, offsets):
        """Return a step's scalar fields, raw and broadcast, and its places in b."""
        b, slot = self.builder, self._slot(position)
        b_row = b.load(slot(0))
        raw = [b.load(slot(i + 1)) for i in range(len(self.plan.scalars))]
        scalars = {}
        for name, value in zip(self.plan.scalars, raw):
            narrow = b.trunc(value, ir.IntType(8 * self.plan.dtypes[name].itemsize))
            scalars[name] = self.lanes.broadcast(b, self.memory.widen_scalar(narrow))
        return raw, scalars, [b.add(b_row, o) for o in offsets]

    def _start(self, row, offset, t: int, mask=None):
        b, args, plan = self.builder, self.args, self.plan
        at = b.add(b.mul(row, args["init_row"]), offset)
        inputs = {n: self.memory.load(n, args[n], at, mask, node.low)
                  for n, node in plan.start.inputs.items()}
        self._set_state(t, emit(b, plan.start, self.lanes, inputs))

    def _steps(self, circuit, scalars, places, mask=None):
        for t, place in enumerate(places):
            vectors = {n: self.memory.load(n, self.args[n], place, mask, circuit.inputs[n].low)
                       for n in self.plan.vectors}
            state = self._state(t) if self.plan.combine is None else {}
            outputs = emit(self.builder, circuit, self.lanes, {**state, **vectors, **scalars})
            self._set_state(t, outputs)

    def _state(self, t: int) -> dict:
        return {n: self.builder.load(s) for n, s in zip(self.plan.state, self.states[t])}

    def _set_state(self, t: int, outputs: dict):
        if len(outputs) != len(self.plan.state):
            raise SpecError(f"the step returns {list(outputs)}, the state is {self.plan.state}")
        for slot, value in zip(self.states[t], outputs.values()):
            self.builder.store(value, slot)


class _TreeMatmul(_Matmul):
    """Sums in a tree: a stack of partial sums, merged like a binary counter."""

    def __init__(self, builder, plan, lanes, args):
        super().__init__(builder, plan, lanes, args)
        self.stacks = [cgutils.alloca_once(builder, lanes.type, size=i64(64))
                       for _ in plan.state]

    def emit(self):
        with self._range(self.args["row"], self.args["rows"]) as row:
            count = self._collect(row, i64(0), self.args["depth"])
            with self._range(i64(0), self.args["columns"], self.lanes.count) as column:
                self._sum(row, column, count)

    def _sum(self, row, column, count):
        b, plan = self.builder, self.plan
        depth = cgutils.alloca_once_value(b, i64(1))
        b.store(i64(1), depth)
        self._start(row, column, 0)
        self._push(i64(0))
        with self._range(i64(0), count) as position:
            _, scalars, places = self._operands(position, [column])
            self._steps(plan.step, scalars, places)
            self._push(b.load(depth))
            b.store(b.add(b.load(depth), i64(1)), depth)
            leaves = b.add(position, i64(2))
            merges = b.cttz(leaves, ir.Constant(ir.IntType(1), 1))
            self._merge(merges, depth)
        self._merge(b.sub(b.load(depth), i64(1)), depth)
        self._set_state(0, self._top(i64(0)))
        self.finish.emit(row, column, [self._state(0)])

    def _merge(self, times, depth):
        b = self.builder
        with self._range(i64(0), times):
            newer = b.sub(b.load(depth), i64(1))
            older = b.sub(newer, i64(1))
            inputs = self._top(older)
            inputs.update({f"{n}_2": v for n, v in self._top(newer).items()})
            self._set_state(0, emit(b, self.plan.combine, self.lanes, inputs))
            self._push(older)
            b.store(newer, depth)

    def _push(self, place):
        for stack, value in zip(self.stacks, self._state(0).values()):
            self.builder.store(value, self.builder.gep(stack, [place]))

    def _top(self, place) -> dict:
        b = self.builder
        return {n: b.load(b.gep(s, [place])) for n, s in zip(self.plan.state, self.stacks)}
