"""A block of b's columns, put together in memory, in LLVM.

Where rows of b lie a power of two apart, the lines of a block fall into few sets of a cache and
drive each other out, though the cache could hold them all.
"""

from __future__ import annotations

from llvmlite import ir

from fxp.compile.nests.loops import Arguments, i64, index_range
from fxp.trace.plans import MatmulPlan

__all__ = ["packed"]

BYTE = ir.IntType(8)


def packed(builder, plan: MatmulPlan, args: Arguments, begin, end) -> Arguments:
    """Append copies of the columns from begin to end to the memory given for them, if there is
    some; return the arguments by which they are found, at the same offsets."""
    b, given = builder, builder.icmp_signed("!=", args["packed"], i64(0))
    found, place = {}, args["packed"]
    width = i64(plan.PACKED)
    for name in plan.vectors:
        size = i64(plan.dtypes[name].itemsize)
        first = b.mul(begin, size)
        found[name] = b.select(given, b.sub(place, first), args[name])
        with b.if_then(given), index_range(b, i64(0), args["depth"]) as k:
            of = b.add(args[name], b.mul(b.add(b.mul(k, args["b_row"]), begin), size))
            to = b.add(place, b.mul(b.mul(k, width), size))
            _copy(b, to, of, b.mul(b.sub(end, begin), size))
        place = b.add(place, b.mul(b.mul(args["depth"], width), size))
    return args.but(**found, b_row=b.select(given, width, args["b_row"]))


def _copy(builder, to, of, count) -> None:
    pointer, integer = BYTE.as_pointer(), ir.IntType(64)
    kind = ir.FunctionType(ir.VoidType(), [pointer, pointer, integer, ir.IntType(1)])
    name = "llvm.memcpy.p0.p0.i64"
    copy = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    ends = [builder.inttoptr(end, pointer) for end in (to, of)]
    builder.call(copy, [*ends, count, ir.Constant(ir.IntType(1), 0)])
