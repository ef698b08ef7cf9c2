"""A circuit as LLVM code of single words: one instruction or so for each node, in 64 bits."""

from __future__ import annotations

from collections.abc import Mapping

from llvmlite import ir
from numba import types

from fxp.compile.machine.defined import check_defined
from fxp.compile.nodes.constants import table_bytes
from fxp.format import word_dtype
from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node, SpecError

__all__ = ["scalar_call"]

WORD = ir.IntType(64)


def scalar_call(circuit: Circuit):
    """Return what a Numba intrinsic does that computes the circuit: its types, words of 64 bits
    in and one or a tuple of them out, and what generates its code."""
    count = len(circuit.outputs)
    result = types.int64 if count == 1 else types.UniTuple(types.int64, count)

    def generate(context, builder, signature, values):
        returned = builder.call(_function(builder.module, circuit), values)
        if count == 1:
            return returned
        parts = [builder.extract_value(returned, i) for i in range(count)]
        return context.make_tuple(builder, signature.return_type, parts)

    return result(*(types.int64 for _ in circuit.inputs)), generate


def _function(module: ir.Module, circuit: Circuit) -> ir.Function:
    """Return the module's function that computes the circuit."""
    name = f"circuit_{circuit.digest}"
    if name not in module.globals:
        _define(module, circuit, name)
    return module.globals[name]


def _define(module: ir.Module, circuit: Circuit, name: str) -> None:
    count = len(circuit.outputs)
    result = WORD if count == 1 else ir.LiteralStructType([WORD] * count)
    function = ir.Function(module, ir.FunctionType(result, [WORD] * len(circuit.inputs)), name)
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block())
    values = _Emitter(builder, dict(zip(circuit.inputs, function.args))).outputs(circuit)
    returned = values[0] if count == 1 else ir.Constant(result, ir.Undefined)
    if count > 1:
        for place, value in enumerate(values):
            returned = builder.insert_value(returned, value, place)
    builder.ret(returned)
    check_defined(function)


class _Emitter:
    """Code of nodes, in order; truths stay a bit until they are read as a word."""

    def __init__(self, builder: ir.IRBuilder, inputs: Mapping[str, ir.Value]):
        self.builder = builder
        self.inputs = inputs
        self.values: dict[int, ir.Value] = {}

    def outputs(self, circuit: Circuit) -> list[ir.Value]:
        """Append the code of a circuit, and return the words of its outputs."""
        for node in circuit.nodes:
            if not node.is_const:
                self.values[node.index] = self._node(node)
        return [self._word(node) for node in circuit.outputs.values()]

    def _node(self, node: Node):
        b, op = self.builder, node.op
        if op == "input":
            return self.inputs[node.name]
        if op == "known":
            return self.values[node.args[0].index]
        if op == "where":
            return b.select(self._truth(node.args[0]), *(self._word(a) for a in node.args[1:]))
        if op in ("shl", "shr"):
            return self._shifted(op, *node.args)
        words = [self._word(a) for a in node.args]
        if op in ("eq", "lt"):
            return b.icmp_signed("==" if op == "eq" else "<", *words)
        if op in ("min", "max"):
            return b.select(b.icmp_signed("<" if op == "min" else ">", *words), *words)
        if op == "lookup":
            return self._entry(node, *words)
        operations = {"add": b.add, "sub": b.sub, "mul": b.mul, "and": b.and_, "or": b.or_,
                      "xor": b.xor}
        return operations[op](*words)

    def _word(self, node: Node):
        """Return the node as a word; a truth becomes 0 or 1."""
        if node.is_const:
            return WORD(node.low)
        value = self.values[node.index]
        return value if value.type == WORD else self.builder.zext(value, WORD)

    def _truth(self, node: Node):
        value = self._word(node) if node.is_const else self.values[node.index]
        if value.type != WORD:
            return value
        return self.builder.icmp_signed("!=", value, WORD(0))

    def _shifted(self, op: str, x: Node, count: Node):
        """A shift by the whole width, undefined in LLVM, leaves zeros or copies of the sign."""
        if op == "shr":
            return self.builder.ashr(self._word(x), WORD(min(count.low, 63)))
        return self.builder.shl(self._word(x), WORD(count.low)) if count.low < 64 else WORD(0)

    def _entry(self, node: Node, index):
        if not 0 <= node.args[0].low <= node.args[0].high < len(node.table):
            raise SpecError(f"the index {node.args[0]!r} can leave {node.table!r}")
        b, numbers = self.builder, node.table.array
        width = 8 * word_dtype(numbers.min(), numbers.max()).itemsize
        table = table_bytes(b.module, numbers, width)
        place = b.gep(table, [b.mul(index, WORD(width // 8))])
        entry = b.load(b.bitcast(place, ir.IntType(width).as_pointer()), align=width // 8)
        return entry if width == 64 else b.sext(entry, WORD)
