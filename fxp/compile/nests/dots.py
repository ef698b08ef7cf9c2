"""Exact sums of products of words of 16 bits, in LLVM: one instruction makes two products and
their sum.

Such sums come out the same in any order. So two steps are taken at a time, some rows by two
vectors of columns, with sums of 32 bits in registers; they are added to the register, which is
in memory, before they might grow too large: the greatest operands of the rows and columns at
hand say when. Rows of b are put together in pairs first.
"""

from __future__ import annotations

from contextlib import contextmanager

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nests.finish import Finish
from fxp.compile.nests.loops import Arguments, Memory, i64, index_range
from fxp.compile.nests.pairs import (
    PairsOfA,
    greater,
    groups,
    most,
    parts,
    splat,
    wide,
    zipped,
)
from fxp.compile.nests.room import Room
from fxp.compile.nodes.banks import intrinsic
from fxp.compile.nodes.vector import Lanes, emit
from fxp.trace.plans import MatmulPlan

__all__ = ["DotMatmul"]

I16, I32 = ir.IntType(16), ir.IntType(32)
ADDED = {16: "llvm.x86.avx512.pmaddw.d.512", 8: "llvm.x86.avx2.pmadd.wd"}  # by lanes
ABREAST = 2  # vectors of columns of a tile
MOST = (1 << 31) - 1  # what a sum of 32 bits may come to


