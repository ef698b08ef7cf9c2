"""Reading a constant table in every lane at once.

Small tables lie in registers, see `fxp.compile.nodes.banks`. Larger ones are gathered from
memory; a processor that cannot do either reads lane by lane. All paths give the same
words.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from fxp.compile.nodes.banks import Banks, intrinsic
from fxp.compile.nodes.clamped import (
    FoldedRead,
    ShortRead,
    StridedRead,
    clamped,
    folded,
    short,
    strided,
)
from fxp.compile.nodes.constants import table_bytes
from fxp.trace.bits import Table
from fxp.trace.graph import Node

__all__ = ["SaturatedRead", "TableReader"]

I8, I16, I32, I64 = (ir.IntType(n) for n in (8, 16, 32, 64))
READ_AT_ONCE = 128  # bytes that one instruction picks from
EIGHT = 8  # words of 16 bits in the registers that single words are put into


@dataclass
class SaturatedRead:
    """A read at min(value + c, limit) >> shift, whose clamp the lane's own saturation
    does: `sides` are the table, and its half for the selector, moved to where the saturated
    addresses fall, modulo their length; None where none falls."""

    value: Node
    offset: int
    shift: int
    selector: Node | None
    half: int
    sides: list[list[int | None]]

    @property
    def operands(self) -> list[Node]:
        return [self.value] + ([self.selector] if self.selector is not None else [])

    @property
    def entries(self) -> list[int | None]:
        """The table at address ^ selector: a selector of ones reads it from its end. Addresses
        are the last ones of either half, so that both halves find room."""
        first, second = self.sides[0], self.sides[-1][::-1]
        return [w if v is None else v for v, w in zip(first, second)]


class TableReader:
    """Emits table reads for one vector shape."""

    def __init__(self, builder, lanes, live=None):
        self.builder = builder
        self.lanes = lanes
        self.live = live  # how many lanes count, if not all
        self.level = lanes.target.level
        self.banks = Banks(builder, lanes)

    def plan(self, node: Node) -> SaturatedRead | None:
        """Return the saturated form of a lookup node, or None if it has no such form."""
        match = clamped(node.args[0])
        if match is None or self.lanes.width > 16 or not self.banks.fit(node.table.values):
            return None  # wider lanes have no instruction that saturates
        value, limit, shift, selector, half = match
        limit -= self._alike(node, limit >> shift, half) << shift
        plus = 0
        if value.op == "add" and value.args[1].is_const and value.args[1].low >= 0:
            value, plus = value.args[0], value.args[1].low
        top = (1 << (self.lanes.width - 1)) - 1
        offset = top - limit
        if value.low < 0 or value.high > top or offset % (1 << shift) or plus + offset > top:
            return None
        size = 2 * (half or 1 << (limit >> shift).bit_length())
        sides: list[list[int | None]] = [[None] * size for _ in range(1 + bool(half))]
        for i in range((limit >> shift) + 1):
            address = (i + (offset >> shift)) % size
            for side, entry in zip(sides, (i, i | half)):
                side[address] = node.table.values[entry]
        read = SaturatedRead(value, plus + offset, shift, selector, half, sides)
        return read if self.banks.fit(read.entries) else None

    @staticmethod
    def _alike(node: Node, last: int, half: int) -> int:
        """Return how many entries before the last one of a table, or of its halves, are as it
        is: as many can be left out."""
        values = node.table.values
        return next((n for n in range(last) if any(
            values[last - n - 1 | side] != values[last | side] for side in {0, half})), last)

    def short(self, node: Node) -> ShortRead | None:
        """Return a lookup node that one read of bytes answers, without a shift, or None."""
        if self.lanes.width != 8 or not self.banks.fit(node.table.values):
            return None
        return short(node, READ_AT_ONCE)

    def strided(self, node: Node) -> StridedRead | None:
        """Return a lookup node that reads few entries of a large table, or None."""
        return None if self.banks.fit(node.table.values) else strided(node)

    def folded(self, node: Node) -> FoldedRead | None:
        """Return a lookup node that a small table answers in lanes of 16 bits, or None."""
        if self.lanes.width != 16 or self.banks.fit(node.table.values):
            return None
        read = folded(node)
        return read if read and self.banks.fit(read.entries) else None

    def in_memory(self, node: Node) -> bool:
        """Whether a lookup node reads memory, which costs more than a branch."""
        if self.folded(node):
            return False
        read = self.strided(node)
        return not self.banks.fit((read.table if read else node.table).values)

    def read(self, table, index):
        """Return table[index] in every lane."""
        if self.banks.fit(table.values):
            return self.banks.read(list(table.values), index, len(table))
        wide = not _fit(table, 32)
        index = self._inside(table, index)
        if self.level == "plain" or wide:  # a gather reads 32 bits
            return self._one_by_one(table, index)
        if self.lanes.width == 16 and not self.lanes.target.gathers and _fit(table, 16):
            return self._inserted(table, index)
        return self._gather(table, index)

    def _inserted(self, table, index):
        """Read lane by lane, for less than gathers of 32 bits cost: lanes that do not
        count are left out eight at a time."""
        b, count = self.builder, self.lanes.count
        data = b.ptrtoint(self._global(table, I16), I64)
        parts = []
        for first in range(0, count, EIGHT):
            if self.live is None or not first:
                parts.append(self._eight(data, index, first))
                continue
            before = b.block
            with b.if_then(b.icmp_signed(">", self.live, ir.Constant(I64, first))):
                found = self._eight(data, index, first)
                after = b.block
            part = b.phi(found.type)
            part.add_incoming(ir.Constant(found.type, [0] * EIGHT), before)
            part.add_incoming(found, after)
            parts.append(part)
        return _join(b, parts)

    def _eight(self, data, index, first: int):
        """Return the words of eight lanes: four indices at a time leave the vector, and
        words come in from memory."""
        b = self.builder
        fours = b.bitcast(index, ir.VectorType(I64, self.lanes.count // 4))
        result = ir.Constant(ir.VectorType(I16, EIGHT), ir.Undefined)
        for lane in range(EIGHT):
            four = b.extract_element(fours, ir.Constant(I32, (first + lane) // 4))
            shifted = b.lshr(four, ir.Constant(I64, 16 * (lane % 4)))
            number = b.and_(shifted, ir.Constant(I64, 0xFFFF))
            word = b.load(self._at(b, data, number), align=2)
            result = b.insert_element(result, word, ir.Constant(I32, lane))
        return result

    @staticmethod
    def _at(builder, base, number):
        byte = builder.add(base, builder.mul(number, ir.Constant(I64, 2)))
        return builder.inttoptr(byte, I16.as_pointer())

    def _inside(self, table, index):
        """Return the index, kept inside the table: it is, in lanes that are in use, but the
        lanes that only fill up a vector may hold anything."""
        lanes = self.lanes
        last = min(len(table), 1 << lanes.width) - 1
        return intrinsic(self.builder, f"llvm.umin.v{lanes.count}i{lanes.width}", lanes.type, index,
                               lanes.splat(last))

    def _gather(self, table, index):
        """Gather 32-bit words; a table of short words is read unaligned, half the size."""
        b, lanes = self.builder, self.lanes
        short = _fit(table, 16)
        data = self._global(table, I16 if short else I32)
        chunk = lanes.target.register_bits // 32
        wide = b.zext(index, ir.VectorType(I32, lanes.count)) if lanes.width < 32 else (
            b.trunc(index, ir.VectorType(I32, lanes.count)) if lanes.width > 32 else index)
        parts = [self._gather_chunk(data, part, 2 if short else 4)
                 for part in _split(b, wide, min(chunk, lanes.count))]
        found = _join(b, parts)
        if short:
            up = ir.Constant(found.type, [16] * found.type.count)
            found = b.ashr(b.shl(found, up), up)
        if lanes.width == 32:
            return found
        return b.trunc(found, lanes.type) if lanes.width < 32 else b.sext(found, lanes.type)

    def _gather_chunk(self, data, index, scale: int):
        b, count = self.builder, index.type.count
        if count in (8, 4):
            name = f"llvm.x86.avx2.gather.d.d{'.256' if count == 8 else ''}"
            mask, scale_type = ir.Constant(index.type, [-1] * count), I8
        else:
            name = "llvm.x86.avx512.mask.gather.dpi.512"
            mask = ir.Constant(ir.VectorType(ir.IntType(1), 16), [1] * 16)
            scale_type = I32
        arguments = [ir.Constant(index.type, [0] * count), data, index, mask,
                     ir.Constant(scale_type, scale)]
        kind = ir.FunctionType(index.type, [a.type for a in arguments])
        function = b.module.globals.get(name) or ir.Function(b.module, kind, name)
        return b.call(function, arguments)

    def _one_by_one(self, table, index):
        b, lanes = self.builder, self.lanes
        data = self._global(table, I64)
        result = ir.Constant(lanes.type, ir.Undefined)
        for lane in range(lanes.count):
            place = ir.Constant(I32, lane)
            at = b.zext(b.extract_element(index, place), I64) if lanes.width < 64 else (
                b.extract_element(index, place))
            address = b.add(b.ptrtoint(data, I64), b.mul(at, ir.Constant(I64, 8)))
            value = b.load(b.inttoptr(address, I64.as_pointer()))
            value = value if lanes.width == 64 else b.trunc(value, lanes.type.element)
            result = b.insert_element(result, value, place)
        return result

    def _global(self, table, element):
        """Return a pointer to the table in memory, one spare entry at its end."""
        return table_bytes(self.builder.module, table.array, element.width)


def _fit(table: Table, bits: int) -> bool:
    """Whether signed words of so many bits hold every entry."""
    return bool((table.array >> (bits - 1) == table.array >> 63).all())


def _split(builder, vector, size: int):
    order = ir.VectorType(I32, size)
    undefined = ir.Constant(vector.type, ir.Undefined)
    return [builder.shuffle_vector(vector, undefined, ir.Constant(order, list(range(i, i + size))))
            for i in range(0, vector.type.count, size)]


def _join(builder, parts):
    while len(parts) > 1:
        size = 2 * parts[0].type.count
        order = ir.Constant(ir.VectorType(I32, size), list(range(size)))
        parts = [builder.shuffle_vector(a, b, order) for a, b in zip(parts[::2], parts[1::2])]
    return parts[0]
