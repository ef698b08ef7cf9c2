"""Verilator's runtime, which takes g++ longer than any design: compiled once, and kept beside
the compiled kernels. A process that builds several designs has the headers compiled too."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from fxp.compile.machine import kept
from verilog import tools

__all__ = ["FLAGS", "digest", "headers", "include_folder", "runtime"]

FLAGS = ["-std=gnu++17", "-O2", "-march=native", "-fPIC", "-w", "-DVM_COVERAGE=0", "-DVM_SC=0",
         "-DVM_TIMING=0", "-DVM_TRACE=0", "-DVM_TRACE_FST=0", "-DVM_TRACE_VCD=0"]
RUNTIME = ("verilated", "verilated_threads")
SEVERAL = 3  # builds of a process from which on compiled headers are worth their 1.8 s
_builds: Counter[tuple[str, ...]] = Counter()


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


def headers(compiler: str, include: Path, flags: Sequence[str] = FLAGS) -> list[str]:
    """Return g++'s options where Verilator's headers are, for one more design that this process
    compiles with these flags: 0.5 s sooner from the third on."""
    options = [f"-I{include}", f"-I{include / 'vltstd'}"]
    _builds[tuple(flags)] += 1
    if _builds[tuple(flags)] < SEVERAL:
        return options
    return ["-include", str(_compiled_headers(compiler, include, tuple(flags))), *options]


@lru_cache
def _compiled_headers(compiler: str, include: Path, flags: tuple[str, ...]) -> Path:
    """Return a header that stands for Verilator's, compiled beside it: 70 MB, gone with the
    process."""
    folder = tempfile.mkdtemp(prefix="lnsarith-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    header = Path(folder) / "headers.h"
    header.write_text('#include "verilated.h"\n')
    tools.run([compiler, *flags, f"-I{include}", f"-I{include / 'vltstd'}", "-x", "c++-header",
               str(header), "-o", f"{header}.gch"])
    return header