class DotMatmul:
    """The product of a plan whose steps add products of words of 16 bits."""

    STEPS = 2  # at a time

    def __init__(self, builder, plan: MatmulPlan, lanes: Lanes, args: Arguments):
        self.builder = builder
        self.plan = plan
        self.lanes = lanes = Lanes(max(lanes.width, 32), lanes.target)
        self.args = args
        self.memory = Memory(builder, lanes, plan.dtypes)
        self.finish = Finish(builder, plan, lanes, args)
        self.kind = ir.VectorType(I32, lanes.target.register_bits // 32)
        self.columns = ABREAST * self.kind.count  # of a tile
        self.rows = 8 if lanes.target.level == "avx512" else 4
        self.room = Room(builder, plan, args, self.rows, self.STEPS)
        self.zero = MOST if lanes.width > 32 else 0
        a, b = (plan.step.inputs[n] for n in (plan.scalars[0], plan.vectors[0]))
        products = max(abs(x * y) for x in (a.low, a.high) for y in (b.low, b.high))
        self.measured = lanes.width > 32 and products * plan.DOT_STEPS > MOST
        self.a = PairsOfA(builder, plan, args, self.room, self.measured)

    def emit(self):
        b, args, plan = self.builder, self.args, self.plan
        used = self._least(args["columns"], args["used"])
        again = b.icmp_signed(">", args["depth"], args["chunk"])  # the room has but one block
        with index_range(b, i64(0), used, plan.DOT_COLUMNS) as begin:
            columns = begin, self._least(b.add(begin, i64(plan.DOT_COLUMNS)), used)
            with index_range(b, args["row"], args["rows"], plan.DOT_ROWS) as first:
                rows = first, self._least(b.add(first, i64(plan.DOT_ROWS)), args["rows"])
                self._start(rows, columns)
                with index_range(b, i64(0), args["depth"], plan.DOT_STEPS) as low:
                    steps = low, self._least(b.add(low, i64(plan.DOT_STEPS)), args["depth"])
                    block = b.udiv(low, i64(plan.DOT_STEPS))
                    self.room.block = b.select(again, i64(0), block)
                    is_first = b.icmp_signed("==", first, args["row"])
                    with b.if_then(b.or_(again, is_first)):
                        self._put_together(steps, columns)
                    self._sums(rows, steps, columns)
                self._finish(rows, columns)

    def _start(self, rows, columns):
        """Begin the registers."""
        b, args, plan = self.builder, self.args, self.plan
        with self._registers(rows, columns) as (row, column, place):
            at = b.add(b.mul(row, args["init_row"]), column)
            inputs = {n: self.memory.load(n, args[n], at) for n in plan.start.inputs}
            (state,) = emit(b, plan.start, self.lanes, inputs).values()
            b.store(state, place, align=8)

    def _finish(self, rows, columns):
        """Turn the registers into results."""
        b = self.builder
        with self._registers(rows, columns) as (row, column, place):
            self.finish.emit(row, column, [{self.plan.state[0]: b.load(place, align=8)}])

    @contextmanager
    def _registers(self, rows, columns):
        """A loop over vectors of registers; gives row, first column and place of one."""
        b, each = self.builder, self.lanes.count
        with index_range(b, rows[0], rows[1]) as row:
            with index_range(b, columns[0], columns[1], each) as column:
                yield row, column, self.room.sums(b.sub(row, rows[0]), b.sub(column, columns[0]),
                                                  self.lanes.type)

    def _put_together(self, steps, columns):
        """Write pairs of rows of b, number by number, tile by tile of columns."""
        b, args, name = self.builder, self.args, self.plan.vectors[0]
        half = ir.VectorType(I16, self.kind.count)
        zero = ir.Constant(half, [0] * half.count)
        found = cgutils.alloca_once(b, half)
        b.store(zero, found)
        with index_range(b, i64(0), groups(b, steps, 2)) as pair:
            first = b.add(steps[0], b.shl(pair, i64(1)))
            alone = b.icmp_signed("==", b.add(first, i64(1)), steps[1])
            second = b.select(alone, first, b.add(first, i64(1)))
            with index_range(b, columns[0], columns[1], half.count) as column:
                places = (b.add(b.mul(k, args["b_row"]), column) for k in (first, second))
                two = [b.load(self.memory.pointer(name, args[name], at, half), align=2)
                       for at in places]
                two[0] = b.select(alone, zero, two[0])  # whatever a's first is then
                place = self.room.steps_of_b(pair, b.sub(column, columns[0]), self.columns)
                b.store(zipped(b, *two), b.bitcast(place, wide(half).as_pointer()), align=4)
                if self.measured:
                    greater(b, found, *two)
        b.store(most(b, b.load(found)), self.room.greatest_of_b())

    def _sums(self, rows, steps, columns):
        """Add the products of some rows, steps and columns to the registers."""
        b = self.builder
        self.a.write(rows, steps, b.sub(columns[1], columns[0]))
        together = self._together()
        with index_range(b, columns[0], columns[1], self.columns) as column:
            at = b.sub(column, columns[0])
            few = b.icmp_signed("<=", b.sub(columns[1], column), i64(self.kind.count))
            with index_range(b, i64(0), b.sub(rows[1], rows[0]), self.rows) as row:
                with b.if_else(few) as (one, two):
                    with one:
                        self._tile(row, at, together, 1)
                    with two:
                        self._tile(row, at, together, ABREAST)

    def _together(self):
        """Return how many pairs of steps a sum of 32 bits may take."""
        b = self.builder
        if not self.measured:
            return i64(self.plan.DOT_STEPS)
        products = b.mul(b.load(self.a.greatest), b.load(self.room.greatest_of_b()))
        pairs = b.lshr(b.udiv(i64(MOST), b.or_(products, i64(1))), i64(1))
        return b.select(b.icmp_signed("<", pairs, i64(1)), i64(1), pairs)

    def _tile(self, row, column, together, abreast: int):
        """Add the products of a tile, of so many vectors of columns."""
        b, listed = self.builder, self.a.listed(row)
        count = self.room.count(listed)
        places = [self.a.row(b.add(row, i64(r))) for r in range(self.rows)]
        slots = [[cgutils.alloca_once(b, self.kind) for _ in range(abreast)]
                 for _ in range(self.rows)]
        zero = ir.Constant(self.kind, [self.zero] * self.kind.count)
        with index_range(b, i64(0), count, together) as begin:
            for slot in sum(slots, []):
                b.store(zero, slot)
            with index_range(b, begin, self._least(b.add(begin, together), count)) as position:
                self._step(listed, position, column, places, slots)
            for r, line in enumerate(slots):
                for v, slot in enumerate(line):
                    at = b.add(column, i64(v * self.kind.count))
                    self._add(b.add(row, i64(r)), at, b.load(slot))

    def _step(self, listed, position, column, places, slots):
        """Take some steps of a tile."""
        b = self.builder
        of_a, group = self.room.step(listed, position)
        first = self.room.steps_of_b(group, column, self.columns)
        vectors = [b.load(b.bitcast(b.gep(first, [i64(v * self.kind.count)]),
                                    self.kind.as_pointer()), align=4)
                   for v in range(len(slots[0]))]
        for place, line in zip(places, slots):
            one = b.load(b.inttoptr(b.add(place, of_a), I32.as_pointer()), align=2)
            every = splat(b, self.kind, one)
            for vector, slot in zip(vectors, line):
                b.store(self._added(b.load(slot), every, vector), slot)

    def _add(self, row, column, sums):
        """Add sums of 32 bits to registers."""
        b = self.builder
        kind = ir.VectorType(self.lanes.type.element, self.kind.count)
        place = self.room.sums(row, column, kind)
        b.store(b.add(b.load(place, align=8), self._widened(sums, kind, column)), place, align=8)

    def _widened(self, sums, kind, column):
        """Return sums of 32 bits as numbers of registers."""
        b = self.builder
        if kind == self.kind:
            return sums
        # two products may come to 2^31, but not to -2^31
        return b.sub(b.zext(sums, kind), ir.Constant(kind, [MOST] * kind.count))

    def _added(self, sums, x, y):
        """Return sums with the products of pairs of words of 16 bits."""
        b, words = self.builder, ir.VectorType(I16, 2 * self.kind.count)
        x, y = b.bitcast(x, words), b.bitcast(y, words)
        if name := ADDED.get(self.kind.count):
            return b.add(sums, intrinsic(b, name, self.kind, x, y))
        for part in zip(parts(b, x, 2, b.sext), parts(b, y, 2, b.sext)):
            sums = b.add(sums, b.mul(*part))
        return sums

    def _least(self, a, b):
        return self.builder.select(self.builder.icmp_signed("<", a, b), a, b)
