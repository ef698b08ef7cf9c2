"""A sum of products as three functions of C: begun with a word, grown by a product, rounded."""

from __future__ import annotations

from fxp.trace.circuit import Circuit, trace
from verilog.c99.function import c_function
from verilog.units.macs import Mac

__all__ = ["sum_functions"]


def sum_functions(mac: Mac, storage: str = "static inline") -> str:
    """Return sum_start, sum_step and sum_finish, and the macros SUM_DECLARED, SUM_STATE and
    SUM_REGISTERS: its registers declared, as values and as pointers."""
    kinds = {f"next_{k}": _kind(span) for k, span in mac.state.items()}
    declared = "; ".join(f"{_kind(span)} sum_{k} = {zero}" for (k, span), zero in zip(
        mac.state.items(), mac.zero))
    registers = ", ".join(f"&sum_{k}" for k in mac.state)
    values = ", ".join(f"sum_{k}" for k in mac.state)
    return "\n".join([c_function("sum_start", _start(mac), storage, kinds),
                      c_function("sum_step", _step(mac), storage, kinds),
                      c_function("sum_finish", _finish(mac), storage),
                      f"#define SUM_DECLARED {declared}\n#define SUM_REGISTERS {registers}\n"
                      f"#define SUM_STATE {values}\n"])


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
