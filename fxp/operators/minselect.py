"""The min-selector: a product's sign, and the smaller magnitude for its size.

    z = sgn(x) sgn(y) * gain * min(|x|, ratio * |y|)

stands for x * y in MinConvNets (Yang et al., arXiv 2101.09492), there with
ratio = mu_x / mu_y and gain = mu_y, mu a mean absolute value. For independent
half-normal operands of mean 1 the gain 1.7071 = 1 + 1/sqrt 2 makes the mean right,
and 1.9459 = 1 / (sqrt 2 (1 - 2/pi)) the squared error least: 7/4 and 2 are near, at
seven fraction bits 219/128 (1.7109) and 249/128 (1.9453). A gain of 2**k, and a
ratio of 2**k, take no multiplier.
"""

from __future__ import annotations

from fractions import Fraction

from fxp.format import Fixed, FormatError
from fxp.spec import overflow, round_shift
from fxp.text.dyadic import dyadic
from fxp.trace.bits import maximum, minimum, where

__all__ = ["dropped_bits", "exact_product", "minselect", "minselect_mac", "read_gain",
           "read_ratio"]

LARGEST = 1 << 8  # with eight fraction bits each, 32-bit words stay within 64 bits


def read_ratio(given) -> Fraction:
    """Return the ratio that a text means: 1/256..256 in steps of 1/256."""
    return _positive("ratio", given)


def read_gain(given) -> Fraction:
    """Return the gain that a text means: 1/256..256 in steps of 1/256."""
    return _positive("gain", given)


def dropped_bits(ratio: Fraction, gain: Fraction) -> int:
    """Return how many fraction bits the rounding of a min-selector drops."""
    return _scale(ratio, gain)[1]


def minselect(x, y, f: Fixed, ratio: Fraction, gain: Fraction, rounding="nearest-even",
              mode="saturate", random=0):
    """Return sgn(x) sgn(y) * gain * min(|x|, ratio * |y|), rounded once to f.

    Equal magnitudes give that magnitude; a zero operand gives zero. |x| of the
    lowest word is exact.
    """
    product, dropped = exact_product(x, y, ratio, gain)
    return overflow(round_shift(product, dropped, rounding, random), f, mode)


def minselect_mac(acc, x, y, f: Fixed, ratio: Fraction, gain: Fraction,
                  rounding="nearest-even", mode="saturate", random=0):
    """Return acc + sgn(x) sgn(y) * gain * min(|x|, ratio * |y|), rounded once to f."""
    product, dropped = exact_product(x, y, ratio, gain)
    total = (acc << dropped) + product
    return overflow(round_shift(total, dropped, rounding, random), f, mode)


def exact_product(x, y, ratio: Fraction, gain: Fraction):
    """Return gain * min(|x|, ratio * |y|) with its sign, exact, and how many fraction
    bits it has more than x."""
    finer = ratio.denominator.bit_length() - 1
    size = minimum(maximum(x, 0 - x) << finer, _times(maximum(y, 0 - y), ratio.numerator))
    factor, dropped = _scale(ratio, gain)
    scaled = _times(size, factor)
    return where((x < 0) ^ (y < 0), 0 - scaled, scaled), dropped


def _scale(ratio: Fraction, gain: Fraction) -> tuple[int, int]:
    """Return what multiplies min(|x| * q, |y| * p), ratio p / q, and the bits to drop then."""
    factor = gain / ratio.denominator
    return factor.numerator, factor.denominator.bit_length() - 1


def _times(x, factor: int):
    """Return x * factor, a shift where the factor is a power of two."""
    if factor & (factor - 1):
        return x * factor
    return x << (factor.bit_length() - 1)


def _positive(name: str, given) -> Fraction:
    value = dyadic(name, given, 8)
    if not 0 < value <= LARGEST:
        raise FormatError(f"{name} must be above 0 and at most {LARGEST}, got {value}")
    return value
