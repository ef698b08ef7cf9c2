"""A trainer in Verilator: weights in, images through it, weights out."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from verilog import tools
from verilog.simulate.exhaustive_build import library
from verilog.trainer.core import Core

__all__ = ["Simulated", "write_sources"]

STUCK = 1 << 26  # cycles after which a core that answers nothing is given up


def write_sources(core: Core, folder: Path) -> list[str]:
    """Write the modules of a core into a folder, their memories named by their paths, as a
    model looks for them where its process runs; return the names of the modules' files."""
    for made in core.modules:
        text = made.text
        for name, words in made.files.items():
            (folder / name).write_text(words)
            text = text.replace(f'"{name}"', f'"{folder / name}"')
        (folder / f"{made.name}.v").write_text(text)
    return [f"{m.name}.v" for m in core.modules]


class Simulated:
    """A core that was built in a folder, which must outlive it.

    scrambled starts registers and memories with random bits instead of zeros, of the
    seed that is given. One for a short run is built in a fraction of the time, and slower.
    """

    def __init__(self, core: Core, folder: Path, scrambled: bool = False, seed: int = 1,
                 short: bool = False):
        self.core = core
        learning = core.geometry.learning
        names = write_sources(core, folder)
        self._library = library(core.name, names, folder, lambda generated: _loop(
            generated, learning.rated), "unique" if scrambled else "fast",
            "-O0" if short else "-O2")
        self._bind()
        self._dut = self._library.dut_new(2 if scrambled else 0, seed)
        self.cycles = 0  # of steps
        self.working = 0  # cycles in which lanes take steps

    def _bind(self) -> None:
        pointer, integer = ctypes.c_void_p, ctypes.c_int64
        lib = self._library
        lib.dut_new.restype, lib.dut_new.argtypes = pointer, [ctypes.c_int, ctypes.c_int]
        lib.dut_free.argtypes = [pointer]
        for name in ("dut_load", "dut_read"):
            getattr(lib, name).restype = integer
            getattr(lib, name).argtypes = [pointer, pointer, integer, integer]
        lib.dut_train.restype = integer
        lib.dut_train.argtypes = [pointer, pointer, pointer, pointer, pointer, integer, integer,
                                  integer, ctypes.c_uint64, pointer]

    def load(self, words: np.ndarray) -> None:
        """Load all words of weights; ToolError if the core takes too few."""
        words = np.ascontiguousarray(words, np.int64)
        self._demand(self._library.dut_load(self._dut, words.ctypes.data, words.size, STUCK))

    def read(self) -> np.ndarray:
        """Return all words of weights, as signed words."""
        learning = self.core.geometry.learning
        count = self.core.geometry.words * (2 if learning.velocities else 1)
        words = np.zeros(count, np.int64)
        self._demand(self._library.dut_read(self._dut, words.ctypes.data, count, STUCK))
        high = 1 << (learning.word_bits - 1)
        return (words ^ high) - high

    def train(self, pixels: np.ndarray, labels: np.ndarray, last: np.ndarray,
              rates: np.ndarray | None = None, gaps: int = 0) -> None:
        """Train on images, rows of bytes, up to the end of the last batch; last tells which
        image ends one, rates gives each image's. gaps makes pixels wait at random."""
        pixels = np.ascontiguousarray(pixels, np.uint8)
        labels = np.ascontiguousarray(labels, np.int64)
        last = np.ascontiguousarray(last, np.uint8)
        rates = np.ascontiguousarray(np.zeros(len(labels)) if rates is None else rates, np.int64)
        told = np.zeros(2, np.int64)
        done = self._library.dut_train(
            self._dut, pixels.ctypes.data, labels.ctypes.data, last.ctypes.data, rates.ctypes.data,
            len(labels), pixels.shape[1], STUCK, gaps, told.ctypes.data)
        self.cycles += int(told[0])
        self.working += int(told[1])
        self._demand(done)

    def close(self) -> None:
        """Free the model."""
        if self._dut:
            self._library.dut_free(self._dut)
            self._dut = None

    def _demand(self, done: int) -> None:
        if not done:
            raise tools.ToolError(f"{self.core.name} stands still: it takes or gives no word")


