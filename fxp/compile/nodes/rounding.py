"""Products that are rounded at once: (x y + 2**(n-1)) >> n, whose product a lane need not hold.

In lanes of 16 bits AVX2 and AVX-512 have it as one instruction for n = 15 (pmulhrsw): y is
moved up by 15 - n bits first. Elsewhere the product is taken in lanes twice as wide. Where
x = y = -2**15 the instruction wraps; the result would not fit, so ranges exclude it.
"""

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir

from fxp.compile.nodes.banks import intrinsic
from fxp.trace.graph import Node

__all__ = ["RoundedProduct", "emit_rounded", "rounded_half", "rounded_product"]

WIDTH = 16
INSTRUCTIONS = {"avx512": "llvm.x86.avx512.pmul.hr.sw.512", "avx2": "llvm.x86.avx2.pmul.hr.sw"}
TOP = (1 << (WIDTH - 1)) - 1


class RoundedProduct(NamedTuple):
    """(x y + 2**(n-1)) >> n, as a node: x and y fit the lane, and y << up does."""

    x: Node
    y: Node
    up: int
    inner: tuple[Node, Node]  # the product and the sum, which are not held

    @property
    def operands(self) -> list[Node]:
        return [self.x, self.y]


def rounded_product(node: Node, width: int) -> RoundedProduct | None:
    """Return the node as a rounded product in lanes of this width; None if it is none."""
    if width != WIDTH or node.op != "shr":
        return None
    total, drop = node.args[0], node.args[1].low
    if total.op != "add" or not 1 <= drop < WIDTH:
        return None
    product, half = total.args
    if product.op != "mul" or not half.is_const or half.low != 1 << (drop - 1):
        return None
    for x, y in (product.args, product.args[::-1]):
        if _fits(x, 0) and _fits(y, WIDTH - 1 - drop) and not y.is_const and _fits(node, 0):
            return RoundedProduct(x, y, WIDTH - 1 - drop, (product, total))
    return None


def _fits(node: Node, up: int) -> bool:
    return -TOP - 1 <= node.low << up and node.high << up <= TOP


def emit_rounded(builder: ir.IRBuilder, level: str, x, y):
    """Return (x y + 2**14) >> 15 in every lane of 16 bits, on a kind of processor."""
    if level in INSTRUCTIONS:
        return intrinsic(builder, INSTRUCTIONS[level], x.type, x, y)
    wide = ir.VectorType(ir.IntType(2 * WIDTH), x.type.count)

    def all_lanes(value: int) -> ir.Constant:
        return ir.Constant(wide, [value] * wide.count)

    product = builder.mul(builder.sext(x, wide), builder.sext(y, wide))
    rounded = builder.add(builder.lshr(product, all_lanes(WIDTH - 2)), all_lanes(1))
    return builder.trunc(builder.lshr(rounded, all_lanes(1)), x.type)


def rounded_half(builder: ir.IRBuilder, level: str, x, drop: int):
    """Return (x + 2**(drop-1)) >> drop in every lane of 16 bits: half of its product with
    2**(16-drop), rounded."""
    factor = ir.Constant(x.type, [1 << (WIDTH - 1 - drop)] * x.type.count)
    return emit_rounded(builder, level, x, factor)
