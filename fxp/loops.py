"""Vector loops in LLVM around compiled circuits: map and matrix product.

Nothing here does arithmetic on words; that is all in the circuits. Arrays are
given by address and row stride (in elements), one address for each field of a
number. Rows of a matrix are padded to whole vectors.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from fxp.graph import SpecError
from fxp.plans import MapPlan, MatmulPlan
from fxp.vector import Lanes, emit

__all__ = ["Arguments", "emit_map", "emit_matmul"]

I64 = ir.IntType(64)
I32 = ir.IntType(32)
TILE = 4  # column vectors whose accumulators are held in registers together


class Arguments:
    """The integer arguments of a kernel, by name."""

    def __init__(self, builder, names, values):
        self.values = {n: builder.extract_value(values, i) for i, n in enumerate(names)}

    def __getitem__(self, name):
        return self.values[name]


class _Memory:
    """Loads and stores of vectors and scalars at element offsets from an address."""

    def __init__(self, builder, lanes: Lanes, dtypes):
        self.builder = builder
        self.lanes = lanes
        self.dtypes = dtypes

    def _pointer(self, name, base, offset, kind):
        size = self.dtypes[name].itemsize
        byte = self.builder.add(base, self.builder.mul(offset, ir.Constant(I64, size)))
        return self.builder.inttoptr(byte, kind.as_pointer())

    def _storage(self, name, vector=True):
        element = ir.IntType(8 * self.dtypes[name].itemsize)
        return ir.VectorType(element, self.lanes.count) if vector else element

    def load(self, name, base, offset, mask=None, fill: int = 0):
        kind = self._storage(name)
        pointer = self._pointer(name, base, offset, kind)
        if mask is None:
            return self._widen(self.builder.load(pointer, align=kind.element.width // 8))
        fills = ir.Constant(kind, [fill] * kind.count)
        return self._widen(self._masked("load", kind, pointer, mask, fills))

    def store(self, name, base, offset, value, mask=None):
        kind = self._storage(name)
        if kind.element.width < self.lanes.width:
            value = self.builder.trunc(value, kind)
        pointer = self._pointer(name, base, offset, kind)
        if mask is None:
            self.builder.store(value, pointer, align=kind.element.width // 8)
        else:
            self._masked("store", kind, pointer, mask, value)

    def load_scalar(self, name, base, offset):
        kind = self._storage(name, vector=False)
        value = self.builder.load(self._pointer(name, base, offset, kind))
        return self.widen_scalar(value)

    def widen_scalar(self, value):
        return self._widen(value, self.lanes.type.element)

    def _widen(self, value, to=None):
        to = to or self.lanes.type
        return value if value.type == to else self.builder.sext(value, to)

    def _masked(self, what, kind, pointer, mask, value):
        module, align = self.builder.module, ir.Constant(I32, kind.element.width // 8)
        name = f"llvm.masked.{what}.v{kind.count}i{kind.element.width}.p0"
        if what == "load":
            result, arguments = kind, [pointer, align, mask, value]
        else:
            result, arguments = ir.VoidType(), [value, pointer, align, mask]
        signature = ir.FunctionType(result, [a.type for a in arguments])
        function = module.globals.get(name) or ir.Function(module, signature, name)
        return self.builder.call(function, arguments)


def emit_map(builder, plan: MapPlan, lanes: Lanes, args: Arguments):
    """Append the loop of a map; the last, partial vector is masked."""
    memory = _Memory(builder, lanes, plan.dtypes)
    step = ir.Constant(I64, lanes.count)

    def body(offset, mask):
        inputs = {}
        for name, node in plan.circuit.inputs.items():
            if name in plan.dtypes:
                inputs[name] = memory.load(name, args[name], offset, mask, node.low)
            elif name == "element":
                inputs[name] = _ramp(builder, lanes, builder.add(args["first"], offset))
            else:
                inputs[name] = _broadcast(builder, lanes, args[name])
        for name, value in emit(builder, plan.circuit, lanes, inputs).items():
            memory.store(name, args[name], offset, value, mask)

    count = args["count"]
    whole = builder.sub(count, builder.srem(count, step))
    with cgutils.for_range_slice(builder, ir.Constant(I64, 0), whole, step) as (offset, _):
        body(offset, None)
    with builder.if_then(builder.icmp_signed("<", whole, count), likely=False):
        left = _broadcast(builder, lanes, builder.sub(count, whole))
        mask = builder.icmp_signed("<", _ramp(builder, lanes, None), left)
        body(whole, mask)


def _broadcast(builder, lanes: Lanes, scalar):
    element = lanes.type.element
    if element.width < scalar.type.width:
        scalar = builder.trunc(scalar, element)
    return lanes.broadcast(builder, scalar)


def _ramp(builder, lanes: Lanes, first):
    """Return first, first + 1, ... across the lanes."""
    steps = ir.Constant(lanes.type, list(range(lanes.count)))
    return steps if first is None else builder.add(_broadcast(builder, lanes, first), steps)


def emit_matmul(builder, plan: MatmulPlan, lanes: Lanes, args: Arguments):
    """Append the loops of a matrix product: rows, tiles of column vectors, depth."""
    (_Matmul if plan.combine is None else _TreeMatmul)(builder, plan, lanes, args).emit()


class _Matmul:
    def __init__(self, builder, plan, lanes, args):
        self.builder = builder
        self.plan = plan
        self.lanes = lanes
        self.args = args
        self.memory = _Memory(builder, lanes, plan.dtypes)
        slots = [lanes.type] * len(plan.state)
        self.states = [[cgutils.alloca_once(builder, t) for t in slots] for _ in range(TILE)]

    def emit(self):
        b, args = self.builder, self.args
        with cgutils.for_range_slice(b, args["row"], args["rows"], _i64(1)) as (row, _):
            count = self._collect(row)
            touched = b.icmp_signed("!=", count, _i64(0))
            if self.plan.keep_untouched:
                with b.if_then(touched):
                    self._columns(row, count)
            else:
                self._columns(row, count)

    def _columns(self, row, count):
        """Full tiles first, then single vectors."""
        b, columns = self.builder, self.args["columns"]
        wide = _i64(TILE * self.lanes.count)
        whole = b.sub(columns, b.srem(columns, wide))
        with cgutils.for_range_slice(b, _i64(0), whole, wide) as (column, _):
            self._tile(row, column, count, TILE)
        with cgutils.for_range_slice(b, whole, columns, _i64(self.lanes.count)) as (column, _):
            self._tile(row, column, count, 1)

    def _collect(self, row):
        """Write the steps of this row that change something to the scratch: offset of
        the row of b, then the scalar fields. Return how many there are."""
        b, args, plan = self.builder, self.args, self.plan
        count = cgutils.alloca_once_value(b, _i64(0))
        base = b.mul(row, args["a_row"])
        with cgutils.for_range_slice(b, _i64(0), args["depth"], _i64(1)) as (k, _):
            at = b.add(base, b.mul(k, args["a_step"]))
            fields = [self.memory.load_scalar(n, args[n], at) for n in plan.scalars]
            position = b.load(count)
            slot = self._slot(position)
            b.store(b.mul(k, args["b_row"]), slot(0))
            for i, value in enumerate(fields):
                b.store(b.sext(value, I64) if value.type != I64 else value, slot(i + 1))
            present = _i64(1)
            if plan.absent is not None:
                absent = ir.Constant(fields[0].type, plan.absent)
                present = b.zext(b.icmp_signed("!=", fields[0], absent), I64)
            b.store(b.add(position, present), count)
        return b.load(count)

    def _slot(self, position):
        """Return a function from field number to its place in the scratch."""
        b = self.builder
        width = 8 * (1 + len(self.plan.scalars))
        base = b.add(self.args["scratch"], b.mul(position, _i64(width)))
        return lambda i: b.inttoptr(b.add(base, _i64(8 * i)), I64.as_pointer())

    def _tile(self, row, column, count, size: int):
        b, plan = self.builder, self.plan
        offsets = [b.add(column, _i64(t * self.lanes.count)) for t in range(size)]
        for t in range(size):
            self._start(row, offsets[t], t)
        with cgutils.for_range_slice(b, _i64(0), count, _i64(1)) as (position, _):
            raw, scalars, places = self._operands(position, offsets)
            if plan.low is None:
                self._steps(plan.step, scalars, places)
            else:
                is_low = b.icmp_signed("<=", raw[0], _i64(plan.low_limit))
                with b.if_else(is_low) as (low, high):
                    with low:
                        self._steps(plan.low, scalars, places)
                    with high:
                        self._steps(plan.step, scalars, places)
        for t in range(size):
            self._finish(row, offsets[t], t)

    def _operands(self, position, offsets):
        """Return a step's scalar fields, raw and broadcast, and its places in b."""
        b, slot = self.builder, self._slot(position)
        b_row = b.load(slot(0))
        raw = [b.load(slot(i + 1)) for i in range(len(self.plan.scalars))]
        scalars = {}
        for name, value in zip(self.plan.scalars, raw):
            narrow = b.trunc(value, ir.IntType(8 * self.plan.dtypes[name].itemsize))
            scalars[name] = self.lanes.broadcast(b, self.memory.widen_scalar(narrow))
        return raw, scalars, [b.add(b_row, o) for o in offsets]

    def _start(self, row, offset, t: int):
        b, args, plan = self.builder, self.args, self.plan
        at = b.add(b.mul(row, args["init_row"]), offset)
        inputs = {n: self.memory.load(n, args[n], at) for n in plan.start.inputs}
        self._set_state(t, emit(b, plan.start, self.lanes, inputs))

    def _steps(self, circuit, scalars, places):
        for t, place in enumerate(places):
            vectors = {n: self.memory.load(n, self.args[n], place) for n in self.plan.vectors}
            state = self._state(t) if self.plan.combine is None else {}
            outputs = emit(self.builder, circuit, self.lanes, {**state, **vectors, **scalars})
            self._set_state(t, outputs)

    def _finish(self, row, offset, t: int):
        b, args, plan = self.builder, self.args, self.plan
        inputs = self._state(t)
        at = b.add(b.mul(row, args["extra_row"]), offset)
        for name in plan.extra:
            if name in plan.dtypes:
                inputs[name] = self.memory.load(name, args[name], at)
            else:
                inputs[name] = _broadcast(b, self.lanes, args[name])
        if "element" in plan.finish.inputs:
            place = b.add(b.mul(row, args["columns"]), offset)
            inputs["element"] = _ramp(b, self.lanes, place)
        at = b.add(b.mul(row, args["out_row"]), offset)
        for name, value in emit(b, plan.finish, self.lanes, inputs).items():
            self.memory.store(name, args[name], at, value)

    def _state(self, t: int) -> dict:
        return {n: self.builder.load(s) for n, s in zip(self.plan.state, self.states[t])}

    def _set_state(self, t: int, outputs: dict):
        if len(outputs) != len(self.plan.state):
            raise SpecError(f"the step returns {list(outputs)}, the state is {self.plan.state}")
        for slot, value in zip(self.states[t], outputs.values()):
            self.builder.store(value, slot)


