"""The vector loop of a map, in LLVM, and how kernels reach arrays.

Nothing here does arithmetic on words; that is all in the circuits. Arrays are
given by address and stride (in elements), one address for each field of a number.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy

from llvmlite import ir
from numba.core import cgutils

from fxp.compile.nodes.vector import Lanes, emit
from fxp.trace.plans import MapPlan

__all__ = ["Arguments", "Memory", "broadcast", "emit_map", "i64", "index_range", "ramp"]

I64 = ir.IntType(64)
I32 = ir.IntType(32)


class Arguments:
    """The integer arguments of a kernel, by name, read from memory."""

    def __init__(self, builder, names, address):
        first = builder.inttoptr(address, I64.as_pointer())
        places = {n: builder.gep(first, [ir.Constant(I64, i)]) for i, n in enumerate(names)}
        self.values = {n: builder.load(place, align=8) for n, place in places.items()}

    def __getitem__(self, name):
        return self.values[name]

    def but(self, **values) -> Arguments:
        """Return the arguments with others in the place of some."""
        other = copy(self)
        other.values = {**self.values, **values}
        return other


class Memory:
    """Loads and stores of vectors and scalars at element offsets from an address."""

    def __init__(self, builder, lanes: Lanes, dtypes):
        self.builder = builder
        self.lanes = lanes
        self.dtypes = dtypes

    def pointer(self, name, base, offset, kind):
        """Return where the element at an offset of an array lies."""
        size = self.dtypes[name].itemsize
        byte = self.builder.add(base, self.builder.mul(offset, ir.Constant(I64, size)))
        return self.builder.inttoptr(byte, kind.as_pointer())

    def _storage(self, name, vector=True):
        element = ir.IntType(8 * self.dtypes[name].itemsize)
        return ir.VectorType(element, self.lanes.count) if vector else element

    def load(self, name, base, offset, mask=None, fill: int = 0):
        kind = self._storage(name)
        pointer = self.pointer(name, base, offset, kind)
        if mask is None:
            return self._widen(self.builder.load(pointer, align=kind.element.width // 8))
        fills = ir.Constant(kind, [fill] * kind.count)
        return self._widen(self._masked("load", kind, pointer, mask, fills))

    def store(self, name, base, offset, value, mask=None):
        kind = self._storage(name)
        if kind.element.width < self.lanes.width:
            value = self.builder.trunc(value, kind)
        pointer = self.pointer(name, base, offset, kind)
        if mask is None:
            self.builder.store(value, pointer, align=kind.element.width // 8)
        else:
            self._masked("store", kind, pointer, mask, value)

    def load_scalar(self, name, base, offset):
        kind = self._storage(name, vector=False)
        value = self.builder.load(self.pointer(name, base, offset, kind))
        return self.widen_scalar(value)

    def widen_scalar(self, value):
        return self._widen(value, self.lanes.type.element)

    def _widen(self, value, to=None):
        """Return a stored value in a lane, which holds it even where it is the narrower one."""
        to = to or self.lanes.type
        if value.type == to:
            return value
        here, there = (getattr(kind, "element", kind).width for kind in (value.type, to))
        return (self.builder.sext if here < there else self.builder.trunc)(value, to)

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
    memory = Memory(builder, lanes, plan.dtypes)
    step = ir.Constant(I64, lanes.count)

    def body(offset, mask):
        inputs = {}
        for name, node in plan.circuit.inputs.items():
            if name in plan.dtypes:
                inputs[name] = memory.load(name, args[name], offset, mask, node.low)
            elif name == "element":
                inputs[name] = ramp(builder, lanes, builder.add(args["first"], offset))
            else:
                inputs[name] = broadcast(builder, lanes, args[name])
        for name, value in emit(builder, plan.circuit, lanes, inputs).items():
            memory.store(name, args[name], offset, value, mask)

    count = args["count"]
    whole = builder.sub(count, builder.srem(count, step))
    with cgutils.for_range_slice(builder, ir.Constant(I64, 0), whole, step) as (offset, _):
        body(offset, None)
    with builder.if_then(builder.icmp_signed("<", whole, count), likely=False):
        left = broadcast(builder, lanes, builder.sub(count, whole))
        mask = builder.icmp_signed("<", ramp(builder, lanes, None), left)
        body(whole, mask)


def broadcast(builder, lanes: Lanes, scalar):
    element = lanes.type.element
    if element.width < scalar.type.width:
        scalar = builder.trunc(scalar, element)
    return lanes.broadcast(builder, scalar)


def ramp(builder, lanes: Lanes, first):
    """Return first, first + 1, ... across the lanes."""
    steps = ir.Constant(lanes.type, list(range(lanes.count)))
    return steps if first is None else builder.add(broadcast(builder, lanes, first), steps)


def i64(value: int) -> ir.Constant:
    return ir.Constant(I64, value)


@contextmanager
def index_range(builder, start, stop, step: int | ir.Value = 1):
    """A loop over start, start + step, ... below stop; gives the index."""
    by = i64(step) if isinstance(step, int) else step
    with cgutils.for_range_slice(builder, start, stop, by) as (index, _):
        yield index
