"""Plans and scalar loops to machine code, kept on disk between runs.

A kernel is LLVM code, named by a digest of what it computes; scalar loops and what else is
written for Numba are the text of a small module. The machine code of both is kept by
`fxp.compile.machine.kept`. Compilation, and the import of this module where it is put off,
take `fxp.once.compile_lock`.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import ModuleType

import numba
from llvmlite.binding import add_symbol, ffi
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import _nrt_python  # type: ignore[attr-defined]
from numba.core.serialize import dumps

from fxp.compile.machine import kept
from fxp.compile.machine.native import Emit, assembly, function
from fxp.compile.machine.target import target
from fxp.compile.nests.loops import Arguments, emit_map
from fxp.compile.nests.narrow import emit_product
from fxp.compile.nests.products import sum_width
from fxp.compile.nests.spans import emit_spans
from fxp.compile.nodes.clamped import folded
from fxp.compile.nodes.lanes import plan_width
from fxp.compile.nodes.vector import Lanes
from fxp.compile.scalar import scalar_call
from fxp.once import compile_lock, hold_at_fork
from fxp.trace.circuit import Circuit
from fxp.trace.plans import Form, MapPlan, MatmulPlan, SpanPlan, plan_digest

__all__ = ["Code", "Kernel", "compile_module", "entry_of", "gains", "njit", "scalar_kernel"]

ONE_READ = 64  # words of 16 bits: one instruction of AVX-512 picks from them

Plan = MapPlan | MatmulPlan | SpanPlan

_CIRCUITS: dict[str, Circuit] = {}

hold_at_fork(global_compiler_lock, ffi.lib._lock)


class Code:
    """Machine code over arrays given by address.

    run(address) runs it with the integer arguments of `names`, words of 64 bits at the
    address, in that order; it releases the interpreter lock. entry is where it lies, for
    `fxp.compile.team`.
    """

    def __init__(self, names: Sequence[str], run: Callable[[int], None], entry: int):
        self.names = names
        self.run = run
        self.entry = entry


class Kernel(Code):
    """A compiled map or matrix product; see `MapPlan` and `MatmulPlan`."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self._name = _name(plan)
        made = function(self._name, _emit(plan))
        super().__init__(plan.arguments(), made.run, made.entry)

    def assembly(self) -> str:
        """Return the text of the machine code, made anew."""
        return assembly(self._name, _emit(self.plan))


_EMITTERS: dict[type, Callable] = {MapPlan: emit_map, MatmulPlan: emit_product,
                                   SpanPlan: emit_spans}


def scalar_kernel(name: str, circuits: dict, loop: str):
    """Return the function `run` of a module made of circuits and a loop's source.

    circuits maps function names to Circuits; loop is the text of `run`, decorated
    for Numba, which calls them with integers in the order of their inputs.
    """
    parts = [_HEAD]
    for called, circuit in circuits.items():
        _CIRCUITS[circuit.digest] = circuit
        parts.append(_CIRCUIT.format(function=called, ports=", ".join(circuit.inputs),
                                     key=circuit.digest))
    return compile_module(name, "\n\n".join([*parts, loop])).run


def circuit_call(key: str):
    """Return what `scalar_call` does of a circuit; for generated modules."""
    return scalar_call(_CIRCUITS[key])


def compile_module(name: str, text: str):
    """Return the module with this text, made once for all threads.

    Its functions are kept between runs where they are decorated with this module's
    `njit` and cache=True.
    """
    key = f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if key not in _MODULES:
        with compile_lock, global_compiler_lock:
            if key not in _MODULES:
                target()  # chosen before Numba takes the host's features for good
                _MODULES[key] = _executed(key, text)
    return _MODULES[key]


_MODULES: dict[str, ModuleType] = {}


def _executed(key: str, text: str) -> ModuleType:
    module = ModuleType(key)
    sys.modules[key] = module  # where Numba looks for a function's globals
    try:
        exec(compile(text, f"<{key}>", "exec"), vars(module))
    except BaseException:
        del sys.modules[key]
        raise
    return module


