"""The loops over lanes, compiled at their first use."""

from __future__ import annotations

from fxp.compile.loading import compiler
from nets.layers.lanes.common import COMMON
from nets.layers.lanes.products import PRODUCTS
from nets.layers.lanes.selectors import SELECTORS

__all__ = ["LANES", "OUTPUTS", "kernels", "padded_to", "taken_together"]

LANES = 16  # batches are padded to a multiple
OUTPUTS = 4  # outputs taken at a time; packed weights and what goes with them are padded to it


def kernels():
    """Return the module of the loops.

    Packed weights are blocks x depth x ... x OUTPUTS; scale, bias and columns of dw are
    padded to as many outputs; y and dy have OUTPUTS more rows than positions x outputs.

    turn(a, out)                        out[:, :rows of a] = a transposed
    pack(w, weights)                    weights, OUTPUTS together, for products:
    multiply(x, places, weights, bias, y, outputs, first, last)        y = sum w x + bias
    multiply_back(dx, places, weights, dy, outputs, first, last)       dx += sum w dy
                                        both of the lanes first..last
    multiply_weights(x, places, dw, dy, outputs, first, last)          dw += sum x dy
                                        of the outputs first..last, multiples of OUTPUTS
    pack_limits(w, ratio, weights)      a = ratio |w| and sgn(w), OUTPUTS together; where a
                                        is 0, the least number and 0; for min-selectors:
    select(x, places, weights, scale, bias, y, outputs)
        y = scale sum sgn(w) clamp(x, -a, a) + bias
    differentiate(x, places, weights, dy, dx, dw, outputs)
        adds the sub-gradients: sgn(w) dy to dx where |x| < a, sgn(x) dy to dw elsewhere
    """
    width = compiler().target().lanes(32)
    head = (f"WIDTH, VECTORS = {width}, {_vectors(width)}\n"
            f"LANES, OUTPUTS = {LANES}, {OUTPUTS}\n")
    return compiler().compile_module("lanes", head + COMMON + PRODUCTS + SELECTORS)


def taken_together() -> int:
    """Return how many images registers take of a product."""
    width = compiler().target().lanes(32)
    return padded_to(_vectors(width) * width, LANES)


def _vectors(width: int) -> int:
    return 4 if width == 16 else 2


def padded_to(number: int, multiple: int) -> int:
    """Return the number, up to the next multiple."""
    return -(-number // multiple) * multiple
