"""A circuit as LLVM vector code: one instruction or so for each node, in every lane."""

from __future__ import annotations

from collections.abc import Iterable

from llvmlite import ir

from fxp.compile.machine.target import Target
from fxp.compile.nodes.clamped import FoldedRead, ShortRead, StridedRead
from fxp.compile.nodes.gather import SaturatedRead, TableReader
from fxp.compile.nodes.lanes import lane_modes, provable, reads_signed, reads_unsigned
from fxp.compile.nodes.lazy import Cone, cones
from fxp.compile.nodes.rounding import RoundedProduct, emit_rounded, rounded_half, rounded_product
from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node, SpecError

__all__ = ["Lanes", "emit"]


class Lanes:
    """A vector shape: `count` integers of `width` bits on a target."""

    def __init__(self, width: int, target: Target):
        self.width = width
        self.count = target.lanes(width)
        self.target = target
        self.type = ir.VectorType(ir.IntType(width), self.count)
        self.mask = ir.VectorType(ir.IntType(1), self.count)
        self._splats: dict[int, ir.Constant] = {}

    def splat(self, value: int) -> ir.Constant:
        """Return a constant vector with value (modulo 2**width) in every lane."""
        value &= (1 << self.width) - 1
        value -= (value >> (self.width - 1)) << self.width
        if value not in self._splats:  # its text is as long as the vector, and made once
            self._splats[value] = ir.Constant(self.type, [value] * self.count)
        return self._splats[value]

    def broadcast(self, builder, scalar):
        """Return a vector with the scalar in every lane."""
        one = builder.insert_element(ir.Constant(self.type, ir.Undefined), scalar,
                                     ir.Constant(ir.IntType(32), 0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), self.count), [0] * self.count)
        return builder.shuffle_vector(one, ir.Constant(self.type, ir.Undefined), order)


def emit(builder: ir.IRBuilder, circuit: Circuit, lanes: Lanes, inputs: dict, live=None) -> dict:
    """Append the circuit's code; inputs and the returned outputs map port to vector.

    live is how many lanes from the first on count, of 64 bits, where not all may.
    """
    return _Emitter(builder, circuit, lanes, live).run(inputs)