def _loop(sources: list[str], rated: bool) -> str:
    includes = "".join(f'#include "{name}"\n' for name in sources)
    rate = "m.i_rate = rates[image];" if rated else ""
    return includes + _LOOP.replace("RATE", rate)


_LOOP = r"""
struct Dut { VerilatedContext context; Vdut* model; };
static void tick(Vdut& m) { m.i_clk = 0; m.eval(); m.i_clk = 1; m.eval(); }
// After a rising edge and before the next, outputs stand; inputs are set, then settled.
static void settle(Vdut& m) { m.i_clk = 0; m.eval(); }
static void edge(Vdut& m) { m.i_clk = 1; m.eval(); }

extern "C" {
void* dut_new(int random, int seed) {
  Dut* d = new Dut;
  d->context.randReset(random);
  d->context.randSeed(seed);
  d->model = new Vdut(&d->context);
  Vdut& m = *d->model;
  m.i_valid = m.i_weight_valid = m.i_read = m.i_weight_ready = m.i_last = 0;
  m.i_rst = 1;
  for (int i = 0; i < 4; ++i) tick(m);
  m.i_rst = 0;
  return d;
}
void dut_free(void* p) { Dut* d = (Dut*)p; delete d->model; delete d; }
int64_t dut_load(void* p, const int64_t* words, int64_t count, int64_t stuck) {
  Vdut& m = *((Dut*)p)->model;
  m.i_weight_valid = 1;
  for (int64_t i = 0, n = 0; i < count; ++n) {
    if (n > stuck) return 0;
    m.i_weight = words[i];
    settle(m);
    i += m.o_weight_ready;
    edge(m);
  }
  m.i_weight_valid = 0;
  for (int i = 0; i < 4; ++i) tick(m);
  return 1;
}
int64_t dut_read(void* p, int64_t* words, int64_t count, int64_t stuck) {
  Vdut& m = *((Dut*)p)->model;
  m.i_read = 1; settle(m); edge(m); m.i_read = 0;
  m.i_weight_ready = 1;
  bool last = false;
  for (int64_t i = 0, n = 0; i < count; ++n) {
    if (n > stuck + count * 4) return 0;
    settle(m);
    if (m.o_weight_valid) { words[i++] = m.o_weight; last = m.o_weight_last; }
    edge(m);
  }
  m.i_weight_ready = 0;
  for (int i = 0; i < 4; ++i) tick(m);
  return last;
}
int64_t dut_train(void* p, const uint8_t* pixels, const int64_t* labels, const uint8_t* last,
                  const int64_t* rates, int64_t count, int64_t width, int64_t stuck, uint64_t gaps,
                  int64_t* told) {
  Vdut& m = *((Dut*)p)->model;
  int64_t image = 0, at = 0, batches = 0, ended = 0, quiet = 0;
  for (int64_t i = 0; i < count; ++i) batches += last[i];
  uint64_t random = gaps * 2 + 1;
  while (ended < batches) {
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    bool here = image < count && !(gaps && (random >> 62) == 0);
    m.i_valid = here;
    if (here) {
      m.i_pixel = pixels[image * width + at];
      m.i_label = labels[image];
      m.i_last = last[image];
      RATE
    }
    settle(m);
    told[0] += m.o_busy;
    told[1] += m.o_steps;
    ended += m.o_done;
    quiet = m.o_done ? 0 : quiet + 1;
    if (quiet > stuck) return 0;
    if (here && m.o_ready && ++at == width) { at = 0; ++image; }
    edge(m);
  }
  m.i_valid = 0;
  for (int i = 0; i < 4; ++i) tick(m);
  return 1;
}
}
"""
