"""Verilator's runtime, which takes g++ longer than any design: compiled once, and kept beside
the compiled kernels."""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from fxp.compile.machine import kept
from verilog import tools

__all__ = ["FLAGS", "digest", "include_folder", "runtime"]

FLAGS = ["-std=gnu++17", "-O2", "-march=native", "-fPIC", "-w", "-DVM_COVERAGE=0", "-DVM_SC=0",
         "-DVM_TIMING=0", "-DVM_TRACE=0", "-DVM_TRACE_FST=0", "-DVM_TRACE_VCD=0"]
RUNTIME = ("verilated", "verilated_threads")


@lru_cache(maxsize=1)
def include_folder(program: str, root: str) -> Path:
    """Return the folder of Verilator's own C++."""
    return Path(root or tools.run([program, "--getenv", "VERILATOR_ROOT"]).strip()) / "include"


@lru_cache(maxsize=1)
def digest(compiler: str, include: Path) -> str:
    """Return a hash of what decides compiled models: g++, its flags and the runtime."""
    sha = hashlib.sha256(repr(FLAGS).encode() + tools.run([compiler, "-dumpfullversion"]).encode())
    for path in sorted(include.glob("verilated*")):
        sha.update(path.read_bytes())
    return sha.hexdigest()


@lru_cache(maxsize=1)
def runtime(compiler: str, include: Path) -> dict[str, bytes]:
    """Return the runtime's objects by file name, compiled where they are not kept."""
    sha = digest(compiler, include)
    sources = [s for s in (include / f"{name}.cpp" for name in RUNTIME) if s.is_file()]

    def made(source: Path) -> bytes:
        name = f"{source.stem}_{sha[:16]}.o"
        data = kept.read(name)
        if data is None:
            data = _compiled(source, compiler, include)
            kept.write(name, data)
        return data

    with ThreadPoolExecutor(len(sources)) as pool:
        return {f"{s.stem}.o": data for s, data in zip(sources, pool.map(made, sources))}


def _compiled(source: Path, compiler: str, include: Path) -> bytes:
    with tempfile.TemporaryDirectory(prefix="lnsarith-") as folder:
        target = Path(folder) / "object.o"
        tools.run([compiler, *FLAGS, f"-I{include}", f"-I{include / 'vltstd'}", "-c", str(source),
                   "-o", str(target)])
        return target.read_bytes()