class _Emitter:
    def __init__(self, builder, circuit, lanes, live):
        self.builder = builder
        self.circuit = circuit
        self.lanes = lanes
        modes = lane_modes(circuit, lanes.width)
        if modes is None:
            raise SpecError(f"lanes of {lanes.width} bits do not hold {circuit.name}")
        self.modes = modes
        self.values: dict[int, ir.Value] = {}
        self.tables = TableReader(builder, lanes, live)
        self.cones: dict[int, Cone] = {}

    def run(self, inputs):
        for node in self.circuit.inputs.values():
            self.values[node.index] = inputs[node.name]
        needed = self._needed()
        self.cones = cones(self.circuit, needed, self._costly)
        later = {n.index for cone in self.cones.values() for n in cone.nodes}
        self._emit(n for n in self.circuit.nodes if n.index in needed and n.index not in later)
        return {name: self._vector(n) for name, n in self.circuit.outputs.items()}

    def _emit(self, nodes: Iterable[Node]):
        for node in nodes:
            if node.op != "input" and not node.is_const:
                self._check_mode(node)
                self.values[node.index] = self._node(node)

    def _needed(self) -> dict[int, list[Node]]:
        """Nodes to emit, and what each reads: a table read whose clamp the lane's saturation
        does, needs only what goes into the clamp, a rounded product its factors."""
        needed: dict[int, list[Node]] = {}
        stack = list(self.circuit.outputs.values())
        while stack:
            node = stack.pop()
            if node.index not in needed:
                whole = self._read(node) if node.op == "lookup" else self._rounded(node)
                needed[node.index] = list(whole.operands if whole else node.args)
                stack.extend(needed[node.index])
        return needed

    def _read(self, node: Node) -> SaturatedRead | FoldedRead | ShortRead | StridedRead | None:
        """Return the lookup in a form that needs less than its address, if it has one."""
        small = self.tables.short(node)
        if small and reads_unsigned(small.value, self.modes):
            return small
        read = self.tables.plan(node) or self.tables.folded(node) or self.tables.strided(node)
        if isinstance(read, (FoldedRead, StridedRead)):
            return read if reads_unsigned(read.value, self.modes) else None
        return read

    def _costly(self, node: Node) -> bool:
        return node.op == "lookup" and self.tables.in_memory(node)

    def _rounded(self, node: Node) -> RoundedProduct | None:
        """Return the node as a rounded product, if its product is not held."""
        fused = node.op == "shr" and self.modes.get(node.args[0].index) == "fused"
        return rounded_product(node, self.lanes.width) if fused else None

    def _check_mode(self, node: Node):
        """Raise SpecError if the code to come does not give the node as it is held."""
        mode, width = self.modes[node.index], self.lanes.width
        if mode not in provable(node, self.modes, width):
            held = ", ".join(self.modes.get(a.index, "count") for a in node.args)
            raise SpecError(f"{node!r} cannot be {mode} in {width} bits: its operands are {held}")

    def _node(self, node: Node):
        if node.op == "lookup":
            return self._lookup(node)
        if node.op == "known":
            return self._vector(node.args[0])
        if node.index in self.cones:
            return self._branch(node, self.cones[node.index])
        if node.op == "where":
            return self._where(*node.args)
        if node.is_bool:
            return self._truth(node)
        if node.op in ("min", "max"):
            return self._extreme(node)
        if self.modes[node.index] == "saturated":
            return self._saturating(node.op, *(self._vector(a) for a in node.args))
        if rounded := self._rounded(node):
            up = self.builder.shl(self._vector(rounded.y), self.lanes.splat(rounded.up))
            return emit_rounded(self.builder, self.tables.level, self._vector(rounded.x), up)
        if node.op == "shr" and (x := self._half_added(node)) is not None:
            return rounded_half(self.builder, self.tables.level, self._vector(x),
                                node.args[1].low)
        if node.op == "add" and (factor := self._factor(node)):
            return self.builder.mul(self._vector(node.args[0]), self.lanes.splat(factor))
        if node.op in ("shl", "shr"):
            shift = self._shift_left if node.op == "shl" else self._shift_right
            return shift(*node.args)
        operations = {"add": self.builder.add, "sub": self.builder.sub, "mul": self.builder.mul,
                      "and": self.builder.and_, "or": self.builder.or_, "xor": self.builder.xor}
        return operations[node.op](*(self._vector(a) for a in node.args))

    def _half_added(self, node: Node) -> Node | None:
        """Return x of (x + 2**(n-1)) >> n in lanes of 16 bits where one instruction does it."""
        total, count = node.args[0], node.args[1].low
        there = self.lanes.width == 16 and self.tables.level != "plain"
        if not there or total.op != "add" or not 1 < count < 15:
            return None
        x, half = total.args
        fits = reads_signed(x, self.modes) and reads_signed(total, self.modes)
        return x if fits and half.is_const and half.low == 1 << (count - 1) else None

    def _factor(self, node: Node) -> int | None:
        """Return 1 + 2**n of the sum x + (x << n) in lanes of 32 bits of AVX-512, where several
        such products after each other become one, and shifts have fewer ports."""
        x, moved = node.args
        if (self.tables.level, self.lanes.width) != ("avx512", 32) or moved.op != "shl":
            return None
        return 1 + (1 << moved.args[1].low) if moved.args[0] is x else None

    def _vector(self, node: Node):
        """Return the node as a vector of lanes; truths become 0 and 1."""
        if node.is_const:
            return self.lanes.splat(node.low)
        value = self.values[node.index]
        if value.type == self.lanes.mask:
            return self.builder.zext(value, self.lanes.type)
        return value

    def _mask(self, node: Node):
        """Return the node as a vector of truths."""
        if node.is_const:
            return ir.Constant(self.lanes.mask, [node.low & 1] * self.lanes.count)
        value = self.values[node.index]
        if value.type == self.lanes.mask:
            return value
        return self.builder.icmp_signed("!=", value, self.lanes.splat(0))

    def _truth(self, node: Node):
        b = self.builder
        if node.op in ("eq", "lt"):
            compare = b.icmp_unsigned if self._unsigned(node) else b.icmp_signed
            sign = "==" if node.op == "eq" else "<"
            return compare(sign, *(self._vector(a) for a in node.args))
        operation = {"and": b.and_, "or": b.or_, "xor": b.xor}[node.op]
        return operation(*(self._mask(a) for a in node.args))

    def _unsigned(self, node: Node) -> bool:
        """Whether the operands are ordered as numbers from 0, not as signed ones."""
        saturated = {"saturated"} if node.op in ("min", "max") else set()
        if all(reads_signed(a, self.modes) or self.modes[a.index] in saturated
               for a in node.args):
            return False
        if all(reads_unsigned(a, self.modes) for a in node.args):
            return True
        raise SpecError(f"the operands of {node!r} have no order in common")

    def _extreme(self, node: Node):
        kind = ("u" if self._unsigned(node) else "s") + node.op
        return self._call(kind, *(self._vector(a) for a in node.args))

    def _saturating(self, op: str, a, b):
        return self._call(f"s{op}.sat", a, b)

    def _call(self, name: str, a, b):
        module = self.builder.module
        full = f"llvm.{name}.v{self.lanes.count}i{self.lanes.width}"
        kind = ir.FunctionType(self.lanes.type, [self.lanes.type] * 2)
        function = module.globals.get(full) or ir.Function(module, kind, full)
        return self.builder.call(function, [a, b])

    def _shift_left(self, x: Node, count: Node):
        """A shift by the whole width, undefined in LLVM, leaves zeros."""
        if count.low >= self.lanes.width:
            return self.lanes.splat(0)
        return self.builder.shl(self._vector(x), self.lanes.splat(count.low))

    def _shift_right(self, x: Node, count: Node):
        """A shift by the whole width, undefined in LLVM, leaves copies of the sign."""
        if reads_unsigned(x, self.modes):
            if count.low >= self.lanes.width:
                return self.lanes.splat(0)
            return self.builder.lshr(self._vector(x), self.lanes.splat(count.low))
        return self.builder.ashr(self._vector(x),
                                 self.lanes.splat(min(count.low, self.lanes.width - 1)))

    def _where(self, condition: Node, then: Node, otherwise: Node):
        return self.builder.select(self._mask(condition), self._vector(then),
                                   self._vector(otherwise))

    def _branch(self, node: Node, cone: Cone):
        """A selection whose cone is left out where no lane takes its side."""
        b, lanes = self.builder, self.lanes
        condition, *sides = node.args
        mask = b.bitcast(self._mask(condition), ir.IntType(lanes.count))
        unused = ir.Constant(mask.type, 0 if cone.taken else -1)
        other = self._vector(sides[cone.taken])
        before = b.block
        with b.if_then(b.icmp_signed("!=", mask, unused)):
            self._emit(cone.nodes)
            found = self._vector(sides[not cone.taken])
            after = b.block
        side = b.phi(lanes.type)
        side.add_incoming(other, before)
        side.add_incoming(found, after)
        pair = (side, other) if cone.taken else (other, side)
        return b.select(self._mask(condition), *pair)

    def _lookup(self, node: Node):
        read = self._read(node)
        if isinstance(read, StridedRead):
            return self._strided(read)
        if isinstance(read, ShortRead):
            index = self._call("umin", self._vector(read.value), self.lanes.splat(read.last))
            if read.selector is not None:
                index = self.builder.xor(index, self._vector(read.selector))
            return self.tables.banks.read(read.entries, index)
        if isinstance(read, FoldedRead):
            u = self._saturating("add", self._vector(read.value), self.lanes.splat(read.offset))
            return self.tables.banks.read(read.entries, self.tables.banks.folded(u))
        if read is None:
            index = node.args[0]
            if self._turns_round(node):
                return self.tables.banks.read(_reached(node), self._vector(index.args[0]))
            if not (reads_unsigned(index, self.modes) and index.high < len(node.table)):
                raise SpecError(f"the index {index!r} can leave {node.table!r}")
            return self.tables.read(node.table, self._vector(index))
        gap = self._saturating("add", self._vector(read.value), self.lanes.splat(read.offset))
        address = self.builder.lshr(gap, self.lanes.splat(read.shift))
        bound = 1 << (self.lanes.width - 1 - read.shift)
        if read.selector is None:
            return self.tables.banks.read(read.entries, address, bound)
        if self.tables.level == "avx2":
            sides = [self.tables.banks.shuffled(side, address, bound) for side in read.sides]
            chosen = self.builder.icmp_signed("<", self._vector(read.selector),
                                              self.lanes.splat(0))
            return self.builder.select(chosen, *sides[::-1])
        turned = self.builder.xor(address, self._vector(read.selector))
        return self.tables.banks.read(read.entries, turned)

    def _turns_round(self, node: Node) -> bool:
        """Whether a lookup's index is cut to the size of a table that registers hold, as reads
        of registers do by themselves; wider lanes are read by halves, of which one has to be 0."""
        index, size = node.args[0], len(node.table)
        return (self.lanes.width <= 16 and index.op == "and" and index.args[1].is_const
                and index.args[1].low == size - 1 and not size & (size - 1)
                and self.tables.banks.fit(node.table.values)
                and self.modes[index.args[0].index] != "saturated")

    def _strided(self, read: StridedRead):
        b, splat = self.builder, self.lanes.splat
        number = b.lshr(self._vector(read.value), splat(read.shift))
        index = self._call("umin", number, splat(read.last))
        if read.selector is not None:
            index = b.or_(index, b.and_(self._vector(read.selector), splat(read.half)))
        return self.tables.read(read.table, index)


def _reached(node: Node) -> list[int | None]:
    """Return the table of a lookup whose index is cut to its size, None for entries that it
    does not come to: where it is a number turned over by signs, or not."""
    index, values = node.args[0].args[0], node.table.values
    while index.op == "xor" and (signs := [a for a in index.args if (a.low, a.high) == (-1, 0)]):
        (index,) = [a for a in index.args if a is not signs[0]]
    if not 0 <= index.low <= index.high < len(values):
        return list(values)
    reached = {*range(index.low, index.high + 1)}
    reached |= {len(values) - 1 - i for i in reached}
    return [v if i in reached else None for i, v in enumerate(values)]