class _TreeMatmul(_Matmul):
    """Sums in a tree: a stack of partial sums, merged like a binary counter."""

    def __init__(self, builder, plan, lanes, args):
        super().__init__(builder, plan, lanes, args)
        self.stacks = [cgutils.alloca_once(builder, lanes.type, size=_i64(64))
                       for _ in plan.state]

    def _columns(self, row, count):
        step = _i64(self.lanes.count)
        with cgutils.for_range_slice(self.builder, _i64(0), self.args["columns"], step) as (c, _):
            self._tile(row, c, count, 1)

    def _tile(self, row, column, count, size: int):
        b, plan = self.builder, self.plan
        depth = cgutils.alloca_once_value(b, _i64(1))
        b.store(_i64(1), depth)
        self._start(row, column, 0)
        self._push(_i64(0))
        with cgutils.for_range_slice(b, _i64(0), count, _i64(1)) as (position, _):
            _, scalars, places = self._operands(position, [column])
            self._steps(plan.step, scalars, places)
            self._push(b.load(depth))
            b.store(b.add(b.load(depth), _i64(1)), depth)
            leaves = b.add(position, _i64(2))
            merges = b.cttz(leaves, ir.Constant(ir.IntType(1), 1))
            self._merge(merges, depth)
        self._merge(b.sub(b.load(depth), _i64(1)), depth)
        self._set_state(0, self._top(_i64(0)))
        self._finish(row, column, 0)

    def _merge(self, times, depth):
        b = self.builder
        with cgutils.for_range_slice(b, _i64(0), times, _i64(1)):
            newer = b.sub(b.load(depth), _i64(1))
            older = b.sub(newer, _i64(1))
            inputs = self._top(older)
            inputs.update({f"{n}_2": v for n, v in self._top(newer).items()})
            self._set_state(0, emit(b, self.plan.combine, self.lanes, inputs))
            self._push(older)
            b.store(newer, depth)

    def _push(self, place):
        for stack, value in zip(self.stacks, self._state(0).values()):
            self.builder.store(value, self.builder.gep(stack, [place]))

    def _top(self, place) -> dict:
        b = self.builder
        return {n: b.load(b.gep(s, [place])) for n, s in zip(self.plan.state, self.stacks)}


def _i64(value: int) -> ir.Constant:
    return ir.Constant(I64, value)
