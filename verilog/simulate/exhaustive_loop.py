"""The C++ around a Verilator model: words in, answers compared, thousands a call.

A port is an array of int64: a word for each vector, or its lanes side by side. A
step of 0 makes it the same word for all of them.
"""

from __future__ import annotations

from verilog.design.design import Design
from verilog.emit.module import Port

__all__ = ["loop_source"]


def loop_source(design: Design, sources: list[str]) -> str:
    """Return one C++ file: the model's own sources and the loops for its ports."""
    data = {p.name: p for p in design.top.ports if p.name[2:] in {**design.inputs,
                                                                  **design.outputs}}
    inputs = [_typed(design, data[f"i_{name}"]) for name in design.inputs]
    outputs = [_typed(design, data[f"o_{name}"]) for name in design.outputs]
    parts = ["".join(f'#include "{name}"\n' for name in sources), _HELPERS,
             _function("void drive(Vdut& m, const int64_t* const* in, const int64_t* step, "
                       "int64_t i)",
                       [f"put<{kind}>(m.{name}, in[{k}] + i * step[{k}]);"
                        for k, (name, kind, _) in enumerate(inputs)]),
             _function("bool differs(Vdut& m, const int64_t* const* out, int64_t i)",
                       ["return " + " || ".join(
                           f"unlike<{kind}>(m.{name}, out[{k}] + i * {lanes})"
                           for k, (name, kind, lanes) in enumerate(outputs)) + ";"]),
             _function("void fetch(Vdut& m, int64_t* got)",
                       [f"get<{kind}>(m.{name}, got); got += {lanes};"
                        for name, kind, lanes in outputs]),
             f"const int64_t LANES = {sum(lanes for _, _, lanes in outputs)};\n}}\n", _MODEL,
             _STREAM if design.clocked else _WORDS]
    return "\n".join(parts)


def _typed(design: Design, port: Port) -> tuple[str, str, int]:
    """Return a port's name, its lanes, bits and sign as template arguments, its lanes."""
    low, _ = (design.outputs if port.output else design.inputs)[port.name[2:]]
    lanes, bits = design.lanes.get(port.name[2:], (1, port.width))
    return port.name, f"{lanes}, {bits}, {str(low < 0).lower()}", lanes


def _function(head: str, lines: list[str]) -> str:
    body = "".join(f"  {line}\n" for line in lines)
    return f"inline {head} {{\n{body}}}\n"


_HELPERS = """
#include <type_traits>

namespace {

template <int BITS> inline uint64_t cut(int64_t word) {
  return uint64_t(word) & (~uint64_t(0) >> (64 - BITS));
}

template <int LANES, int BITS, bool SIGNED, class P> inline void put(P& port, const int64_t* w) {
  if constexpr (std::is_integral<P>::value) {
    uint64_t all = 0;
    for (int k = 0; k < LANES; ++k) all |= cut<BITS>(w[k]) << (k * BITS);
    port = P(all);
  } else {
    for (int at = 0; at < (LANES * BITS + 31) / 32; ++at) port[at] = 0;
    for (int k = 0; k < LANES; ++k) {
      uint64_t left = cut<BITS>(w[k]);
      for (int at = k * BITS, end = at + BITS; at < end;) {
        const int room = 32 - at % 32;
        port[at / 32] |= uint32_t(left << (at % 32));
        left >>= room;
        at += room;
      }
    }
  }
}

template <int BITS, class P> inline uint64_t lane(const P& port, int k) {
  if constexpr (std::is_integral<P>::value) {
    return cut<BITS>(int64_t(uint64_t(port) >> (k * BITS)));
  } else {
    uint64_t word = 0;
    for (int have = 0; have < BITS;) {
      const int at = k * BITS + have;
      word |= uint64_t(port[at / 32] >> (at % 32)) << have;
      have += 32 - at % 32;
    }
    return cut<BITS>(int64_t(word));
  }
}

template <int LANES, int BITS, bool SIGNED, class P>
inline bool unlike(const P& port, const int64_t* w) {
  bool found = false;
  for (int k = 0; k < LANES; ++k) found |= lane<BITS>(port, k) != cut<BITS>(w[k]);
  return found;
}

template <int LANES, int BITS, bool SIGNED, class P> inline void get(const P& port, int64_t* w) {
  for (int k = 0; k < LANES; ++k) {
    const uint64_t word = lane<BITS>(port, k);
    w[k] = SIGNED ? int64_t(word << (64 - BITS)) >> (64 - BITS) : int64_t(word);
  }
}
"""

_MODEL = """
struct Dut {
  VerilatedContext context;
  Vdut model{&context};
};

// Where the first wrong answers are, and what they were.
struct Wrong {
  int64_t count, most;
  int64_t *index, *got;
  void note(Vdut& m, int64_t i) {
    if (count < most) {
      index[count] = i;
      fetch(m, got + count * LANES);
    }
    ++count;
  }
};

extern "C" void* dut_new() { return new Dut; }
extern "C" void dut_free(void* dut) { delete static_cast<Dut*>(dut); }
"""

_WORDS = """
extern "C" int64_t dut_run(void* dut, int64_t n, const int64_t* const* in, const int64_t* step,
                           int64_t, const int64_t* const* out, uint64_t, int64_t most,
                           int64_t* index, int64_t* got, int64_t*) {
  Vdut& m = static_cast<Dut*>(dut)->model;
  Wrong wrong{0, most, index, got};
  for (int64_t i = 0; i < n; ++i) {
    drive(m, in, step, i);
    m.eval();
    if (differs(m, out, i)) wrong.note(m, i);
  }
  return wrong.count;
}
"""

# Gaps and waiting of one cycle in four each, by a xorshift generator; the first answers
# are taken only after they were seen. An answer is compared in every cycle in which it
# waits, so it must not change. odd[0] counts cycles in which an answer came too many or was
# withdrawn, odd[1] says whether all stopped.
_STREAM = """
extern "C" int64_t dut_run(void* dut, int64_t n, const int64_t* const* in, const int64_t* step,
                           int64_t answers, const int64_t* const* out, uint64_t seed,
                           int64_t most, int64_t* index, int64_t* got, int64_t* odd) {
  Vdut& m = static_cast<Dut*>(dut)->model;
  Wrong wrong{0, most, index, got};
  int64_t sent = 0, taken = 0, waited = 0;
  bool pending = false, bad = false, held = false;
  auto rise = [&] { m.i_clk = 1; m.eval(); };
  m.i_rst = 1;
  m.i_valid = 0;
  m.i_ready = 0;
  for (int k = 0; k < 2; ++k) { m.i_clk = 0; m.eval(); rise(); }
  m.i_rst = 0;
  while ((sent < n || taken < answers || waited < 64) && waited < 20000) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    const bool offer = sent < n && (pending || (seed & 3));
    const bool take = taken < 64 && taken < answers ? held : (seed & 12) != 0;
    m.i_valid = offer;
    m.i_ready = take;
    if (offer && !pending) drive(m, in, step, sent);
    m.i_clk = 0;
    m.eval();
    const bool accepted = offer && m.o_ready, answer = m.o_valid;
    if (answer && taken < answers) {
      bad |= differs(m, out, taken);
      if (take && bad) wrong.note(m, taken);
      if (take) bad = false;
    } else if (answer || held) {
      ++odd[0];
    }
    held = answer && !take;
    waited = accepted || (answer && take && taken < answers) ? 0 : waited + 1;
    sent += accepted;
    taken += answer && take;
    pending = offer && !accepted;
    rise();
  }
  odd[1] = sent < n || taken < answers;
  return wrong.count;
}
"""
