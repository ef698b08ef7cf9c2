"""A core as a shared library: Verilator's C++ with a loop that streams images through it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from verilog import tools
from verilog.core.inference.core import Core
from verilog.core.model_loop import LOOP
from verilog.simulate.runtime import FLAGS, headers, include_folder, runtime

__all__ = ["Answers", "Model", "build_model"]

LEVEL = "-O1"  # runs a core faster than -O2 or -O3 do, and takes less to compile
PATIENCE = 1 << 22  # clocks without a word after which a core counts as stuck


@dataclass(frozen=True)
class Answers:
    """What a core gave: words (images x classes, unsigned), classes, the clocks at which each
    class came, and whether it got stuck, gave more than asked for, or marked a wrong word
    as the class."""

    words: np.ndarray
    classes: np.ndarray
    clocks: np.ndarray
    stuck: bool
    odd: int


class Model:
    """One instance of a built core."""

    def __init__(self, library: ctypes.CDLL, classes: int, seed: int = 0):
        self._library, self._classes = library, classes
        self._dut = library.core_new(seed)

    def run(self, pixels: np.ndarray, gaps: int = 0, seed: int = 1) -> Answers:
        """Return the answers for images (uint8, images x pixels), streamed in as one batch after
        the other; gaps of 256 is how often pixels and answers have to wait."""
        pixels = np.ascontiguousarray(pixels, np.uint8)
        count = len(pixels)
        words = np.zeros((count, self._classes + 1), np.uint64)
        clocks = np.zeros(count, np.int64)
        odd = np.zeros(2, np.int64)
        self._library.core_run(self._dut, count, pixels.shape[1], self._classes + 1,
                               pixels.ctypes.data, words.ctypes.data, clocks.ctypes.data, gaps,
                               seed, odd.ctypes.data)
        return Answers(words[:, :-1], words[:, -1].astype(np.int64), clocks, bool(odd[0]),
                       int(odd[1]))

    def trace(self, pixels: np.ndarray, clocks: int) -> dict:
        """Return what happens in so many clocks while images stream through, each a boolean
        array over clocks: taken (a pixel), given (an answer), busy; and the layer and the
        word of each clock."""
        pixels = np.ascontiguousarray(pixels, np.uint8)
        seen, words = np.zeros(clocks, np.uint8), np.zeros(clocks, np.uint64)
        self._library.core_trace(self._dut, pixels.size, pixels.ctypes.data, clocks,
                                 seen.ctypes.data, words.ctypes.data)
        bits = {name: (seen >> k & 1).astype(bool) for k, name in enumerate(
            ("offered", "ready", "valid", "last", "busy"))}
        return {**bits, "taken": bits["offered"] & bits["ready"], "given": bits["valid"],
                "layer": seen >> 5, "words": words, "images": len(pixels)}

    def load(self, words: Sequence[int]) -> bool:
        """Load weights through the port; return whether all were taken."""
        given = np.array(words, np.uint64)
        return bool(self._library.core_load(self._dut, len(given), given.ctypes.data))

    def reset(self) -> None:
        """Hold the reset for a clock."""
        self._library.core_reset(self._dut)

    def close(self) -> None:
        """Free the instance."""
        if self._dut:
            self._library.core_free(self._dut)
            self._dut = None


def build_model(core: Core, folder: Path, random_start: bool = False) -> ctypes.CDLL:
    """Return the library of a core, made in a folder that must outlive its use.

    random_start leaves registers and memories without a value at first ones that the seed
    of each instance draws; else they start at zero. Raises ToolMissing and ToolError.
    """
    compiler = tools.program("g++")
    program, environment = tools.verilator()
    for name, text in core.files.items():
        for file in (f for m in core.modules for f in m.files):
            text = text.replace(f'"{file}"', f'"{folder / file}"')
        (folder / name).write_text(text)
    start = [] if random_start else ["--x-initial", "fast"]
    tools.run([program, "--cc", "-O3", "--x-assign", "fast", *start, "--no-timing",
               "--output-split", "0", "-Wno-fatal", "-Wno-lint", "--top-module", core.name,
               "--prefix", "Vdut", "-Mdir", "obj", *(f"{m.name}.v" for m in core.modules)],
              cwd=folder, env=environment)
    generated = sorted(p.name for p in (folder / "obj").glob("*.cpp"))
    includes = "".join(f'#include "{name}"\n' for name in generated)
    (folder / "obj" / "loop.cc").write_text(includes + LOOP)
    include = include_folder(program, environment.get("VERILATOR_ROOT", ""))
    objects = {f"obj/{name}": data for name, data in runtime(compiler, include).items()}
    for name, data in objects.items():
        (folder / name).write_bytes(data)
    tools.run([compiler, *FLAGS, LEVEL, *headers(compiler, include), "-shared", "-o",
               "libcore.so", "obj/loop.cc", *objects, "-lpthread"], cwd=folder)
    return _typed(ctypes.CDLL(str(folder / "libcore.so")))


def _typed(library: ctypes.CDLL) -> ctypes.CDLL:
    integer, pointer = ctypes.c_int64, ctypes.c_void_p
    library.core_new.argtypes, library.core_new.restype = [ctypes.c_int], pointer
    for name in ("core_free", "core_reset"):
        getattr(library, name).argtypes = [pointer]
    library.core_run.argtypes = [pointer, integer, integer, integer, pointer, pointer, pointer,
                                 ctypes.c_int, ctypes.c_uint64, pointer]
    library.core_trace.argtypes = [pointer, integer, pointer, integer, pointer, pointer]
    library.core_load.argtypes, library.core_load.restype = [pointer, integer, pointer], integer
    return library
