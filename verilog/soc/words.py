"""The arithmetic of a network of words, such as logarithms, as C: sums, activation, order."""

from __future__ import annotations

from dataclasses import dataclass

from fxp.trace.circuit import Circuit
from verilog.c99.function import c_function
from verilog.units.cfu.sums import sum_functions
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
    inline = "static inline"
    parts = ["#include <stdint.h>\n", sum_functions(arithmetic.mac),
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
    return "\n".join(parts)
