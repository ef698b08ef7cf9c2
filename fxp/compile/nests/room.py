"""Where an exact product keeps what it puts together, in LLVM: steps of b and of a, lists of those
of a's tiles, registers."""

from __future__ import annotations

from llvmlite import ir

from fxp.compile.nests.loops import Arguments, i64
from fxp.trace.plans import MatmulPlan

__all__ = ["AT_ONCE", "Room"]

I32, I64 = ir.IntType(32), ir.IntType(64)
AT_ONCE = 8  # pairs, or rows, that are looked at together


class Room:
    """Where steps of b and of a that are taken together, the lists of tiles and registers lie."""

    def __init__(self, builder, plan: MatmulPlan, args: Arguments, rows: int, steps: int):
        self.builder = builder
        self.plan = plan
        self.args = args
        self.rows = rows  # of a tile
        self.groups = plan.DOT_STEPS // steps
        self.block = i64(0)  # of steps of b: which of those in the room is at hand
        known = plan.DOT_BLOCKS * (4 * plan.DOT_WIDTH + 8)
        self.a = builder.add(args["scratch"], i64(known))  # groups put together
        self.apart = i64(4), i64(4 * plan.DOT_ROWS)  # bytes from row to row of them, and on
        self.lists = builder.add(self.a, i64(4 * self.groups * plan.DOT_ROWS))

    def sums(self, row, column, kind):
        """Return where registers lie, by row and column of what is at hand."""
        b, size = self.builder, kind.element.width // 8
        at = b.add(b.mul(row, i64(self.plan.DOT_WIDTH)), column)
        return b.inttoptr(b.add(self.args["sums"], b.mul(at, i64(size))), kind.as_pointer())

    def steps_of_b(self, group, column, tile: int):
        """Return where a group of rows lies at a column: those of a tile follow each other."""
        b = self.builder
        begin = b.and_(column, i64(-tile))
        block = b.mul(self.block, i64(self.plan.DOT_COLUMNS * self.groups))
        at = b.add(block, b.add(b.mul(begin, i64(self.groups)), b.mul(group, i64(tile))))
        at = b.add(at, b.sub(column, begin))
        return b.inttoptr(b.add(self.args["packed"], b.mul(at, i64(4))), I32.as_pointer())

    def greatest_of_b(self):
        """Return where the greatest word of the block of b lies, without its sign."""
        b = self.builder
        at = b.add(self.args["scratch"], b.mul(self.block, i64(8)))
        return b.inttoptr(at, I64.as_pointer())

    def sums_of_columns(self, column, kind):
        """Return where numbers of 32 bits lie that columns of the block of b have."""
        b, plan = self.builder, self.plan
        at = b.add(b.mul(self.block, i64(plan.DOT_WIDTH)), column)
        at = b.add(i64(8 * plan.DOT_BLOCKS), b.mul(at, i64(4)))
        return b.inttoptr(b.add(self.args["scratch"], at), kind.as_pointer())

    def of_a(self, group):
        """Return where a group of a that was put together lies behind the row's first, in
        bytes."""
        return self.builder.mul(group, self.apart[1])

    def row_of_a(self, row):
        """Return where the groups of a row that were put together begin."""
        return self.builder.add(self.a, self.builder.mul(row, self.apart[0]))

    def put(self, row, position, of_a, group):
        """List a group of a row's tile, or vectors of them: where a's lies behind the row's
        begin, in bytes, and which one it is."""
        b = self.builder
        for field, value in enumerate((of_a, group)):
            place = self._in_list(row, b.add(position, i64(field * self.groups)))
            b.store(value, b.bitcast(place, value.type.as_pointer()), align=8)

    def step(self, row, position):
        """Return the group at a position."""
        b, place = self.builder, self._in_list(row, position)
        return b.load(place), b.load(b.gep(place, [i64(self.groups)]))

    def put_count(self, row, count):
        """Say how many groups the tile of a row has."""
        self.builder.store(count, self._in_list(row, i64(2 * self.groups + AT_ONCE)))

    def count(self, row):
        """Return how many."""
        return self.builder.load(self._in_list(row, i64(2 * self.groups + AT_ONCE)))

    def _in_list(self, row, at):
        b, each = self.builder, self.plan.DOT_STEPS + 2 * AT_ONCE  # words of 64 bits
        at = b.add(b.mul(b.sdiv(row, i64(self.rows)), i64(each)), at)
        return b.inttoptr(b.add(self.lists, b.mul(at, i64(8))), I64.as_pointer())
