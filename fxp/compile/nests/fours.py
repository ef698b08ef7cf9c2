"""Exact sums of products of bytes, in LLVM: one instruction makes four products and their sum.

It takes unsigned bytes and signed ones. So a's are 128 too large, and 128 times the sum of a
column of b is taken off again. Words have 16 bits in memory: both operands are put together.
"""

from __future__ import annotations

from llvmlite import ir

from fxp.compile.nests.dots import DotMatmul
from fxp.compile.nests.loops import i64, index_range
from fxp.compile.nests.pairs import PairsOfA, groups, parts, zipped
from fxp.compile.nests.room import AT_ONCE
from fxp.compile.nodes.banks import intrinsic

__all__ = ["ByteMatmul"]

I8, I16, I32 = (ir.IntType(n) for n in (8, 16, 32))
ADDED = {16: "llvm.x86.avx512.vpdpbusd.512"}  # by lanes
SIGN = 128
LINE = 64  # words that are written together, at most


class ByteMatmul(DotMatmul):
    """The product of a plan whose steps add products of words of 8 bits."""

    STEPS = 4  # at a time

    def __init__(self, builder, plan, lanes, args):
        super().__init__(builder, plan, lanes, args)
        self.measured = False  # 512 products of such words come nowhere near 31 bits
        self.zero = 0
        self.a = _FoursOfA(builder, plan, args, self.room, False)

    def _put_together(self, steps, columns):
        """Write groups of four rows of b, and 128 times the sums of columns."""
        b, args, name = self.builder, self.args, self.plan.vectors[0]
        words = ir.VectorType(I16, self.kind.count)
        bytes_ = ir.VectorType(I8, words.count)
        with index_range(b, columns[0], columns[1], words.count) as column:
            b.store(ir.Constant(self.kind, [0] * self.kind.count), self._taken_off(
                b.sub(column, columns[0])), align=4)
        with index_range(b, i64(0), groups(b, steps, 4)) as group:
            with index_range(b, columns[0], columns[1], words.count) as column:
                four = []
                for k in range(4):
                    step, there = _step(b, steps, group, k)
                    at = b.add(b.mul(step, args["b_row"]), column)
                    row = b.load(self.memory.pointer(name, args[name], at, words), align=2)
                    four.append(b.select(there, row, ir.Constant(words, [0] * words.count)))
                at = b.sub(column, columns[0])
                place = self.room.steps_of_b(group, at, self.columns)
                whole = _woven(b, [b.trunc(row, bytes_) for row in four])
                b.store(whole, b.bitcast(place, whole.type.as_pointer()), align=4)
                total = b.sext(four[0], self.kind)
                for row in four[1:]:
                    total = b.add(total, b.sext(row, self.kind))
                sums = self._taken_off(at)
                seven = ir.Constant(self.kind, [SIGN.bit_length() - 1] * self.kind.count)
                b.store(b.add(b.load(sums, align=4), b.shl(total, seven)), sums, align=4)

    def _taken_off(self, column):
        """Return where 128 times the sum of a column lies."""
        return self.room.sums_of_columns(column, self.kind)

    def _widened(self, sums, kind, column):
        b = self.builder
        sums = b.sub(sums, b.load(self._taken_off(column), align=4))
        return sums if kind == self.kind else b.sext(sums, kind)

    def _added(self, sums, x, y):
        b, bytes_ = self.builder, ir.VectorType(I8, 4 * self.kind.count)
        if name := ADDED.get(self.kind.count):  # of lanes, as old LLVM has it and new reads it
            return intrinsic(b, name, self.kind, sums, x, y)
        x, y = b.bitcast(x, bytes_), b.bitcast(y, bytes_)
        for part in zip(parts(b, x, 4, b.zext), parts(b, y, 4, b.sext)):
            sums = b.add(sums, b.mul(*part))
        return sums


