"""Many circuits compiled at once, by the kernels' own emitter, for any kind of processor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ctypes import CFUNCTYPE, addressof, c_int32, c_int64, c_void_p

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from fxp.compile.machine.defined import check_defined
from fxp.compile.machine.target import Target
from fxp.compile.nests.loops import Arguments, emit_map
from fxp.compile.nests.narrow import emit_product
from fxp.compile.nests.products import sum_width
from fxp.compile.nodes.lanes import WIDTHS, lane_modes, plan_width
from fxp.compile.nodes.vector import Lanes
from fxp.format import word_dtype
from fxp.trace.circuit import Circuit
from fxp.trace.plans import MapPlan, MatmulPlan

__all__ = ["MatmulKernel", "PROCESSORS", "Module", "compiled", "levels", "map_plan", "widths"]

PROCESSORS = {"avx512vbmi": "icelake-client", "avx512": "skylake-avx512",
              "avx2": "haswell", "plain": "nehalem"}
NEEDED = {"avx512vbmi": ("avx512bw", "avx512vl", "avx512dq", "avx512vbmi", "avx512vnni"),
          "avx512": ("avx512bw", "avx512vl", "avx512dq"), "avx2": ("avx2",), "plain": ()}
I64, I8P = ir.IntType(64), ir.IntType(8).as_pointer()
FUNCTION = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_int64)


def levels() -> list[str]:
    """Return the kinds of processor whose code runs here, the ablest first."""
    features = llvm.get_host_cpu_features()
    return [level for level in PROCESSORS if all(features.get(n) for n in NEEDED[level])]


def map_plan(circuit: Circuit) -> MapPlan:
    """Return the circuit over arrays of the narrowest types."""
    ports = {**circuit.inputs, **circuit.outputs}
    return MapPlan(circuit, {name: _stored(n.low, n.high) for name, n in ports.items()})


def _stored(low: int, high: int) -> np.dtype:
    return np.dtype(np.int8) if -128 <= low and high <= 127 else word_dtype(low, high)


def widths(plan: MapPlan, level: str = "avx512") -> list[int]:
    """Return every lane width that a kernel may give the plan, the narrowest first."""
    least = plan_width(plan.circuits, plan.dtypes.values(), 8 if _target(level).bytes else 16)
    return [w for w in WIDTHS if w >= least and lane_modes(plan.circuit, w) is not None]


def _target(level: str) -> Target:
    bytes_too = level.endswith("vbmi")
    return Target(level.removesuffix("vbmi"), bytes_too, bytes_too)


class Module:
    """Plans as machine code of one kind of processor, each in lanes of its width.

    Instructions that are defined for all operands mean the same with and without
    LLVM's optimisation, which takes most of the time.
    """

    def __init__(self, plans: Iterable[tuple[MapPlan, int]], level: str, optimise: bool = False):
        self.plans = list(plans)
        module = ir.Module()
        module.triple = llvm.get_default_triple()
        lanes = {width: Lanes(width, _target(level)) for _, width in self.plans}
        for i, (plan, width) in enumerate(self.plans):
            _add(module, f"map{i}", plan, lanes[width])
        self.engine = compiled(str(module), PROCESSORS[level], optimise)

    def run(self, index: int, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of a plan for inputs of one size."""
        plan, _ = self.plans[index]
        arrays = {n: np.ascontiguousarray(inputs[n], plan.dtypes[n]) for n in plan.circuit.inputs}
        size = next(iter(arrays.values())).size
        arrays.update((n, np.empty(size, plan.dtypes[n])) for n in plan.circuit.outputs)
        values = {"first": 0, "count": size, **{n: a.ctypes.data for n, a in arrays.items()}}
        names = plan.arguments()
        call = FUNCTION(self.engine.get_function_address(f"map{index}"))
        given = (c_int64 * len(names))(*(values[n] for n in names))  # lives until call is done
        call(None, None, addressof(given))
        return {n: arrays[n] for n in plan.circuit.outputs}


class MatmulKernel:
    """A matrix product as machine code of one kind of processor; see `fxp.compile.cache.Kernel`."""

    def __init__(self, plan: MatmulPlan, level: str, optimise: bool = False):
        self.names = plan.arguments()
        module = ir.Module()
        module.triple = llvm.get_default_triple()
        target = _target(level)
        _add(module, "product", plan, Lanes(sum_width(plan, target), target), emit_product)
        self.engine = compiled(str(module), PROCESSORS[level], optimise)

        self.entry = self.engine.get_function_address("product")

    def run(self, address: int) -> None:
        FUNCTION(self.entry)(None, None, address)


def _add(module: ir.Module, name: str, plan, lanes: Lanes, emit=emit_map) -> None:
    names = plan.arguments()
    kind = ir.FunctionType(ir.IntType(32), [I8P, I8P, I64])  # void(int64) as Numba has it
    function = ir.Function(module, kind, name)
    builder = ir.IRBuilder(function.append_basic_block())
    arguments = Arguments(builder, names, function.args[2])
    emit(builder, plan, lanes, arguments)
    check_defined(function)
    builder.ret(ir.Constant(kind.return_type, 0))


def compiled(text: str, processor: str, optimise: bool):
    """Return the engine that runs the functions of a module for a kind of processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(text)
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=processor, opt=2 * optimise)
    if optimise:
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine
