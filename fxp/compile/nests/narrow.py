"""The loops of a product with few columns, in LLVM: several rows beside each other.

A sum waits for itself at each step. Where columns fill one vector, sums of other rows are
all that can go on meanwhile; each row has steps of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nests.loops import i64
from fxp.compile.nests.products import LANES, Matmul
from fxp.compile.nests.steps import Steps
from fxp.trace.plans import NARROW_ROWS

__all__ = ["NarrowMatmul"]


class NarrowMatmul(Matmul):
    """Rows beside each other, whose columns are LANES."""

    def __init__(self, builder, plan, lanes, args):
        super().__init__(builder, plan, lanes, args)
        vectors = max(1, LANES // lanes.count)
        slots = [lanes.type] * len(plan.state)
        self.of_rows = [[[cgutils.alloca_once(builder, t) for t in slots]
                         for _ in range(vectors)] for _ in range(NARROW_ROWS)]
        self.steps_of = [Steps(builder, plan, self.memory, _Moved(builder, plan, args, r))
                         for r in range(NARROW_ROWS)]
        self.offsets = [i64(t * lanes.count) for t in range(vectors)]
        self.live = [builder.sub(args["used"], offset) for offset in self.offsets]

    def emit(self):
        b, args = self.builder, self.args
        with self._range(args["row"], args["rows"], NARROW_ROWS) as first:
            rows = [b.add(first, i64(r)) for r in range(NARROW_ROWS)]
            there = [b.icmp_signed("<", row, args["rows"]) for row in rows]
            counts = [self._begin(r, row, there[r]) for r, row in enumerate(rows)]
            most = counts[0]
            for count in counts[1:]:
                most = b.select(b.icmp_signed(">", count, most), count, most)
            with self._range(i64(0), most) as position:
                for r, count in enumerate(counts):
                    with b.if_then(b.icmp_signed("<", position, count)):
                        self._step(r, position)
            for r, row in enumerate(rows):
                self._end(r, row, counts[r] if self.plan.keep_untouched else there[r])

    def _begin(self, r: int, row, there):
        """Return how many steps a row has, none for one that is not there."""
        b, count = self.builder, cgutils.alloca_once(self.builder, ir.IntType(64))
        b.store(i64(0), count)
        self.states = self.of_rows[r]
        with b.if_then(there):
            b.store(self.steps_of[r].collect(row), count)
            for t, offset in enumerate(self.offsets):
                self._start(row, offset, t)
        return b.load(count)

    def _step(self, r: int, position):
        self.states, self.steps = self.of_rows[r], self.steps_of[r]
        _, scalars, places = self._operands(position, self.offsets)
        self._steps(self.plan.step, scalars, places)

    def _end(self, r: int, row, wanted):
        b, self.states = self.builder, self.of_rows[r]
        with b.if_then(b.icmp_unsigned("!=", wanted, ir.Constant(wanted.type, 0))):
            self.finish.emit(row, i64(0), [self._state(t) for t in range(len(self.offsets))])


class _Moved:
    """Arguments whose scratch is that of a row."""

    def __init__(self, builder, plan, args: Mapping, r: int):
        self.args = args
        each = builder.mul(builder.add(args["depth"], i64(plan.SPARE)),
                           i64(8 * r * (2 + len(plan.scalars))))
        self.scratch = builder.add(args["scratch"], each)

    def __getitem__(self, name: str):
        return self.scratch if name == "scratch" else self.args[name]
