"""A design as a shared library: Verilator's C++ with our loops, compiled in about a second."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np

from verilog import tools
from verilog.design.design import Design, Words
from verilog.design.lint import write_files
from verilog.simulate.exhaustive_loop import loop_source
from verilog.simulate.runtime import FLAGS, headers, include_folder, runtime

__all__ = ["KEPT", "Dut", "build", "library"]

KEPT = 8  # mismatches that a call tells


class Dut:
    """One instance of a built design; several may run at the same time."""

    def __init__(self, library: ctypes.CDLL, design: Design):
        self._library, self._design = library, design
        self._dut = library.dut_new()
        lanes = [design.lanes.get(name, (1, 0))[0] for name in design.outputs]
        self._ends = np.cumsum(lanes)
        self._index = np.zeros(KEPT, np.int64)
        self._got = np.zeros((KEPT, int(self._ends[-1])), np.int64)
        self._odd = np.zeros(2, np.int64)

    def run(self, words: Words, answers: Words, seed: int) -> tuple[int, list[tuple[int, dict]]]:
        """Return how many answers are wrong, and of the first their index and what came.

        `odd` and `stuck` tell of this call what else was wrong.
        """
        count, expected = len(next(iter(words.values()))), len(next(iter(answers.values())))
        columns = [_column(words[name]) for name in self._design.inputs]
        steps = np.array([step for _, step in columns], np.int64)
        outs = [np.ascontiguousarray(answers[name], np.int64) for name in self._design.outputs]
        self._odd[:] = 0
        wrong = self._library.dut_run(
            self._dut, count, _pointers([c for c, _ in columns]), steps.ctypes.data, expected,
            _pointers(outs), seed * 2 + 1, KEPT, self._index.ctypes.data, self._got.ctypes.data,
            self._odd.ctypes.data)
        return wrong, [(int(self._index[k]), self._words(self._got[k]))
                       for k in range(min(wrong, KEPT))]

    @property
    def odd(self) -> int:
        """Cycles with an answer beyond the last expected one, or with one withdrawn."""
        return int(self._odd[0])

    @property
    def stuck(self) -> bool:
        """Whether words or answers stopped moving."""
        return bool(self._odd[1])

    def close(self) -> None:
        """Free the instance."""
        if self._dut:
            self._library.dut_free(self._dut)
            self._dut = None

    def _words(self, got: np.ndarray) -> dict:
        parts = np.split(got, self._ends[:-1])
        return {name: part.tolist() if name in self._design.lanes else int(part[0])
                for name, part in zip(self._design.outputs, parts)}


def _column(column: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the int64 array of a port, and its step: 0 for one word that is repeated."""
    if column.ndim == 1 and column.strides[0] == 0 and column.size:
        return np.array(column[:1], np.int64), 0
    return np.ascontiguousarray(column, np.int64), column.shape[1] if column.ndim > 1 else 1


def _pointers(arrays: list[np.ndarray]):
    return (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))


def build(design: Design, folder: Path) -> ctypes.CDLL:
    """Return the library of a design, made in a folder that must outlive its use.

    Raises ToolMissing for what is not installed, ToolError for what does not compile.
    """
    sources = write_files(design, folder)
    for name in sources:  # a model looks for its memories where the process runs
        text = (folder / name).read_text()
        for memory in design.files.keys() - set(sources):
            text = text.replace(f'"{memory}"', f'"{folder / memory}"')
        (folder / name).write_text(text)
    return _typed(library(design.name, sources, folder, lambda generated:
                          loop_source(design, generated)))


def library(top: str, sources: list[str], folder: Path, loop: Callable[[list[str]], str],
            initial: str = "fast", optimise: str = "-O2") -> ctypes.CDLL:
    """Return the library of Verilog sources in a folder and of the C++ that `loop` makes of
    the names of Verilator's files; initial is what --x-initial takes, optimise is g++'s level.

    Raises ToolMissing for what is not installed, ToolError for what does not compile.
    """
    compiler = tools.program("g++")
    program, environment = tools.verilator()
    tools.run([program, "--cc", "-O3", "--x-assign", "fast", "--x-initial", initial, "--no-timing",
               "--output-split", "0", "-Wno-fatal", "-Wno-lint", "--top-module", top,
               "--prefix", "Vdut", "-Mdir", "obj", *sources], cwd=folder, env=environment)
    generated = sorted(p.name for p in (folder / "obj").glob("*.cpp"))
    (folder / "obj" / "loop.cc").write_text(loop(generated))
    include = include_folder(program, environment.get("VERILATOR_ROOT", ""))
    objects = {f"obj/{name}": data for name, data in runtime(compiler, include).items()}
    for name, data in objects.items():
        (folder / name).write_bytes(data)
    flags = [optimise if flag == "-O2" else flag for flag in FLAGS]
    tools.run([compiler, *flags, *headers(compiler, include, flags), "-shared", "-o",
               "libdut.so", "obj/loop.cc", *objects, "-lpthread"], cwd=folder)
    return ctypes.CDLL(str(folder / "libdut.so"))


def _typed(library: ctypes.CDLL) -> ctypes.CDLL:
    integer, pointer = ctypes.c_int64, ctypes.c_void_p
    library.dut_new.restype = pointer
    library.dut_free.argtypes = [pointer]
    library.dut_run.restype = integer
    library.dut_run.argtypes = [pointer, integer, pointer, pointer, integer, pointer,
                                ctypes.c_uint64, integer, pointer, pointer, pointer]
    return library
