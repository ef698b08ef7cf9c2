"""Refusing machine code whose result LLVM leaves open.

Shifts by a lane's width or more, overflow under a flag that denies it, division and
lanes that are not there give anything at all, a different thing each time. What a
kernel's vectors go through is listed here with the rule under which it is defined
for all operands; an instruction without a rule is refused.
"""

from __future__ import annotations

import re

from llvmlite import ir

from fxp.trace.graph import SpecError

__all__ = ["check_defined"]

SHIFTS = ("shl", "lshr", "ashr")
DIVISIONS = ("sdiv", "udiv", "srem", "urem")
TOTAL = ("add", "sub", "mul", "and", "or", "xor", "icmp", "select", "zext", "sext", "trunc",
         "bitcast", "load", "store", "phi",
         "shufflevector")  # whose lanes llvmlite checks
CALLS = re.compile(
    r"llvm\.([su](min|max|add\.sat|sub\.sat)|masked\.(load|store)|ctpop|vector\.reduce\.umax)"
    r"\.v\d+i\d+"
    r"|llvm\.x86\.(avx2\.(pshuf\.b|pmul\.hr\.sw|pmadd\.(ub\.sw|wd)|gather\.d\.d)"
    r"|avx512\.(pmul\.hr\.sw|pmaddubs\.w|pmaddw\.d|vpdpbusd|permvar\.([hq]i|si)"
    r"|vpermi2var\.([hq]i|d)|mask\.gather\.dpi|mask\.compress\.v8i64))\b")


def check_defined(function: ir.Function, ours: bool = True) -> None:
    """Raise SpecError for an instruction that is not defined for all its operands.

    Scalars are addresses and loop counts, of 64 bits: of them only shifts and
    divisions are looked at, and none in a function that is not wholly ours, as Numba
    guards those that it makes.
    """
    for block in function.blocks:
        for instruction in block.instructions:
            if not ours and not _has_lanes(instruction):
                continue
            if fault := _fault(instruction):
                raise SpecError(f"{function.name}: {fault}: {str(instruction).strip()}")


def _fault(instruction) -> str:
    """Return what is wrong, or nothing."""
    name, operands = instruction.opname, instruction.operands
    if name in SHIFTS:
        return _shift_fault(instruction)
    if not _has_lanes(instruction):
        unsafe = name in DIVISIONS and not _is_nonzero(operands[1])
        return "a division by what may be zero" if unsafe else ""
    if instruction.flags:
        return f"the flags {', '.join(instruction.flags)} deny an overflow"
    if name == "call":
        return "" if CALLS.match(instruction.callee.name) else "a call without a rule"
    if name in ("extractelement", "insertelement"):
        count = operands[0].type.count
        return "" if _all_below(operands[-1], count) else f"a lane outside 0..{count - 1}"
    return "" if name in TOTAL else "an instruction without a rule"


def _has_lanes(instruction) -> bool:
    return any(isinstance(v.type, ir.VectorType) for v in (instruction, *instruction.operands))


def _shift_fault(instruction) -> str:
    kind = instruction.type
    width = getattr(kind, "element", kind).width
    if instruction.flags:
        return f"the flags {', '.join(instruction.flags)} deny an overflow"
    fine = _all_below(instruction.operands[1], width)
    return "" if fine else f"a shift count outside 0..{width - 1}"


def _is_nonzero(value) -> bool:
    """Whether it is a constant that is not zero, or has bits of one."""
    if getattr(value, "opname", "") == "or":
        return any(map(_is_nonzero, value.operands))
    return 0 not in (_numbers(value) or [0])


def _all_below(value, bound: int) -> bool:
    """Whether it is a constant with numbers from 0 to below the bound."""
    numbers = _numbers(value)
    return numbers is not None and all(0 <= n < bound for n in numbers)


def _numbers(value) -> list[int] | None:
    """Return the numbers of a constant, None for what is no constant."""
    if not isinstance(value, ir.Constant):
        return None
    if value.constant is None:  # zeros
        return [0]
    many = value.constant if isinstance(value.constant, (list, tuple)) else [value]
    return [n.constant for n in many]
