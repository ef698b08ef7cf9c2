"""Pairs of steps of exact products, in LLVM: where they lie, and those of a.

Where two steps of a lie beside each other they are read where they are, else they are put
together. With many columns each tile of rows has a list of its pairs, without those that are
zero in all of its rows; else one list of all serves every tile.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nests.loops import Arguments, i64, index_range
from fxp.compile.nests.room import AT_ONCE, Room
from fxp.compile.nodes.banks import intrinsic
from fxp.trace.plans import MatmulPlan

__all__ = ["PairsOfA", "greater", "groups", "most", "parts", "splat", "wide", "zipped"]

I16, I32, I64 = (ir.IntType(n) for n in (16, 32, 64))
EIGHT = ir.VectorType(I64, AT_ONCE)
WORTH_A_LIST = 64  # columns that use it, more than so many


class PairsOfA:
    """The pairs of steps of some rows of a, which tables say the places of."""

    def __init__(self, builder, plan: MatmulPlan, args: Arguments, room: Room, measured: bool):
        self.builder = b = builder
        self.args = args
        self.room = room
        self.measured = measured
        self.name = plan.scalars[0]
        self.beside = b.icmp_signed("!=", args["a_pairs"], i64(0))
        self.greatest = cgutils.alloca_once_value(b, i64(0))  # without its sign
        self.found = cgutils.alloca_once(b, ir.VectorType(I16, 2 * AT_ONCE))

    def write(self, rows, steps, columns):
        """List the pairs of these rows and steps, for so many columns."""
        b = self.builder
        self.rows, self.steps = rows, steps
        self.count = b.sub(rows[1], rows[0])
        self.whole = groups(b, steps, 2)
        self.one_list = b.icmp_signed("<=", columns, i64(WORTH_A_LIST))
        kind = self.found.type.pointee
        b.store(ir.Constant(kind, [0] * kind.count), self.found)
        with b.if_then(b.not_(self.beside)):
            self._put_together()
        with b.if_then(self.one_list):
            self._list_all()
        with b.if_then(b.or_(b.not_(self.one_list), b.and_(
                self.beside, ir.Constant(ir.IntType(1), self.measured)))):
            with index_range(b, i64(0), self.count, self.room.rows) as row:
                self._look_through(row)
        b.store(most(b, b.load(self.found)), self.greatest)

    def listed(self, row):
        """Return the row whose tile's list is that of a row."""
        return self.builder.select(self.one_list, i64(0), row)

    def row(self, row):
        """Return where a row's pairs begin; behind the last one it is that of the last."""
        b = self.builder
        last = b.sub(self.count, i64(1))
        row = b.select(b.icmp_signed("<", row, last), row, last)
        there = self._entry("a_rows", b.add(self.rows[0], row))
        here = self.room.row_of_a(row)
        return b.select(self.beside, b.add(self.args[self.name], there), here)

    def _entry(self, table: str, at, kind=I64):
        """Return a number, or some, of a table, which is read even where there is none."""
        b = self.builder
        place = b.add(self.args[table], b.mul(at, i64(8)))
        return b.load(b.inttoptr(place, kind.as_pointer()), align=8)

    def _put_together(self):
        """Write pairs of rows of a, of rows that follow each other many at a time."""
        b = self.builder
        with index_range(b, i64(0), self.count, AT_ONCE) as first:
            last, many = self._block("a_rows", self.rows[0], first, self.count)
            with b.if_else(many) as (yes, no):
                with yes:
                    self._put_rows(first, ir.VectorType(I16, AT_ONCE))
                with no, index_range(b, first, last) as row:
                    self._put_rows(row, ir.VectorType(I16, 1))

    def _put_rows(self, row, kind):
        b, args = self.builder, self.args
        begin = b.add(args[self.name], self._entry("a_rows", b.add(self.rows[0], row)))
        with index_range(b, i64(0), self.whole) as pair:
            second = b.add(self.steps[0], b.add(b.shl(pair, i64(1)), i64(1)))
            last = b.sub(self.steps[1], i64(1))
            second = b.select(b.icmp_signed("<", second, last), second, last)
            first = b.select(b.icmp_signed("==", second, i64(0)), second, b.sub(second, i64(1)))
            two = [b.load(b.inttoptr(b.add(begin, self._entry("a_steps", step)),
                                     kind.as_pointer()), align=2) for step in (first, second)]
            both = zipped(b, *two)
            place = b.add(self.room.row_of_a(row), self.room.of_a(pair))
            b.store(both, b.inttoptr(place, both.type.as_pointer()), align=4)
            self._measure(both)

    def _list_all(self):
        """List every pair, for all tiles."""
        b = self.builder
        with index_range(b, i64(0), self.whole) as pair:
            self.room.put(i64(0), pair, self._of_a(pair), pair)
        self.room.put_count(i64(0), self.whole)

    def _of_a(self, pair):
        b, here = self.builder, cgutils.alloca_once(self.builder, I64)
        b.store(self.room.of_a(pair), here)
        with b.if_then(self.beside):
            at = b.add(b.ashr(self.steps[0], i64(1)), pair)
            b.store(self._entry("a_pairs", at), here)
        return b.load(here)

    def _look_through(self, row):
        """Look for the greatest word of a tile, and list its pairs if it has a list."""
        b = self.builder
        taken = cgutils.alloca_once(b, I64)
        b.store(i64(0), taken)
        places = [self.row(b.add(row, i64(r))) for r in range(self.room.rows)]
        with index_range(b, i64(0), self.whole, AT_ONCE) as first:
            last, many = self._block("a_pairs", b.ashr(self.steps[0], i64(1)), first, self.whole)
            with b.if_else(many) as (yes, no):
                with yes:
                    self._look_at_many(row, places, first, taken)
                with no, index_range(b, first, last) as pair:
                    self._look_at(row, places, pair, taken)
        with b.if_then(b.not_(self.one_list)):
            self.room.put_count(row, b.load(taken))

    def _block(self, table: str, base, first, count):
        """Return the end of the next rows, steps or pairs, eight of them but for the last ones,
        and whether they are eight that lie beside each other."""
        b, bit = self.builder, ir.IntType(1)
        end = b.add(first, i64(AT_ONCE))
        last = b.select(b.icmp_signed("<", end, count), end, count)
        many = cgutils.alloca_once(b, bit)
        b.store(ir.Constant(bit, 0), many)
        there = b.icmp_signed("!=", self.args[table], i64(0))
        with b.if_then(b.and_(there, b.icmp_signed("==", last, end))):
            each = 4 if table == "a_pairs" else 2
            b.store(self._follow(table, b.add(base, first), each), many)
        return last, b.load(many)

    def _follow(self, table: str, at, each: int):
        """Whether the next numbers of a table lie so far apart."""
        b = self.builder
        numbers = self._entry(table, at, EIGHT)
        first = splat(b, EIGHT, b.extract_element(numbers, ir.Constant(I32, 0)))
        apart = ir.Constant(EIGHT, [each * i for i in range(AT_ONCE)])
        same = b.bitcast(b.icmp_signed("==", b.sub(numbers, first), apart), ir.IntType(AT_ONCE))
        return b.icmp_signed("==", same, ir.Constant(same.type, -1))

    def _look_at_many(self, row, places, first, taken):
        b, kind = self.builder, ir.VectorType(I32, AT_ONCE)
        of_a = self._of_a(first)
        found = [b.load(b.inttoptr(b.add(place, of_a), kind.as_pointer()), align=2)
                 for place in places]
        for words in found:
            self._measure(b.bitcast(words, wide(ir.VectorType(I16, AT_ONCE))))
        there = b.bitcast(b.icmp_signed("!=", _any(b, found), ir.Constant(kind, [0] * AT_ONCE)),
                          ir.IntType(AT_ONCE))
        none, every = (b.icmp_signed("==", there, ir.Constant(there.type, v)) for v in (0, -1))
        with b.if_then(b.not_(b.or_(self.one_list, none))):
            with b.if_else(every) as (all_, some):
                with all_:
                    next_ = ir.Constant(EIGHT, list(range(AT_ONCE)))
                    fours = ir.Constant(EIGHT, list(range(0, 4 * AT_ONCE, 4)))
                    position = b.load(taken)
                    self.room.put(row, position, b.add(splat(b, EIGHT, of_a), fours),
                                  b.add(splat(b, EIGHT, first), next_))
                    b.store(b.add(position, i64(AT_ONCE)), taken)
                with some, index_range(b, first, b.add(first, i64(AT_ONCE))) as pair:
                    self._list(row, places, pair, taken)

    def _look_at(self, row, places, pair, taken):
        b, of_a = self.builder, self._of_a(pair)
        for place in places:
            both = b.load(b.inttoptr(b.add(place, of_a), ir.VectorType(I16, 2).as_pointer()),
                          align=2)
            self._measure(both)
        with b.if_then(b.not_(self.one_list)):
            self._list(row, places, pair, taken)

    def _list(self, row, places, pair, taken):
        """List a pair; it counts if it is not zero in all rows."""
        b, of_a, position = self.builder, self._of_a(pair), self.builder.load(taken)
        found = [b.load(b.inttoptr(b.add(place, of_a), I32.as_pointer()), align=2)
                 for place in places]
        self.room.put(row, position, of_a, pair)
        there = b.icmp_signed("!=", _any(b, found), ir.Constant(I32, 0))
        b.store(b.add(position, b.zext(there, I64)), taken)

    def _measure(self, words):
        """Keep the greatest words, without their signs."""
        b, count = self.builder, self.found.type.pointee.count
        if not self.measured:
            return
        if words.type.count < count:
            zeros = ir.Constant(words.type, [0] * words.type.count)
            order = [*range(words.type.count), *[words.type.count] * (count - words.type.count)]
            words = b.shuffle_vector(words, zeros, ir.Constant(ir.VectorType(I32, count), order))
        greater(b, self.found, words)


