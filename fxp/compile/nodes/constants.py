"""Constant tables in a module's memory."""

from __future__ import annotations

import hashlib

import numpy as np
from llvmlite import ir
from numba.core import cgutils

__all__ = ["table_bytes"]

BYTE = ir.IntType(8)


def table_bytes(module: ir.Module, numbers: np.ndarray, width: int):
    """Return a pointer to the first byte of the numbers, of so many bits each, in the module's
    memory; one spare entry or more lies behind them."""
    digest = hashlib.sha256(numbers.tobytes()).hexdigest()
    name = f".table.{digest[:32]}.{width}"
    if name not in module.globals:  # bytes are many times faster than numbers
        data = np.append(numbers, [0, 0]).astype(f"<i{width // 8}").tobytes()
        array = ir.Constant(ir.ArrayType(BYTE, len(data)), bytearray(data))
        cgutils.global_constant(module, name, array).align = 64
    return module.globals[name].bitcast(BYTE.as_pointer())
