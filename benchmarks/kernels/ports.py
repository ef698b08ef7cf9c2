"""How many of the simplest vector instructions the processor takes in a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_int64

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils

from benchmarks.agreement.machine import compiled
from fxp.compile.machine.target import target

__all__ = ["additions_a_second", "least_seconds"]

CHAINS, DEEP, ROUNDS = 8, 8, 1_000_000
I64 = ir.IntType(64)


def additions_a_second() -> float:
    """Return the vector instructions a second of a loop of sums and xors in registers."""
    bits = target().register_bits
    engine = compiled(str(_module(bits)), llvm.get_host_cpu_name(), True)
    call = CFUNCTYPE(None, POINTER(c_int64))(engine.get_function_address("loop"))
    place = (c_int64 * (4 * CHAINS * bits // 64))(*range(4 * CHAINS * bits // 64))
    call(place)
    return CHAINS * DEEP * ROUNDS / least_seconds(lambda: call(place), 5)


def least_seconds(call: Callable[[], object], rounds: int) -> float:
    """Return the least processor time of a call on one thread, made some ten times a round."""
    times = []
    for _ in range(10 * rounds):
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return min(times)


def _module(bits: int) -> ir.Module:
    """Return a function that takes CHAINS vectors through DEEP additions and xors, in turn,
    ROUNDS times; none can be left out, as all operands come from memory."""
    module = ir.Module()
    module.triple = llvm.get_default_triple()
    kind = ir.VectorType(ir.IntType(16), bits // 16)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [kind.as_pointer()]), "loop")
    b = ir.IRBuilder(function.append_basic_block())
    places = [b.gep(function.args[0], [ir.Constant(I64, i)]) for i in range(CHAINS + 2)]
    *values, p, q = (b.load(place, align=8) for place in places)
    slots = [cgutils.alloca_once_value(b, value) for value in values]
    with cgutils.for_range_slice(b, ir.Constant(I64, 0), ir.Constant(I64, ROUNDS),
                                 ir.Constant(I64, 1)):
        for slot in slots:
            value = b.load(slot)
            for _ in range(DEEP // 2):
                value = b.xor(b.add(value, p), q)
            b.store(value, slot)
    for place, slot in zip(places, slots):
        b.store(b.load(slot), place, align=8)
    b.ret_void()
    return module
