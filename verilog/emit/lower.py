"""From the nodes of a Circuit to expressions, wires and pipeline registers.

A node of range [low, high] is a bit pattern of just that width: two's complement
if low < 0, else plain binary. Arithmetic modulo 2**width of numbers that fit is
exact, so an operand is extended or cut to the width that is asked for, and only
comparisons and products care for signs.
"""

from __future__ import annotations

from collections import Counter

from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node
from verilog.emit import syntax as v
from verilog.emit.body import Body
from verilog.emit.names import cones, node_name, operand_name

__all__ = ["Lowering", "width_of"]

INLINE = ("add", "sub", "shl", "and", "or", "xor", "eq", "lt", "where")
MOST_INLINED = 3  # operations in one expression beside its own


def width_of(low: int, high: int) -> int:
    """Return the bits that hold low..high: two's complement if low is negative."""
    if low >= 0:
        return max(1, high.bit_length())
    return max((-low - 1).bit_length(), high.bit_length() if high > 0 else 0) + 1


class Lowering:
    """One circuit inside a body.

    sources names the vector of every input port. stages gives the pipeline stage
    of every node by its index (all 0 without); `registers` collects, for each
    stage, the registers that hold the values of the stage before. memories, if
    given, starts the names of the hex files that tables of more than `above` words are
    read from (`files`).
    """

    def __init__(self, circuit: Circuit, body: Body, sources: dict[str, str],
                 stages: dict[int, int] | None = None, memories: str = "", above: int = 0):
        self.body = body
        self.memories = memories
        self._above = above
        self.files: dict[str, str] = {}
        self.registers: dict[int, list[tuple[str, str]]] = {}
        self._circuit = circuit
        self._stages = stages or {}
        self._uses = _use_counts(circuit)
        self._cones = cones(circuit)
        self._wires: dict[int, str] = {
            node.index: sources[port] for port, node in circuit.inputs.items()}
        self._delayed: dict[tuple[int, int], str] = {}
        self._functions: dict[tuple, str] = {}
        self._comparators: dict[tuple[int, int, int], str] = {}
        self._below = {(n.args[0].index, n.args[1].index) for n in circuit.nodes if n.op == "lt"}
        self._sizes: dict[int, int] = {}

    def output(self, node: Node, width: int, stage: int = 0):
        """Return the expression of an output, as its port sees it after `stage` registers."""
        for each in self._circuit.nodes:
            if not (each.is_const or each.index in self._wires or self._inlined(each)):
                self._make_wire(each)
        return self._value(node, width, stage)

    def _stage(self, node: Node) -> int:
        return self._stages.get(node.index, 0)

    def _inlined(self, node: Node) -> bool:
        """Whether a node is written where it is used, and has no wire."""
        if node.index not in self._sizes:
            self._sizes[node.index] = self._inline_size(node)
        return self._sizes[node.index] > 0

    def _inline_size(self, node: Node) -> int:
        if node.name or node.op not in INLINE or len(self._uses[node.index]) != 1:
            return 0
        user = self._uses[node.index][0]
        if user is None or user.op in ("shr", "lookup", "min", "max", "mul", "known"):
            return 0
        if self._stage(user) != self._stage(node) or (user.op == "and" and _mask_bits(user)):
            return 0
        size = 1 + sum(self._sizes.get(a.index, 0) for a in node.args if not a.is_const)
        return size if size <= MOST_INLINED else 0

    def _make_wire(self, node: Node):
        wish = node_name(node, self._cones, self._wires, self.body.widths)
        width = width_of(node.low, node.high)
        self._wires[node.index] = self.body.wire(wish, width, self._operation(node, width))

    def _at(self, node: Node, stage: int) -> str:
        """Return the vector that holds a node at a stage, after as many registers."""
        own = self._stage(node)
        if stage <= own:
            return self._wires[node.index]
        key = node.index, stage
        if key not in self._delayed:
            source = self._at(node, stage - 1)
            base = self._wires[node.index]
            base = base[2:] if base.startswith("i_") else base
            register = self.body.reg(f"{base}_s{stage}", self.body.widths[source])
            self.registers.setdefault(stage, []).append((register, source))
            self._delayed[key] = register
        return self._delayed[key]

    def _value(self, node: Node, width: int, stage: int):
        """Return a node's value modulo 2**width."""
        if node.is_const:
            return v.constant(node.low, width)
        if self._inlined(node):
            return self._operation(node, width)
        return self.body.resized(self._at(node, stage), width, node.low < 0)

    def _operation(self, node: Node, width: int):
        """Return the operation of a node, modulo 2**width."""
        stage = self._stage(node)
        a, b = node.args[0], node.args[-1]
        if node.op in ("eq", "lt"):
            return self._fitted(self._comparison(node.op, a, b, stage), width)
        if node.op in ("min", "max"):
            return self._extreme(node, a, b, width, stage)
        if node.op == "where":
            return v.choose(self._truth(a, stage), self._value(node.args[1], width, stage),
                            self._value(b, width, stage))
        if node.op == "shl":
            return self._shifted_left(a, b.low, width, stage)
        if node.op == "shr":
            return self._shifted_right(a, b.low, width, stage)
        if node.op == "lookup":
            return self._lookup(node, a, stage)
        if node.op == "known":
            return self._value(a, width, stage)
        return self._arithmetic(node, a, b, width, stage)

    def _arithmetic(self, node: Node, a: Node, b: Node, width: int, stage: int):
        if node.op == "and" and (bits := _mask_bits(node)) and not a.is_const:
            vector = self._at(a, stage)
            if bits <= min(width, self.body.widths[vector]):
                kept = self.body.read(vector, bits - 1)
                return v.concat(v.constant(0, width - bits), kept) if width > bits else kept
        if node.op == "xor" and node.is_bool and b.is_const:
            return self._fitted(v.unary("~", self._value(a, 1, stage)), width)
        if node.op == "sub" and b.is_const and -(1 << (width - 1)) <= b.low < 0:
            return v.binary("+", self._value(a, width, stage), v.constant(-b.low, width))
        if node.op == "add" and b.is_const and -(1 << (width - 1)) <= b.low < 0:
            return v.binary("-", self._value(a, width, stage), v.constant(-b.low, width))
        if node.op == "sub" and a.is_const and a.low == 0:
            return v.unary("-", self._value(b, width, stage))
        left, right = self._value(a, width, stage), self._value(b, width, stage)
        if node.op in ("add", "sub") and b.is_const and not b.low & ((1 << width) - 1):
            return left
        if node.op == "mul" and min(a.low, b.low) < 0:
            left, right = v.signed(left), v.signed(right)
        symbol = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
        return v.binary(symbol[node.op], left, right)

    def _extreme(self, node: Node, a: Node, b: Node, width: int, stage: int):
        """Return the smaller or larger; both of one pair share their comparator."""
        if b.is_const:
            return self._bounded(node, a, b, width, stage)
        if (b.index, a.index) in self._below:
            a, b = b, a
        smaller, larger = self._value(a, width, stage), self._value(b, width, stage)
        if node.op == "max":
            smaller, larger = larger, smaller
        return v.choose(self._comparison("lt", a, b, stage), smaller, larger)

    def _bounded(self, node: Node, a: Node, limit: Node, width: int, stage: int):
        """Return a, but no more or no less than a constant. At the limit itself either
        side will do, so `below 0`, a sign, stands for `below -1`."""
        threshold = limit.low + (limit.low == -1)
        below = self._below_constant(a, threshold, stage)
        inside, outside = self._value(a, width, stage), v.constant(limit.low, width)
        return v.choose(below, *((inside, outside) if node.op == "min" else (outside, inside)))

    def _below_constant(self, a: Node, threshold: int, stage: int):
        vector = self._at(a, stage)
        if threshold == 0:
            top = self.body.widths[vector] - 1
            return self.body.read(vector, top, top)
        low = min(a.low, threshold)
        width = width_of(low, max(a.high, threshold))
        left, right = self._value(a, width, stage), v.constant(threshold, width)
        return v.binary("<", *((v.signed(left), v.signed(right)) if low < 0 else (left, right)))

    def _comparison(self, op: str, a: Node, b: Node, stage: int):
        if op == "lt" and b.is_const and b.low == 0 and not a.is_const and not self._inlined(a):
            return self._below_constant(a, 0, stage)
        low = min(a.low, b.low)
        width = width_of(low, max(a.high, b.high))
        left, right = self._value(a, width, stage), self._value(b, width, stage)
        if op == "eq":
            return v.binary("==", left, right)
        if low < 0:
            left, right = v.signed(left), v.signed(right)
        if a.is_const or b.is_const or self._inlined(a) or self._inlined(b):
            return v.binary("<", left, right)
        key = a.index, b.index, stage
        if key not in self._comparators:
            wish = f"{operand_name(a, self._wires)}_below_{operand_name(b, self._wires)}"
            self._comparators[key] = self.body.wire(wish, 1, v.binary("<", left, right))
        return self.body.read(self._comparators[key])

    def _truth(self, condition: Node, stage: int):
        width = width_of(condition.low, condition.high)
        value = self._value(condition, width, stage)
        return value if width == 1 else v.binary("!=", value, v.constant(0, width))

    @staticmethod
    def _fitted(truth, width: int):
        """Return a truth as 0 or 1 of a width."""
        return truth if width == 1 else v.concat(v.constant(0, width - 1), truth)

    def _shifted_left(self, a: Node, count: int, width: int, stage: int):
        if width <= count:
            return v.constant(0, width)
        return v.concat(self._value(a, width - count, stage), v.constant(0, count))

    def _shifted_right(self, a: Node, count: int, width: int, stage: int):
        vector = self._at(a, stage)
        own = self.body.widths[vector]
        low = min(count, own - 1)
        if count >= own and a.low >= 0:
            return v.constant(0, width)
        high = min(own - 1, low + width - 1)
        kept, missing = self.body.read(vector, high, low), width - (high - low + 1)
        if not missing:
            return kept
        if a.low >= 0:
            return v.concat(v.constant(0, missing), kept)
        sign = self.body.read(vector, own - 1, own - 1)
        if high == low:
            return v.repeat(sign, width)
        return v.concat(v.repeat(sign, missing), kept)

    def _lookup(self, node: Node, index: Node, stage: int):
        """Return table[index] as a call of a case function, or from a memory."""
        index_width = width_of(index.low, index.high)
        words = node.table.values[: index.high + 1]
        width = width_of(node.low, node.high)
        key = (words, width, index_width)
        if key not in self._functions:
            self._functions[key] = self._table(node, words, width, index_width)
        table, value = self._functions[key], self._value(index, index_width, stage)
        return v.element(table, value) if self._in_memory(words) else v.call(table, value)

    def _in_memory(self, words) -> bool:
        """Whether a table is read from a file."""
        return bool(self.memories) and len(words) > self._above

    def _table(self, node: Node, words, width: int, index_width: int) -> str:
        identifier = self.body.fresh(f"rom_{node.table.name}")
        if not self._in_memory(words):
            self.body.add(v.case_function(identifier, width, index_width, words))
            return identifier
        file = f"{self.memories}_{identifier}.hex"
        digits = (width + 3) // 4
        mask = (1 << width) - 1
        self.files[file] = "".join(f"{w & mask:0{digits}x}\n" for w in words)
        self.body.add(*v.memory(identifier, width, len(words), file))
        return identifier


def _mask_bits(node: Node) -> int:
    """Return n if a node is the low n bits of its first argument, else 0."""
    mask = node.args[-1]
    if mask.is_const and mask.low > 0 and mask.low & (mask.low + 1) == 0:
        return mask.low.bit_length()
    return 0


def _use_counts(circuit: Circuit) -> dict[int, list]:
    """Return who uses each node; None is an output port."""
    uses: dict[int, list] = {n.index: [] for n in circuit.nodes}
    for node in circuit.nodes:
        for arg, count in Counter(a.index for a in node.args).items():
            uses[arg] += [node] * count
    for node in circuit.outputs.values():
        uses[node.index].append(None)
    return uses
