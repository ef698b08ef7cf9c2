"""Generated code that could mean anything is refused while it is made."""

import numpy as np
import pytest
from llvmlite import ir

import fxp.compile.nodes.vector
from fxp.compile.machine.defined import check_defined
from fxp.compile.machine.target import Target
from fxp.compile.nodes.lanes import lane_modes, provable
from fxp.compile.nodes.vector import Lanes, emit
from fxp.run.backend import elementwise
from fxp.trace.bits import Table, lookup, maximum
from fxp.trace.circuit import trace
from fxp.trace.graph import SpecError
from fxp.trace.plans import MapPlan

VECTOR = ir.VectorType(ir.IntType(16), 32)
WORD = (-(1 << 15), (1 << 15) - 1)


def function(emitted):
    """Return a function of two vectors in which emitted(builder, x, y) was written."""
    made = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), [VECTOR, VECTOR]), "f")
    builder = ir.IRBuilder(made.append_basic_block())
    emitted(builder, *made.args)
    builder.ret_void()
    return made


def constant(*numbers):
    return ir.Constant(VECTOR, (list(numbers) * 32)[:32])


@pytest.mark.parametrize(("emitted", "fault"), [
    (lambda b, x, y: b.shl(x, constant(16)), "shift count outside 0..15"),
    (lambda b, x, y: b.ashr(x, constant(3, 16)), "shift count outside 0..15"),
    (lambda b, x, y: b.lshr(x, y), "shift count outside 0..15"),
    (lambda b, x, y: b.add(x, y, flags=["nsw"]), "flags nsw deny an overflow"),
    (lambda b, x, y: b.shl(x, constant(1), flags=["nuw"]), "flags nuw deny an overflow"),
    (lambda b, x, y: b.sdiv(x, y), "without a rule"),
    (lambda b, x, y: b.urem(x, constant(3)), "without a rule"),
    (lambda b, x, y: b.extract_element(x, ir.Constant(ir.IntType(32), 32)), "lane outside"),
    (lambda b, x, y: b.srem(*[b.extract_element(x, ir.Constant(ir.IntType(32), 0))] * 2),
     "division by what may be zero"),
    (lambda b, x, y: b.call(ir.Function(b.module, ir.FunctionType(
        VECTOR, [VECTOR, ir.IntType(1)]), "llvm.abs.v32i16"), [x, ir.IntType(1)(1)]),
     "call without a rule"),
])
def test_what_llvm_leaves_undefined_is_refused(emitted, fault):
    with pytest.raises(SpecError, match=fault):
        check_defined(function(emitted))


def test_what_is_defined_for_all_operands_passes():
    check_defined(function(lambda b, x, y: b.ashr(b.add(x, b.shl(y, constant(0, 15))),
                                                  constant(15))))


SIZE = trace(lambda x: (maximum(x, 0 - x) ^ 1) & 0xFFFF, {"x": WORD})


def test_a_saturated_operand_proves_nothing_about_unsigned_lanes():
    x, _, negated, size = SIZE.nodes[:4]
    modes = {n.index: "signed" for n in (x, SIZE.nodes[1])} | {negated.index: "saturated"}
    assert (size.op, size.low, size.high) == ("max", 0, 1 << 15)
    assert provable(size, modes, 16) == {"saturated"}
    assert lane_modes(SIZE, 16) is None
    assert lane_modes(SIZE, 32) is not None


@pytest.mark.parametrize(("op", "mode"), [("max", "unsigned"), ("sub", "unsigned"),
                                          ("xor", "signed")])
def test_code_is_refused_for_a_node_that_is_not_held_as_said(op, mode, monkeypatch):
    def claimed(circuit, width):
        kinds = {"sub": "saturated", "max": "saturated", op: mode}
        return {n.index: kinds.get(n.op, "signed") for n in circuit.nodes}

    monkeypatch.setattr(fxp.compile.nodes.vector, "lane_modes", claimed)
    with pytest.raises(SpecError, match=f"cannot be {mode} in 16 bits"):
        function(lambda b, x, y: emit(b, SIZE, Lanes(16, Target("avx512")), {"x": x}))


def test_a_read_beyond_the_table_is_refused():
    circuit = trace(lambda x: lookup(Table("t", range(300)), x), {"x": (0, 299)})
    circuit.inputs["x"].high = 300
    with pytest.raises(SpecError, match="can leave Table"):
        function(lambda b, x, y: emit(b, circuit, Lanes(16, Target("avx512")), {"x": x}))


def test_lanes_that_hold_no_circuit_are_refused():
    circuit = trace(lambda x: x * x, {"x": WORD}, name="square")
    with pytest.raises(SpecError, match="lanes of 16 bits do not hold square"):
        function(lambda b, x, y: emit(b, circuit, Lanes(16, Target("avx512")), {"x": x}))


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint32])
def test_storage_that_does_not_hold_a_port_is_refused(dtype):
    circuit = trace(lambda x: x & 255, {"x": (0, 40_000)})
    with pytest.raises(SpecError, match=r"x is 0\.\.40000, which u?int\d\d does not hold"):
        MapPlan(circuit, {"x": np.dtype(dtype), "out": np.dtype(np.int16)})
    with pytest.raises(SpecError, match=r"out is 0\.\.255, which int8 does not hold"):
        elementwise(circuit, {"x": np.arange(3)}, np.int8)


def test_an_output_named_as_an_input_is_refused_where_it_would_be_written_over():
    circuit = trace(lambda out: out + 1, {"out": (0, 9)})
    with pytest.raises(SpecError, match="an input and an output named out"):
        elementwise(circuit, {"out": np.arange(9)})
