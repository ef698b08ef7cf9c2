"""Which steps a row of a product takes: those whose operand is not absent, in LLVM.

They are written to the scratch one after the other: where the row of b begins, then the
scalar fields of a. Operands that lie side by side are looked at many at a time.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nests.loops import Arguments, Memory, i64, index_range
from fxp.trace.plans import MatmulPlan

__all__ = ["Steps"]

I64 = ir.IntType(64)
AT_ONCE = 8  # operands that are compared with the absent one together


class Steps:
    """Writes and reads the steps of a row."""

    def __init__(self, builder, plan: MatmulPlan, memory: Memory, args: Arguments):
        self.builder = builder
        self.plan = plan
        self.memory = memory
        self.args = args
        self.taken = cgutils.alloca_once(builder, I64)

    def collect(self, row):
        """Write the steps of a row that change something; return their count."""
        b, args = self.builder, self.args
        b.store(i64(0), self.taken)
        base = b.mul(row, args["a_row"])
        whole, depth = i64(0), args["depth"]
        if self.plan.absent is not None:
            beside = b.icmp_signed("==", args["a_step"], i64(1))
            whole = b.select(beside, b.and_(depth, i64(-AT_ONCE)), i64(0))
            with index_range(b, i64(0), whole, AT_ONCE) as k:
                self._many(base, k)
        with index_range(b, whole, depth) as k:
            self._write(base, k)
        return b.load(self.taken)

    def _many(self, base, k):
        """Write the next operands, unless none of them is there."""
        b, name = self.builder, self.plan.scalars[0]
        kind = ir.VectorType(ir.IntType(8 * self.plan.dtypes[name].itemsize), AT_ONCE)
        pointer = self.memory.pointer(name, self.args[name], b.add(base, k), kind)
        words = b.load(pointer, align=kind.element.width // 8)
        absent = ir.Constant(kind, [self.plan.absent] * AT_ONCE)
        there = b.bitcast(b.icmp_signed("!=", words, absent), ir.IntType(AT_ONCE))
        with b.if_then(b.icmp_signed("!=", there, ir.Constant(there.type, 0))):
            for i in range(AT_ONCE):
                self._write(base, b.add(k, i64(i)))

    def _write(self, base, k):
        """Write a step; it counts if its operand is not the absent one."""
        b, args, plan = self.builder, self.args, self.plan
        at = b.add(base, b.mul(k, args["a_step"]))
        fields = [self.memory.load_scalar(n, args[n], at) for n in plan.scalars]
        position = b.load(self.taken)
        slot = self._slot(position)
        b.store(b.mul(k, args["b_row"]), slot(0))
        for i, value in enumerate(fields):
            b.store(b.sext(value, I64) if value.type != I64 else value, slot(i + 1))
        counts = i64(1)
        if plan.absent is not None:
            absent = ir.Constant(fields[0].type, plan.absent)
            counts = b.zext(b.icmp_signed("!=", fields[0], absent), I64)
        b.store(b.add(position, counts), self.taken)

    def at(self, position):
        """Return where the row of b begins, and the fields, of a step that was written."""
        b, slot = self.builder, self._slot(position)
        return b.load(slot(0)), [b.load(slot(i + 1)) for i in range(len(self.plan.scalars))]

    def _slot(self, position):
        """Return a function from field number to its place in the scratch."""
        b = self.builder
        width = 8 * (1 + len(self.plan.scalars))
        base = b.add(self.args["scratch"], b.mul(position, i64(width)))
        return lambda i: b.inttoptr(b.add(base, i64(8 * i)), I64.as_pointer())