def groups(b, steps, size: int):
    """Return how many groups of a size, a power of two, steps make; the last may have fewer."""
    count = b.add(b.sub(steps[1], steps[0]), i64(size - 1))
    return b.ashr(count, i64(size.bit_length() - 1))


def parts(b, words, count: int, extend):
    """Return the first, second, ... words of each group as lanes of 32 bits."""
    lanes = ir.VectorType(I32, words.type.count // count)
    return [extend(b.shuffle_vector(words, words, ir.Constant(lanes, list(range(
        first, words.type.count, count)))), lanes) for first in range(count)]


def wide(kind):
    """Return the type of twice as many numbers."""
    return ir.VectorType(kind.element, 2 * kind.count)


def zipped(b, first, second):
    """Return the numbers of two vectors in turn."""
    n = first.type.count
    order = [i for pair in zip(range(n), range(n, 2 * n)) for i in pair]
    return b.shuffle_vector(first, second, ir.Constant(ir.VectorType(I32, 2 * n), order))


def splat(b, kind, value):
    """Return a vector of a number."""
    undefined = ir.Constant(kind, ir.Undefined)
    order = ir.Constant(ir.VectorType(I32, kind.count), [0] * kind.count)
    return b.shuffle_vector(b.insert_element(undefined, value, ir.Constant(I32, 0)), undefined,
                            order)


def greater(b, slot, *others):
    """Keep the greater ones of a slot's numbers and of words, without their signs."""
    found, kind = b.load(slot), slot.type.pointee
    zeros = ir.Constant(kind, [0] * kind.count)
    for words in others:
        size = intrinsic(b, f"llvm.smax.v{kind.count}i16", kind, words, b.sub(zeros, words))
        found = intrinsic(b, f"llvm.umax.v{kind.count}i16", kind, found, size)
    b.store(found, slot)


def most(b, words):
    """Return the greatest of words without signs."""
    name = f"llvm.vector.reduce.umax.v{words.type.count}i16"
    return b.zext(intrinsic(b, name, I16, words), I64)


def _any(b, values):
    found = values[0]
    for value in values[1:]:
        found = b.or_(found, value)
    return found
