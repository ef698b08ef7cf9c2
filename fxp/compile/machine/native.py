"""LLVM code to a function of this process, its machine code kept between runs.

A kernel is one function of one integer. Numba's code generator takes it as it is: to infer
types and wrap it for Python, as for a function of Python's, takes longer than LLVM does.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_int64, c_void_p
from functools import partial
from typing import Any

from llvmlite import binding as llvm
from llvmlite import ir
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock

from fxp.compile.machine import kept
from fxp.compile.machine.defined import check_defined
from fxp.compile.machine.target import target
from fxp.once import compile_lock

__all__ = ["Emit", "Function", "assembly", "function"]

I64, I32, I8P = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
KIND = ir.FunctionType(I32, [I8P.as_pointer(), I8P.as_pointer(), I64])  # Numba's void(int64)
CALL = CFUNCTYPE(None, c_void_p, c_void_p, c_int64)

Emit = Callable[[ir.IRBuilder, ir.Value], None]


class Function:
    """Machine code of void(int64) as Numba compiles it; what it returns is always 0.

    entry is its address; run(number) calls it without the interpreter's lock.
    """

    def __init__(self, library: Any, name: str):
        if library.name != name:
            raise ValueError(f"it is {library.name}")
        self.name = name
        self.library = library  # its memory is the code's
        self.entry: int = library.get_pointer_to_function(name)
        self.run = partial(CALL(self.entry), None, None)


def function(name: str, emit: Emit) -> Function:
    """Return the function of this name, made once for all threads, kept between runs.

    emit(builder, number) writes its body; SpecError for what LLVM leaves open. The name
    tells all that decides the body beside the sources and the processor.
    """
    if name not in _FUNCTIONS:
        with compile_lock, global_compiler_lock:
            if name not in _FUNCTIONS:
                _FUNCTIONS[name] = _made(name, emit)
    return _FUNCTIONS[name]


_FUNCTIONS: dict[str, Function] = {}


def _made(name: str, emit: Emit) -> Function:
    """Return the function, loaded if it is kept, else compiled and kept."""
    codegen = _codegen()
    entry = f"{name}.{hashlib.sha256(repr(codegen.magic_tuple()).encode()).hexdigest()[:16]}"
    data = kept.read(entry)
    if data is not None:
        try:
            return Function(codegen.unserialize_library(pickle.loads(data)), name)
        except Exception as error:  # unpickling may raise whatever it likes
            kept.report_damage(entry, f"{type(error).__name__}: {error}")
    library = _library(name, emit)
    library.enable_object_caching()
    made = Function(library, name)
    kept.write(entry, pickle.dumps(library.serialize_using_object_code()))
    return made


def assembly(name: str, emit: Emit) -> str:
    """Return the text of the machine code of a function, made anew."""
    with compile_lock, global_compiler_lock:
        library = _library(name, emit)
        library.finalize()
        return library.get_asm_str()


def _library(name: str, emit: Emit) -> _Library:
    library = _Library(_codegen(), name)
    library.add_ir_module(_module(library, name, emit))
    return library


class _Library(JITCodeLibrary):
    """Code that LLVM optimises once: what Numba has it do twice before, for counts of references
    and to find vectors, changes nothing where there are none of the one and all of the other."""

    def _optimize_functions(self, ll_module) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        builder = llvm.create_pass_builder(self._codegen._tm, options)
        builder.getModulePassManager().run(self._final_module, builder)


def _module(library: Any, name: str, emit: Emit) -> ir.Module:
    module = library.create_ir_module(name)
    body = ir.Function(module, KIND, name)
    builder = ir.IRBuilder(body.append_basic_block("entry"))
    emit(builder, body.args[2])
    check_defined(body)
    builder.ret(ir.Constant(I32, 0))
    return module


def _codegen() -> Any:
    target()  # chosen before Numba takes the host's features for good
    from numba.core.registry import cpu_target

    return cpu_target.target_context.codegen()
