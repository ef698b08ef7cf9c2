"""A core as a shared library: Verilator's C++ with a loop that streams images through it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from verilog import tools
from verilog.core.inference.core import Core
from verilog.simulate.runtime import FLAGS, include_folder, runtime

__all__ = ["Answers", "Model", "build_model"]

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
    (folder / "obj" / "loop.cc").write_text(includes + _LOOP)
    include = include_folder(program, environment.get("VERILATOR_ROOT", ""))
    objects = {f"obj/{name}": data for name, data in runtime(compiler, include).items()}
    for name, data in objects.items():
        (folder / name).write_bytes(data)
    tools.run([compiler, *FLAGS, f"-I{include}", f"-I{include / 'vltstd'}", "-shared", "-o",
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


_LOOP = """
#include <cstdint>

namespace {
const int64_t PATIENCE = 1 << 22;

struct Core {
    VerilatedContext context;
    Vdut* dut;
    int64_t clock = 0;

    explicit Core(int seed) {
        if (seed) {
            context.randReset(2);
            context.randSeed(seed);
        }
        dut = new Vdut(&context, "core");
        dut->i_valid = dut->i_last = dut->i_load_valid = dut->i_ready = 0;
        dut->i_rst = 1;
        tick();
        tick();
        dut->i_rst = 0;
    }
    void tick() {
        dut->i_clk = 0;
        dut->eval();
        dut->i_clk = 1;
        dut->eval();
        ++clock;
    }
};

uint64_t next(uint64_t& state) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}
}  // namespace

extern "C" {
void* core_new(int seed) { return new Core(seed); }

void core_free(void* p) {
    Core* c = static_cast<Core*>(p);
    delete c->dut;
    delete c;
}

void core_reset(void* p) {
    Core* c = static_cast<Core*>(p);
    c->dut->i_rst = 1;
    c->tick();
    c->dut->i_rst = 0;
}

void core_run(void* p, int64_t images, int64_t pixels, int64_t answers, const uint8_t* given,
              uint64_t* found, int64_t* clocks, int gaps, uint64_t seed, int64_t* odd) {
    Core* c = static_cast<Core*>(p);
    Vdut* d = c->dut;
    const int64_t total = images * pixels, wanted = images * answers;
    int64_t sent = 0, got = 0, began = c->clock, moved = c->clock;
    uint64_t state = seed * 2654435761u + 88172645463325252u;
    bool offered = false;
    while (got < wanted && c->clock - moved < PATIENCE) {
        const bool wait_in = gaps && !offered && int(next(state) & 255) < gaps;
        const bool wait_out = gaps && int(next(state) & 255) < gaps;
        d->i_valid = sent < total && !wait_in;
        d->i_data = d->i_valid ? given[sent] : 0xa5;
        d->i_last = d->i_valid && sent == total - 1;
        d->i_ready = !wait_out;
        d->i_clk = 0;
        d->eval();
        offered = d->i_valid && !d->o_ready;
        if (d->i_valid && d->o_ready) {
            ++sent;
            moved = c->clock;
        }
        if (d->o_valid && d->i_ready) {
            const bool ends = got % answers == answers - 1;
            if (bool(d->o_last) != ends) ++odd[1];
            found[got] = d->o_data;
            if (ends) clocks[got / answers] = c->clock - began;
            ++got;
            moved = c->clock;
        }
        d->i_clk = 1;
        d->eval();
        ++c->clock;
    }
    odd[0] = got < wanted;
    d->i_valid = 0;
    d->i_ready = 1;
    for (int k = 0; k < 64; ++k) {
        d->i_clk = 0;
        d->eval();
        if (d->o_valid) ++odd[1];
        d->i_clk = 1;
        d->eval();
        ++c->clock;
    }
}

void core_trace(void* p, int64_t pixels, const uint8_t* given, int64_t clocks, uint8_t* seen,
                uint64_t* words) {
    Core* c = static_cast<Core*>(p);
    Vdut* d = c->dut;
    d->i_ready = 1;
    for (int64_t k = 0, sent = 0; k < clocks; ++k) {
        d->i_valid = sent < pixels;
        d->i_data = d->i_valid ? given[sent] : 0;
        d->i_last = sent == pixels - 1;
        d->i_clk = 0;
        d->eval();
        sent += d->i_valid && d->o_ready;
        seen[k] = d->i_valid | d->o_ready << 1 | d->o_valid << 2 | d->o_last << 3 |
                  d->o_busy << 4 | d->o_layer << 5;
        words[k] = d->o_data;
        d->i_clk = 1;
        d->eval();
        ++c->clock;
    }
    d->i_valid = 0;
}

int64_t core_load(void* p, int64_t count, const uint64_t* words) {
    Core* c = static_cast<Core*>(p);
    Vdut* d = c->dut;
    int64_t sent = 0;
    for (int64_t waited = 0; sent < count && waited < PATIENCE; ++waited) {
        d->i_load_valid = 1;
        d->i_load_data = words[sent];
        d->i_clk = 0;
        d->eval();
        if (d->o_load_ready) {
            ++sent;
            waited = 0;
        }
        d->i_clk = 1;
        d->eval();
        ++c->clock;
    }
    d->i_load_valid = 0;
    return sent == count;
}
}
"""
