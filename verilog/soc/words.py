"""The arithmetic of a network of words, such as logarithms, as C: sums, activation, order."""

from __future__ import annotations

from dataclasses import dataclass

from fxp.trace.circuit import Circuit, trace
from verilog.c99.function import c_function
from verilog.units.macs import Mac

__all__ = ["WordArithmetic", "arithmetic_text"]


@dataclass(frozen=True, eq=False)
class WordArithmetic:
    """How a network of words computes: its sums; what an activation and a comparison do to a
    word x; what becomes of a sum with a channel's bias and factor, where that is more than
    the sum that began at the bias."""

    mac: Mac
    activation: Circuit | None
    order: Circuit
    tail: Circuit | None = None


def arithmetic_text(arithmetic: WordArithmetic) -> str:
    """Return arithmetic.h: sum_start, sum_step, sum_finish, tail, activation_of, order_of."""
    mac, inline = arithmetic.mac, "static inline"
    registers = ", ".join(f"&sum_{k}" for k in mac.state)
    kinds = {f"next_{k}": _kind(span) for k, span in mac.state.items()}
    values = ", ".join(f"sum_{k}" for k in mac.state)
    parts = ["#include <stdint.h>\n",
             c_function("sum_start", _start(mac), inline, kinds),
             c_function("sum_step", _step(mac), inline, kinds),
             c_function("sum_finish", _finish(mac), inline),
             c_function("order_of", arithmetic.order, inline)]
    if arithmetic.activation:
        parts.append(c_function("activation_of", arithmetic.activation, inline))
    else:
        parts.append("static inline int32_t activation_of(int32_t x) { return x; }\n")
    if arithmetic.tail:
        parts.append(c_function("tail", arithmetic.tail, inline))
        parts.append("#define FIRST(bias) 0\n")
    else:
        parts.append("static inline int32_t tail(int32_t sum, int32_t bias, int32_t factor) {\n"
                     "    (void)bias, (void)factor;\n    return sum;\n}\n"
                     "#define FIRST(bias) (bias)\n")
    declared = "; ".join(f"{_kind(span)} sum_{k} = {zero}" for (k, span), zero in zip(
        mac.state.items(), mac.zero))
    parts.append(f"#define SUM_DECLARED {declared}\n#define SUM_REGISTERS {registers}\n"
                 f"#define SUM_STATE {values}\n")
    return "\n".join(parts)


def _kind(span: tuple[int, int]) -> str:
    return "int32_t" if -(1 << 31) <= span[0] and span[1] < 1 << 31 else "int64_t"


def _outputs(mac: Mac) -> list[str]:
    """Return names of the registers after a step, which are not those before it."""
    return [f"next_{k}" for k in mac.state]


def _start(mac: Mac) -> Circuit:
    return trace(lambda word: mac.start(word), {"word": mac.out.words}, outputs=_outputs(mac),
                 name="start")


def _step(mac: Mac) -> Circuit:
    return trace(lambda a, b, **state: mac.step(tuple(state.values()), a, b),
                 {**mac.state, "a": mac.a.words, "b": mac.b.words}, outputs=_outputs(mac),
                 name="step")


def _finish(mac: Mac) -> Circuit:
    return trace(lambda **state: mac.finish(tuple(state.values())), mac.state, name="finish")
