"""Plans and scalar loops to machine code, kept on disk between runs.

A kernel is compiled by Numba from a small module that is written to a cache
folder. The folder is named by a digest of this package's source, the compiler
versions and the processor, the file by a digest of what it computes, so a stale
kernel cannot be met: Numba itself would only look at the one small file.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import llvmlite
import numba
import platformdirs
from numba import types
from numba.extending import intrinsic

from fxp.defined import check_defined
from fxp.lanes import lane_width
from fxp.loops import Arguments, emit_map
from fxp.plans import MapPlan, MatmulPlan, SpanPlan, plan_digest
from fxp.products import emit_matmul
from fxp.scalar import scalar_source
from fxp.spans import emit_spans
from fxp.target import config, target
from fxp.vector import Lanes

__all__ = ["Kernel", "cache_folder", "compile_module", "scalar_kernel"]

Plan = MapPlan | MatmulPlan | SpanPlan

_PLANS: dict[str, Plan] = {}


class Kernel:
    """A compiled map or matrix product over arrays given by address.

    Calling it with the integer arguments of `names`, as one tuple in that order,
    runs it; it releases the interpreter lock. See `MapPlan` and `MatmulPlan`.
    """

    def __init__(self, plan: Plan):
        self.plan = plan
        self.names = plan.arguments()
        self.width = _width(plan)
        self.run = _compiled(plan, len(self.names))

    def __call__(self, **values: int) -> None:
        self.run(tuple(values[n] for n in self.names))


_EMITTERS: dict[type, Callable] = {MapPlan: emit_map, MatmulPlan: emit_matmul, SpanPlan: emit_spans}


def core(key: str):
    """Return the intrinsic that generates the loops of a plan; for generated modules."""

    @intrinsic
    def loops(typingctx, args):
        def generate(context, builder, signature, values):
            plan = _PLANS[key]
            lanes = Lanes(_width(plan), target())
            arguments = Arguments(builder, plan.arguments(), values[0])
            _EMITTERS[type(plan)](builder, plan, lanes, arguments)
            check_defined(builder.function)
            return context.get_dummy_value()

        return types.void(args), generate

    return loops


def scalar_kernel(name: str, circuits: dict, loop: str):
    """Return the function `run` of a module made of circuits and a loop's source.

    circuits maps function names to Circuits; loop is the text of `run`, decorated
    for Numba, which calls them.
    """
    parts = ["import numpy as np", "from numba import njit", ""]
    parts += [scalar_source(circuit, function) for function, circuit in circuits.items()]
    return compile_module(name, "\n\n".join([*parts, loop])).run


def compile_module(name: str, text: str):
    """Write a module to the cache folder, import and return it."""
    key = f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if key in sys.modules:
        return sys.modules[key]
    path = cache_folder() / f"{key}.py"
    try:
        return _import_from(path, key, text)
    except OSError as error:
        raise OSError(f"compiled kernels cannot be kept in {path.parent}: {error}; "
                      "LNSARITH_CACHE=FOLDER names another place") from error


def _import_from(path: Path, key: str, text: str):
    if not path.exists():
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(text)
        part.replace(path)
    spec = importlib.util.spec_from_file_location(key, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """Return the folder of compiled kernels: $LNSARITH_CACHE or the user's cache.

    Where that cannot be written, a temporary folder serves this process.
    """
    chosen = os.environ.get("LNSARITH_CACHE")
    base = Path(chosen) if chosen else platformdirs.user_cache_path("lnsarith") / "kernels"
    folder = base / _digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        scratch = tempfile.mkdtemp(prefix="lnsarith-")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        return Path(scratch)


def _digest() -> str:
    """Return a digest of everything but the plan that decides machine code."""
    sha = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sha.update(path.read_bytes())
    features = config.CPU_FEATURES
    versions = (sys.version_info[:2], numba.__version__, llvmlite.__version__)
    sha.update(repr((versions, target().level, config.CPU_NAME, features)).encode())
    return sha.hexdigest()[:16]


def _width(plan: Plan) -> int:
    """Return the lane width that holds every node and every stored word."""
    return max(lane_width(plan.circuits), *(8 * d.itemsize for d in plan.dtypes.values()))


def _compiled(plan, count: int):
    key = plan_digest(plan)
    _PLANS[key] = plan
    kind = type(plan).__name__.removesuffix("Plan").lower()
    return compile_module(kind, _MODULE.format(key=key, count=count)).run


_MODULE = '''\
from numba import njit, types

from fxp.compile import core

loops = core("{key}")


@njit(types.void(types.UniTuple(types.int64, {count})), nogil=True, cache=True)
def run(args):
    loops(args)
'''
