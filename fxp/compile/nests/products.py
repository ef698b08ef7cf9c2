"""The vector loops of a matrix product, in LLVM: rows, tiles of column vectors, depth.

Nothing here does arithmetic on words; that is all in the circuits. Rows of b, init,
extra and out are padded to whole vectors.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.machine.target import Target
from fxp.compile.nests.finish import Finish
from fxp.compile.nests.loops import Arguments, Memory, broadcast, i64, index_range, ramp
from fxp.compile.nests.parts import Kept, packed
from fxp.compile.nests.steps import Steps
from fxp.compile.nests.touched import TouchedRows
from fxp.compile.nodes.lanes import plan_width
from fxp.compile.nodes.vector import Lanes, emit
from fxp.trace.graph import SpecError
from fxp.trace.plans import MatmulPlan

__all__ = ["LANES", "Matmul", "emit_matmul", "sum_width", "tiles"]

TILES = (4, 3, 1)  # column vectors whose accumulators are held in registers together
NARROW = (8, 4, 3, 1)  # the same of a state that is one word
SHORT = (6, 4, 3, 1)  # the same of steps that are few, and one kind
WIDE = 4  # tiles from this size on have code of their own for low scalars
BLOCK = 256  # columns of b that all rows go through before the next: they stay in cache
LANES = 32  # rows are padded to a multiple of this, not to longer vectors


def emit_matmul(builder, plan: MatmulPlan, lanes: Lanes, args: Arguments):
    """Append the loops of a matrix product: rows, tiles of column vectors, depth."""
    (Matmul if plan.combine is None else _TreeMatmul)(builder, plan, lanes, args).emit()


def sum_width(plan: MatmulPlan, target: Target) -> int:
    """Return the lane width of the sums; the rest of the plan may need wider lanes.

    Lanes of 8 bits are worth it where tables of bytes are read at once, and vectors come in
    bytes.
    """
    circuits = [c for c in plan.circuits if c is not plan.finish]
    least = 8 if target.bytes and plan.combine is None else 16
    return plan_width(circuits, [plan.dtypes[n] for n in plan.vectors], least)


def tiles(plan: MatmulPlan) -> tuple[int, ...]:
    """Return the sizes of a product's tiles, the widest first: as many sums as registers hold,
    but fewer where wide tiles would have two loops of long steps."""
    if plan.combine is not None or not any(n.op == "lookup" for n in plan.step.nodes):
        return TILES
    if len(plan.state) == 1:
        return NARROW
    return SHORT if plan.low is None else TILES


class Matmul:
    """A product of sums in sequence."""

    def __init__(self, builder, plan, lanes, args):
        self.builder = builder
        self.plan = plan
        self.lanes = lanes
        self.args = args
        self.memory = Memory(builder, lanes, plan.dtypes)
        self.finish = Finish(builder, plan, lanes, args)
        self.steps = Steps(builder, plan, self.memory, args)
        slots = [lanes.type] * len(plan.state)
        self.first = plan.first_step()
        self.live: list = []  # how many lanes of each vector of a tile count
        self.tiles = tiles(plan)
        self.states = [[cgutils.alloca_once(builder, t) for t in slots]
                       for _ in range(self.tiles[0])]

    def emit(self):
        b, args = self.builder, self.args
        block = BLOCK - BLOCK % (self.tiles[0] * self.lanes.count)
        with self._range(i64(0), args["columns"], block) as begin:
            columns = begin, self._least(b.add(begin, i64(block)), args["columns"])
            if self.plan.keep_untouched:
                self.args = self.steps.args = packed(b, self.plan, args, columns,
                                                     (i64(0), args["depth"]))
                self._touched(*columns)
            else:
                with self._range(args["row"], args["rows"], args["group"]) as first:
                    self._group(first, columns, args)

    def _group(self, first, columns, args):
        """Take rows through all steps, many steps of each at a time."""
        b = self.builder
        last = self._least(b.add(first, args["group"]), args["rows"])
        none = b.icmp_signed("==", args["depth"], i64(0))  # sums that only begin and end
        with self._range(i64(0), b.select(none, i64(1), args["depth"]), args["chunk"]) as low:
            depth = low, self._least(b.add(low, args["chunk"]), args["depth"])
            self.args = self.steps.args = packed(b, self.plan, args, columns, depth)
            self.kept = Kept(b, self.plan, self.lanes, args, (first, columns[0]), depth)
            with self._range(first, last) as row:
                self._columns(row, self.steps.collect(row, depth), *columns)

    def _least(self, a, b):
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)

    def _touched(self, begin, end):
        """Go through the rows that have steps."""
        b = self.builder
        rows = TouchedRows(b, self.plan, self.memory, self.args)
        with self._range(i64(0), rows.collect()) as position:
            row = rows.at(position)
            count = self.steps.collect(row)
            with b.if_then(b.icmp_signed("!=", count, i64(0))):
                self._columns(row, count, begin, end)

    def _range(self, start, stop, step=1):
        return index_range(self.builder, start, stop, step)

    def _columns(self, row, count, begin, end):
        """The widest tiles first, then narrower ones, then what is left of a vector.

        One sum waits for itself at each step: alone it takes as long as three beside it.
        Only wide tiles have code of their own for low scalars: others are compiled sooner
        without.
        """
        b = self.builder
        for size in self.tiles:
            wide = size * self.lanes.count
            whole = b.sub(end, b.srem(b.sub(end, begin), i64(wide)))
            with self._range(begin, whole, wide) as column:
                self._tile(row, column, count, size)
            begin = whole
        if self.lanes.count > LANES:
            with b.if_then(b.icmp_signed("<", begin, end)):
                left = broadcast(b, self.lanes, b.sub(end, begin))
                mask = b.icmp_signed("<", ramp(b, self.lanes, None), left)
                self._tile(row, begin, count, 1, mask)

    def _tile(self, row, column, count, size: int, mask=None):
        b, plan = self.builder, self.plan
        offsets = [b.add(column, i64(t * self.lanes.count)) for t in range(size)]
        self.live = [b.sub(self.args["used"], offset) for offset in offsets]
        begun = self._begun(row, offsets, count, mask)
        with self._range(begun, count) as position:
            raw, scalars, places = self._operands(position, offsets)
            if plan.low is None or size < WIDE:
                self._steps(plan.step, scalars, places, mask)
            else:
                is_low = b.icmp_signed("<=", raw[0], i64(plan.low_limit))
                with b.if_else(is_low) as (low, high):
                    with low:
                        self._steps(plan.low, scalars, places, mask)
                    with high:
                        self._steps(plan.step, scalars, places, mask)
        states = [self._state(t) for t in range(size)]
        if self.plan.keep_untouched:
            self.finish.emit(row, column, states, mask)
        else:
            with b.if_else(self.kept.is_last) as (last, others):
                with last:
                    self.finish.emit(row, column, states, mask)
                with others:
                    for offset, state in zip(offsets, states):
                        self.kept.put(row, offset, state.values())

    def _begun(self, row, offsets, count, mask):
        """Set the states of a tile, from what was kept of them or by the first step, if one is
        known of; return how many steps have been taken."""
        b = self.builder
        taken = cgutils.alloca_once_value(b, i64(0))

        def anew():
            for t, offset in enumerate(offsets):
                self._start(row, offset, t, mask)
            if self.first is not None:
                with b.if_then(b.icmp_signed("<", i64(0), count)):
                    _, scalars, places = self._operands(i64(0), offsets)
                    self._steps(self.first, scalars, places, mask)
                    b.store(i64(1), taken)

        b.store(i64(0), taken)
        if self.plan.keep_untouched:
            anew()
        else:
            with b.if_else(self.kept.is_first) as (first, others):
                with first:
                    anew()
                with others:
                    for t, offset in enumerate(offsets):
                        self._set_state(t, dict(enumerate(self.kept.get(row, offset))))
        return b.load(taken)

    def _operands(self, position, offsets):
        """Return a step's scalar fields, raw and broadcast, and its places in b."""
        b_row, raw = self.steps.at(position)
        scalars = {}
        for name, value in zip(self.plan.scalars, raw):
            narrow = self.builder.trunc(value, ir.IntType(8 * self.plan.dtypes[name].itemsize))
            scalars[name] = self.lanes.broadcast(self.builder, self.memory.widen_scalar(narrow))
        return raw, scalars, [self.builder.add(b_row, o) for o in offsets]

    def _start(self, row, offset, t: int, mask=None):
        b, args, plan = self.builder, self.args, self.plan
        at = b.add(b.mul(row, args["init_row"]), offset)
        inputs = {n: self.memory.load(n, args[n], at, mask, node.low)
                  for n, node in plan.start.inputs.items()}
        self._set_state(t, emit(b, plan.start, self.lanes, inputs))

    def _steps(self, circuit, scalars, places, mask=None):
        for t, place in enumerate(places):
            if len(places) > TILES[0]:
                self._barrier()
            vectors = {n: self.memory.load(n, self.args[n], place, mask, circuit.inputs[n].low)
                       for n in self.plan.vectors}
            state = self._state(t) if self.plan.state[0] in circuit.inputs else {}
            outputs = emit(self.builder, circuit, self.lanes, {**state, **vectors, **scalars},
                           self.live[t])
            self._set_state(t, outputs)

    def _barrier(self):
        """Keep operands that come from memory behind: all at once would fill the registers."""
        b = self.builder
        b.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], True)

    def _state(self, t: int) -> dict:
        return {n: self.builder.load(s) for n, s in zip(self.plan.state, self.states[t])}

    def _set_state(self, t: int, outputs: dict):
        if len(outputs) != len(self.plan.state):
            raise SpecError(f"the step returns {list(outputs)}, the state is {self.plan.state}")
        for slot, value in zip(self.states[t], outputs.values()):
            self.builder.store(value, slot)


class _TreeMatmul(Matmul):
    """Sums in a tree: a stack of partial sums, merged like a binary counter."""

    def __init__(self, builder, plan, lanes, args):
        super().__init__(builder, plan, lanes, args)
        self.stacks = [cgutils.alloca_once(builder, lanes.type, size=i64(64))
                       for _ in plan.state]

    def emit(self):
        with self._range(self.args["row"], self.args["rows"]) as row:
            count = self.steps.collect(row)
            with self._range(i64(0), self.args["columns"], self.lanes.count) as column:
                self._sum(row, column, count)

    def _sum(self, row, column, count):
        b, plan = self.builder, self.plan
        depth = cgutils.alloca_once_value(b, i64(1))
        self.live = [b.sub(self.args["used"], column)]
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
            self._set_state(0, emit(b, self.plan.combine, self.lanes, inputs, self.live[0]))
            self._push(older)
            b.store(newer, depth)

    def _push(self, place):
        for stack, value in zip(self.stacks, self._state(0).values()):
            self.builder.store(value, self.builder.gep(stack, [place]))

    def _top(self, place) -> dict:
        b = self.builder
        return {n: b.load(b.gep(s, [place])) for n, s in zip(self.plan.state, self.stacks)}