class _FoursOfA(PairsOfA):
    """The groups of four steps of some rows of a, as bytes that are 128 too large.

    Where steps are a line in memory they stay one, else rows lie beside each other.
    """

    def __init__(self, *args):
        super().__init__(*args)
        b, (of_rows, of_groups) = self.builder, self.room.apart
        self.line = b.icmp_signed("!=", self.args["a_line"], i64(0))
        self.room.apart = (b.select(self.line, i64(self.room.plan.DOT_STEPS), of_rows),
                           b.select(self.line, i64(4), of_groups))

    def write(self, rows, steps, columns):
        self.rows, self.steps = rows, steps
        b = self.builder
        self.count, self.whole = b.sub(rows[1], rows[0]), groups(b, steps, 4)
        self.beside = self.one_list = ir.Constant(ir.IntType(1), 0)
        with b.if_else(self.line) as (yes, no):
            with yes, index_range(b, i64(0), self.count) as row:
                self._put_line(row)
            with no:
                self._put_together()
        self._list_all()

    def listed(self, row):
        return i64(0)

    def _put_line(self, row):
        """Write the groups of a row whose steps lie beside each other, most of them many at a
        time."""
        b, kind = self.builder, ir.VectorType(I16, LINE)
        count = b.sub(self.steps[1], self.steps[0])
        many = b.and_(count, i64(-LINE))
        with index_range(b, i64(0), many, LINE) as step:
            words = b.load(self._place(row, b.add(self.steps[0], step), kind), align=2)
            to = self._to(row, b.ashr(step, i64(2)), ir.VectorType(I8, LINE))
            b.store(_raised(b, words), to, align=4)
        with index_range(b, b.ashr(many, i64(2)), self.whole) as group:
            self._put(row, group, ir.VectorType(I16, 1))

    def _put_together(self):
        b = self.builder
        with index_range(b, i64(0), self.count, AT_ONCE) as first:
            last, many = self._block("a_rows", self.rows[0], first, self.count)
            with b.if_else(many) as (yes, no):
                with yes, index_range(b, i64(0), self.whole) as group:
                    self._put(first, group, ir.VectorType(I16, AT_ONCE))
                with no:
                    self._put_steps(first, last)

    def _put_steps(self, first, last):
        """Write groups of rows that do not follow each other, of steps that do many at a time."""
        b = self.builder
        count = b.sub(self.steps[1], self.steps[0])
        with index_range(b, i64(0), count, AT_ONCE) as step:
            end, many = self._block("a_steps", self.steps[0], step, count)
            group = b.ashr(step, i64(2))
            behind = b.ashr(b.add(end, i64(3)), i64(2))
            with index_range(b, first, last) as row:
                with b.if_else(many) as (yes, no):
                    with yes:
                        self._put_beside(row, step, group)
                    with no, index_range(b, group, behind) as one:
                        self._put(row, one, ir.VectorType(I16, 1))

    def _put_beside(self, row, step, group):
        """Write the groups of some steps beside each other."""
        b = self.builder
        words = b.load(self._place(row, b.add(self.steps[0], step), ir.VectorType(I16, AT_ONCE)),
                       align=2)
        two = b.bitcast(_raised(b, words), ir.VectorType(I32, AT_ONCE // 4))
        for i in range(two.type.count):
            b.store(b.extract_element(two, ir.Constant(I32, i)),
                    self._to(row, b.add(group, i64(i)), I32), align=4)

    def _put(self, row, group, kind):
        """Write a group, of one row or of rows beside each other."""
        b = self.builder
        four = [_raised(b, b.load(self._place(row, _step(b, self.steps, group, k)[0], kind),
                                  align=2)) for k in range(4)]
        whole = _woven(b, four)
        b.store(whole, self._to(row, group, whole.type), align=4)

    def _place(self, row, step, kind):
        b = self.builder
        at = b.add(self._entry("a_rows", b.add(self.rows[0], row)), self._entry("a_steps", step))
        return b.inttoptr(b.add(self.args[self.name], at), kind.as_pointer())

    def _to(self, row, group, kind):
        b = self.builder
        at = b.add(self.room.row_of_a(row), self.room.of_a(group))
        return b.inttoptr(at, kind.as_pointer())


def _step(b, steps, group, k: int):
    """Return a step of a group, the last there is for those behind it, and whether it is there."""
    step = b.add(steps[0], b.add(b.shl(group, i64(2)), i64(k)))
    there = b.icmp_signed("<", step, steps[1])
    return b.select(there, step, b.sub(steps[1], i64(1))), there


def _raised(b, words):
    """Return words as bytes that are 128 too large."""
    kind = ir.VectorType(I8, words.type.count)
    return b.xor(b.trunc(words, kind), ir.Constant(kind, [SIGN] * kind.count))


def _woven(b, four):
    """Return the bytes of four vectors in turn."""
    two = ir.VectorType(I16, four[0].type.count)
    return zipped(b, *(b.bitcast(zipped(b, *half), two) for half in (four[:2], four[2:])))
