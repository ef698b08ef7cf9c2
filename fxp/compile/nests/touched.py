"""Which rows of a product have a step at all, in LLVM: those without one are not looked at again.

Operands whose rows lie side by side, as in a transposed matrix, are looked at many rows at
a time.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nests.loops import Arguments, Memory, i64, index_range
from fxp.compile.nests.steps import AT_ONCE as STEPS_AT_ONCE
from fxp.trace.plans import MatmulPlan

__all__ = ["TouchedRows"]

I64 = ir.IntType(64)
AT_ONCE = 32  # rows whose operands are compared with the absent one together


class TouchedRows:
    """Writes the numbers of rows to the scratch, behind the steps of one, and reads them."""

    def __init__(self, builder, plan: MatmulPlan, memory: Memory, args: Arguments):
        self.builder = builder
        self.plan = plan
        self.memory = memory
        self.args = args
        each = i64(8 * (1 + len(plan.scalars)))
        words = builder.mul(builder.add(args["depth"], i64(STEPS_AT_ONCE)), each)
        self.base = builder.add(args["scratch"], words)
        self.count = cgutils.alloca_once(builder, I64)
        self.mask = cgutils.alloca_once(builder, ir.IntType(AT_ONCE))

    def collect(self):
        """Write the rows that may have a step; return their count."""
        b, args = self.builder, self.args
        b.store(i64(0), self.count)
        beside = b.icmp_signed("==", args["a_row"], i64(1))
        with index_range(b, args["row"], args["rows"], AT_ONCE) as first:
            end = b.add(first, i64(AT_ONCE))
            whole = b.icmp_signed("<=", end, args["rows"])
            b.store(ir.Constant(self.mask.type.pointee, -1), self.mask)
            with b.if_then(b.and_(beside, whole)):
                self._compare(first)
            with index_range(b, first, b.select(whole, end, args["rows"])) as row:
                self._write(row)
        return b.load(self.count)

    def at(self, position):
        """Return the number of a row that was written."""
        return self.builder.load(self._place(position))

    def _compare(self, first):
        """Set the bits of the rows from first on that have an operand."""
        b, name = self.builder, self.plan.scalars[0]
        kind = ir.VectorType(ir.IntType(8 * self.plan.dtypes[name].itemsize), AT_ONCE)
        absent = ir.Constant(kind, [self.plan.absent] * AT_ONCE)
        b.store(ir.Constant(self.mask.type.pointee, 0), self.mask)
        with index_range(b, i64(0), self.args["depth"]) as k:
            at = b.add(first, b.mul(k, self.args["a_step"]))
            pointer = self.memory.pointer(name, self.args[name], at, kind)
            words = b.load(pointer, align=kind.element.width // 8)
            there = b.bitcast(b.icmp_signed("!=", words, absent), self.mask.type.pointee)
            b.store(b.or_(b.load(self.mask), there), self.mask)

    def _write(self, row):
        """Write a row; it counts if its bit, the lowest that is left, is set."""
        b = self.builder
        mask, count = b.load(self.mask), b.load(self.count)
        b.store(row, self._place(count))
        one = ir.Constant(mask.type, 1)
        b.store(b.add(count, b.zext(b.and_(mask, one), I64)), self.count)
        b.store(b.lshr(mask, one), self.mask)

    def _place(self, position):
        b = self.builder
        return b.inttoptr(b.add(self.base, b.mul(position, i64(8))), I64.as_pointer())
