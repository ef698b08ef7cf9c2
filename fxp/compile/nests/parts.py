"""Products by parts that caches hold, in LLVM: a block of b's columns, some hundred steps.

Where rows of b lie a power of two apart, the lines of a block fall into few sets of a cache and
drive each other out, though the cache could hold them all: then they are put together first. Sums
that take more steps than that are kept in memory from one part to the next.
"""

from __future__ import annotations

from llvmlite import ir

from fxp.compile.nests.loops import Arguments, i64, index_range
from fxp.compile.nodes.vector import Lanes
from fxp.trace.plans import MatmulPlan

__all__ = ["Kept", "packed"]

BYTE = ir.IntType(8)


def packed(builder, plan: MatmulPlan, args: Arguments, columns, depth) -> Arguments:
    """Append copies of the columns and steps in these ranges to the memory given for them, if
    there is some; return the arguments by which they are found, at the same offsets."""
    b, given = builder, builder.icmp_signed("!=", args["packed"], i64(0))
    found, place = {}, args["packed"]
    width = i64(plan.PACKED)
    (begin, end), (low, high) = columns, depth
    first = b.add(b.mul(low, width), begin)
    for name in plan.vectors:
        size = i64(plan.dtypes[name].itemsize)
        moved = b.sub(place, b.mul(first, size))
        found[name] = b.select(given, moved, args[name])
        with b.if_then(given), index_range(b, low, high) as k:
            of = b.add(args[name], b.mul(b.add(b.mul(k, args["b_row"]), begin), size))
            to = b.add(moved, b.mul(b.add(b.mul(k, width), begin), size))
            _copy(b, to, of, b.mul(b.sub(end, begin), size))
        place = b.add(place, b.mul(b.mul(args["chunk"], width), size))
    return args.but(**found, b_row=b.select(given, width, args["b_row"]))


class Kept:
    """The sums of a group of rows and a block of columns, from one range of steps to the next."""

    def __init__(self, builder, plan: MatmulPlan, lanes: Lanes, args: Arguments, first, depth):
        self.builder = builder
        self.plan = plan
        self.lanes = lanes
        self.address = args["sums"]
        self.row, self.column = first
        self.is_first = builder.icmp_signed("==", depth[0], i64(0))
        self.is_last = builder.icmp_signed("==", depth[1], args["depth"])

    def get(self, row, column) -> list:
        """Return the parts of the state of a vector of columns."""
        return [self.builder.load(p, align=1) for p in self._places(row, column)]

    def put(self, row, column, parts) -> None:
        """Keep them."""
        for part, place in zip(parts, self._places(row, column)):
            self.builder.store(part, place, align=1)

    def _places(self, row, column) -> list:
        b, plan = self.builder, self.plan
        at = b.add(b.mul(b.sub(row, self.row), i64(plan.PACKED)), b.sub(column, self.column))
        byte = b.add(self.address, b.mul(at, i64(self.lanes.width // 8)))
        return [b.inttoptr(b.add(byte, i64(i * plan.WAITING)), self.lanes.type.as_pointer())
                for i in range(len(plan.state))]


def _copy(builder, to, of, count) -> None:
    pointer, integer = BYTE.as_pointer(), ir.IntType(64)
    kind = ir.FunctionType(ir.VoidType(), [pointer, pointer, integer, ir.IntType(1)])
    name = "llvm.memcpy.p0.p0.i64"
    copy = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    ends = [builder.inttoptr(end, pointer) for end in (to, of)]
    builder.call(copy, [*ends, count, ir.Constant(ir.IntType(1), 0)])
