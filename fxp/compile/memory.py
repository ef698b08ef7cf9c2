"""What Numba's functions need to reach memory by address."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["pointer", "word"]


@intrinsic
def word(typingctx, address):
    """Return the 64 bits at an address."""
    def generate(context, builder, signature, values):
        return builder.load(builder.inttoptr(values[0], ir.IntType(64).as_pointer()), align=8)

    return types.int64(types.int64), generate


@intrinsic
def pointer(typingctx, address, dtype):
    """Return the address as Numba's carray takes it, of numbers of this type."""
    def generate(context, builder, signature, values):
        return builder.inttoptr(values[0], context.get_value_type(signature.return_type))

    return types.CPointer(dtype.instance_type)(types.int64, dtype), generate
