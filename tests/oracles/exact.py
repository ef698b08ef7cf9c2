"""The truth that the project's arithmetic is judged by: Fractions and 60 digits.

It imports nothing of the project and is written for one thing, to be plainly
right: words go in as ints, become exact numbers, and come back as words.

    fixed_*   fixed-point words of the format (bits, frac, signed); the units that
              approximate products and functions from oracle_units
    lns_*     logarithmic words, from oracle_lns
    delta_*   the functions D of a logarithmic sum, from oracle_delta
"""

from __future__ import annotations

from oracles.delta import (
    bound_pwl,
    delta_balanced,
    delta_bitshift,
    delta_cells,
    delta_exact,
    delta_interp,
    delta_lut,
    delta_mitchell,
)
from oracles.fixed import fixed_quantise, fixed_range, fixed_value, rounded
from oracles.lns import (
    lns_abs,
    lns_add,
    lns_compare,
    lns_decode,
    lns_div,
    lns_dot,
    lns_encode,
    lns_from_real,
    lns_mac,
    lns_mul,
    lns_neg,
    lns_power,
    lns_resize,
    lns_sqrt,
    lns_sub,
    lns_sum,
    lns_to_real,
)
from oracles.units import (
    fixed_minselect,
    fixed_minselect_mac,
    fixed_pwl,
    fixed_spindle,
    fixed_xnor_popcount,
)

__all__ = ["bound_pwl", "delta_balanced", "delta_bitshift", "delta_cells", "delta_exact",
           "delta_interp", "delta_lut", "delta_mitchell", "fixed_abs", "fixed_add",
           "fixed_compare", "fixed_dot",
           "fixed_mac", "fixed_max", "fixed_min", "fixed_minselect", "fixed_minselect_mac",
           "fixed_mul", "fixed_neg", "fixed_pwl", "fixed_quantise", "fixed_range",
           "fixed_resize", "fixed_spindle", "fixed_sub", "fixed_value", "fixed_xnor_popcount",
           "lns_abs", "lns_add", "lns_compare", "lns_decode",
           "lns_div", "lns_dot", "lns_encode", "lns_from_real", "lns_mac", "lns_mul",
           "lns_neg", "lns_power", "lns_resize", "lns_sqrt", "lns_sub", "lns_sum",
           "lns_to_real", "rounded"]


def fixed_add(x, y, bits, frac, signed=True, overflow="saturate"):
    """Return x + y."""
    a, b = (fixed_value(w, bits, frac, signed) for w in (x, y))
    return fixed_quantise(a + b, bits, frac, signed, overflow=overflow)


def fixed_sub(x, y, bits, frac, signed=True, overflow="saturate"):
    """Return x - y."""
    a, b = (fixed_value(w, bits, frac, signed) for w in (x, y))
    return fixed_quantise(a - b, bits, frac, signed, overflow=overflow)


def fixed_neg(x, bits, frac, signed=True, overflow="saturate"):
    """Return -x."""
    a = fixed_value(x, bits, frac, signed)
    return fixed_quantise(-a, bits, frac, signed, overflow=overflow)


def fixed_abs(x, bits, frac, signed=True, overflow="saturate"):
    """Return |x|."""
    a = fixed_value(x, bits, frac, signed)
    return fixed_quantise(abs(a), bits, frac, signed, overflow=overflow)


def fixed_min(x, y, bits, frac, signed=True):
    """Return the word of the smaller value."""
    return min(x, y, key=lambda w: fixed_value(w, bits, frac, signed))


def fixed_max(x, y, bits, frac, signed=True):
    """Return the word of the larger value."""
    return max(x, y, key=lambda w: fixed_value(w, bits, frac, signed))


def fixed_compare(x, y, bits, frac, signed=True):
    """Return -1, 0 or 1 as x is below, at or above y."""
    a, b = (fixed_value(w, bits, frac, signed) for w in (x, y))
    return (a > b) - (a < b)


def fixed_resize(x, bits, frac, signed, to_bits, to_frac, to_signed,
                 rounding="nearest-even", overflow="saturate", random=0):
    """Return the word of another format for x."""
    return fixed_quantise(fixed_value(x, bits, frac, signed), to_bits, to_frac,
                          to_signed, rounding, overflow, random,
                          max(frac - to_frac, 0))


def fixed_mul(x, y, bits, frac, signed=True, rounding="nearest-even",
              overflow="saturate", random=0):
    """Return x * y, rounded once."""
    return fixed_mac(0, x, y, bits, frac, signed, rounding, overflow, random)


def fixed_mac(acc, x, y, bits, frac, signed=True, rounding="nearest-even",
              overflow="saturate", random=0):
    """Return acc + x * y, exact until it is rounded once."""
    a, b, c = (fixed_value(w, bits, frac, signed) for w in (x, y, acc))
    return fixed_quantise(c + a * b, bits, frac, signed, rounding, overflow,
                          random, dropped=frac)


def fixed_dot(xs, ys, init, bits, frac, signed=True, rounding="nearest-even",
              overflow="saturate", per_step=False, randoms=None):
    """Return init + the sum of x * y: rounded once at the end, or after each term.

    randoms holds one number for each rounding.
    """
    f = bits, frac, signed
    if per_step:
        for x, y, random in zip(xs, ys, randoms or [0] * len(xs), strict=True):
            init = fixed_mac(init, x, y, *f, rounding, overflow, random)
        return init
    exact = fixed_value(init, *f) + sum(fixed_value(x, *f) * fixed_value(y, *f)
                                        for x, y in zip(xs, ys, strict=True))
    [random] = randoms or [0]
    return fixed_quantise(exact, *f, rounding, overflow, random, dropped=frac)