def njit(*signature, cache: bool = False, **options):
    """As numba.njit; but with cache=True the code is kept by `fxp.compile.machine.kept`.

    Numba's own cache ends at the first damaged file, and processes that add types to a
    function at the same time may swap them.
    """
    if not cache:
        return numba.njit(*signature, **options)

    def decorate(function):
        dispatcher = numba.njit(**options)(function)
        dispatcher._cache = _KeptCode(f"{function.__module__}.{function.__qualname__}")
        if signature:
            dispatcher.compile(*signature)
            dispatcher.disable_compile()
        return dispatcher

    return decorate


def entry_of(run) -> int:
    """Return where the machine code lies of a function that `njit` made for one signature."""
    (compiled,) = run.overloads.values()
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


class _KeptCode(NullCache):
    """What Numba asks for the machine code of one function, and gives it to."""

    def __init__(self, name: str):
        self._name = name

    def load_overload(self, sig, target_context):
        """Return the code for these types, None if it is not kept or of no use.

        All that Numba can compile is not loaded for it, as Numba's own cache does: that takes
        longer than most commands.
        """
        _add_runtime()
        name = self._entry(sig, target_context.codegen())
        data = kept.read(name)
        if data is None:
            return None
        try:
            return CompileResult._rebuild(target_context, *pickle.loads(data))
        except Exception as error:  # unpickling may raise whatever it likes
            kept.report_damage(name, f"{type(error).__name__}: {error}")
            return None

    def save_overload(self, sig, data):
        """Keep the code for these types."""
        if data.lifted or data.library.has_dynamic_globals:
            warnings.warn(f"{self._name} holds what cannot be kept between runs", stacklevel=2)
        else:
            kept.write(self._entry(sig, data.codegen), dumps(data._reduce()))

    def _entry(self, sig, codegen) -> str:
        types = hashlib.sha256(repr((sig, codegen.magic_tuple())).encode())
        return f"{self._name}.{types.hexdigest()[:16]}"


@lru_cache(maxsize=1)
def _add_runtime() -> None:
    """Tell LLVM where the functions of Numba's runtime are, which code calls for arrays."""
    for name, address in _nrt_python.c_helpers.items():
        add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


def _width(plan: Plan) -> int:
    """Return the width of the lanes that a kernel works in."""
    if isinstance(plan, MatmulPlan):
        return sum_width(plan, target())
    return plan_width(plan.circuits, plan.dtypes.values())


@lru_cache(maxsize=256)
def gains(form: Form) -> bool:
    """Whether a form of a plan is faster here. It is not where a table has to be read from
    memory, nor beside lanes of bytes, which hold twice as many numbers; AVX2 gains by forms with
    one kind of step alone."""
    level = target().level
    if any(form.plan.dtypes[n].itemsize == 1 for n in form.plan.vectors):
        return _width(form.plan) == 8 and _width(form.of) != 8
    if level == "plain" or (level == "avx2" and form.plan.low) or _width(form.of) == 8:
        return False
    return all(folded(node) or len(node.table) <= ONE_READ
               for node in form.plan.step.nodes if node.op == "lookup")


def _name(plan: Plan) -> str:
    kind = type(plan).__name__.removesuffix("Plan").lower()
    return f"{kind}{_width(plan)}_{plan_digest(plan)}"


def _emit(plan: Plan) -> Emit:
    """Return what writes a plan's loops."""
    def emit(builder, address):
        arguments = Arguments(builder, plan.arguments(), address)
        _EMITTERS[type(plan)](builder, plan, Lanes(_width(plan), target()), arguments)

    return emit


_HEAD = """\
import numpy as np
from numba.extending import intrinsic

from fxp.compile.cache import circuit_call, njit
"""
_CIRCUIT = """\
@intrinsic
def {function}(typingctx, {ports}):
    return circuit_call("{key}")
"""
