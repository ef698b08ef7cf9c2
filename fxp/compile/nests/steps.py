"""Which steps a row of a product takes: those whose operand is not absent, in LLVM.

They are written to the scratch one after the other: where the row of b begins, and the
scalar fields of a, each in a range of its own. Operands that lie side by side are looked at,
and written, many at a time.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nests.loops import Arguments, Memory, i64, index_range
from fxp.compile.nodes.banks import intrinsic
from fxp.trace.plans import MatmulPlan

__all__ = ["AT_ONCE", "Steps"]

I64 = ir.IntType(64)
AT_ONCE = 8  # operands that are compared with the absent one together
EIGHT = ir.VectorType(I64, AT_ONCE)
COMPRESS = "llvm.x86.avx512.mask.compress.v8i64"


class Steps:
    """Writes and reads the steps of a row."""

    def __init__(self, builder, plan: MatmulPlan, memory: Memory, args: Arguments):
        self.builder = builder
        self.plan = plan
        self.memory = memory
        self.args = args
        self.taken = cgutils.alloca_once(builder, I64)

    def collect(self, row, depth=None):
        """Write the steps of a row, in a range or all, that change something; return their
        count."""
        b, args = self.builder, self.args
        b.store(i64(0), self.taken)
        base = b.mul(row, args["a_row"])
        low, high = depth or (i64(0), args["depth"])
        whole = low
        if self.plan.absent is not None:
            beside = b.icmp_signed("==", args["a_step"], i64(1))
            many = b.and_(b.sub(high, low), i64(-AT_ONCE))
            whole = b.select(beside, b.add(low, many), low)
            with index_range(b, low, whole, AT_ONCE) as k:
                self._many(base, k)
        with index_range(b, whole, high) as k:
            self._write(base, k)
        return b.load(self.taken)

    def _many(self, base, k):
        """Write those of the next operands that are there."""
        b, args = self.builder, self.args
        fields = []
        for name in self.plan.scalars:
            kind = ir.VectorType(ir.IntType(8 * self.plan.dtypes[name].itemsize), AT_ONCE)
            pointer = self.memory.pointer(name, args[name], b.add(base, k), kind)
            fields.append(b.load(pointer, align=kind.element.width // 8))
        absent = ir.Constant(fields[0].type, [self.plan.absent] * AT_ONCE)
        there = b.icmp_signed("!=", fields[0], absent)
        bits = b.bitcast(there, ir.IntType(AT_ONCE))
        rows = b.mul(b.add(self._all(k), ir.Constant(EIGHT, list(range(AT_ONCE)))),
                     self._all(args["b_row"]))
        every = [rows, *(f if f.type == EIGHT else b.sext(f, EIGHT) for f in fields)]
        if self.memory.lanes.target.level == "avx512":
            unused = ir.Constant(EIGHT, [0] * AT_ONCE)
            self._put([intrinsic(b, COMPRESS, EIGHT, v, unused, there) for v in every])
            self._count(b.zext(b.ctpop(bits), I64))
            return
        with b.if_then(b.icmp_signed("!=", bits, ir.Constant(bits.type, 0))):
            with b.if_else(b.icmp_signed("==", bits, ir.Constant(bits.type, -1))) as (all_, some):
                with all_:
                    self._put(every)
                    self._count(i64(AT_ONCE))
                with some, index_range(b, k, b.add(k, i64(AT_ONCE))) as one:
                    self._write(base, one)

    def _all(self, value):
        """Return a vector of eight times a number of 64 bits."""
        b, undefined = self.builder, ir.Constant(EIGHT, ir.Undefined)
        first = b.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), AT_ONCE), [0] * AT_ONCE)
        return b.shuffle_vector(first, undefined, order)

    def _write(self, base, k):
        """Write a step; it counts if its operand is not the absent one."""
        b, args, plan = self.builder, self.args, self.plan
        at = b.add(base, b.mul(k, args["a_step"]))
        fields = [self.memory.load_scalar(n, args[n], at) for n in plan.scalars]
        self._put([b.mul(k, args["b_row"]),
                   *(b.sext(f, I64) if f.type != I64 else f for f in fields)])
        counts = i64(1)
        if plan.absent is not None:
            absent = ir.Constant(fields[0].type, plan.absent)
            counts = b.zext(b.icmp_signed("!=", fields[0], absent), I64)
        self._count(counts)

    def _put(self, values):
        """Write numbers, or vectors of them, behind what has been taken."""
        b = self.builder
        slot = self._slot(b.load(self.taken))
        for i, value in enumerate(values):
            b.store(value, b.bitcast(slot(i), value.type.as_pointer()), align=8)

    def _count(self, more):
        self.builder.store(self.builder.add(self.builder.load(self.taken), more), self.taken)

    def at(self, position):
        """Return where the row of b begins, and the fields, of a step that was written."""
        b, slot = self.builder, self._slot(position)
        return b.load(slot(0)), [b.load(slot(i + 1)) for i in range(len(self.plan.scalars))]

    def _slot(self, position):
        """Return a function from field number to its place in the scratch."""
        b, args = self.builder, self.args
        one_range = b.add(args["depth"], i64(AT_ONCE))  # the last ones written may not count

        def place(i: int):
            at = b.add(b.mul(one_range, i64(i)), position)
            return b.inttoptr(b.add(args["scratch"], b.mul(at, i64(8))), I64.as_pointer())

        return place
