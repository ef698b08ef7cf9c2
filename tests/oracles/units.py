"""The truth of the approximate units: min-selector, shifted ReLUs, lines, equal bits.

Units and segments come as the text that the operators take, and are read here anew.
"""

from __future__ import annotations

from fractions import Fraction

from oracles.fixed import fixed_quantise, fixed_value


def fixed_minselect(x, y, bits, frac, signed, ratio, gain, rounding="nearest-even",
                    overflow="saturate", random=0):
    """Return sgn(x) sgn(y) gain min(|x|, ratio |y|), rounded once."""
    return fixed_minselect_mac(0, x, y, bits, frac, signed, ratio, gain, rounding, overflow,
                               random)


def fixed_minselect_mac(acc, x, y, bits, frac, signed, ratio, gain, rounding="nearest-even",
                        overflow="saturate", random=0):
    """Return acc + sgn(x) sgn(y) gain min(|x|, ratio |y|), exact until it is rounded once."""
    a, b, c = (fixed_value(w, bits, frac, signed) for w in (x, y, acc))
    size = gain * min(abs(a), ratio * abs(b))
    total = c - size if (a < 0) != (b < 0) else c + size
    # The smaller magnitude is a multiple of 2**-frac / denominator of the ratio.
    dropped = (gain / ratio.denominator).denominator.bit_length() - 1
    return fixed_quantise(total, bits, frac, signed, rounding, overflow, random, dropped)


def fixed_spindle(x, bits, frac, signed, units, to_bits, to_frac, to_signed, rounding):
    """Return offset + sum of gain max(0, x - knee), or max(0, knee - x) if it says left."""
    a, total = fixed_value(x, bits, frac, signed), Fraction(0)
    for part in units.split(","):
        if part.startswith("offset="):
            total += number(part.removeprefix("offset="))
            continue
        knee, gain, *left = part.split(":")
        away = number(knee) - a if left else a - number(knee)
        total += number(gain) * max(away, 0)
    return fixed_quantise(total, to_bits, to_frac, to_signed, rounding)


def fixed_spindle_gradient(x, d, f, g, units):
    """Return d times the sum of the gains of units at work, left ones negative; x is a word
    of f, d of g: (bits, frac)."""
    a, slope = fixed_value(x, *f), Fraction(0)
    for part in units.split(","):
        if part.startswith("offset="):
            continue
        knee, gain, *left = part.split(":")
        if left and a < number(knee):
            slope -= number(gain)
        elif not left and a > number(knee):
            slope += number(gain)
    return fixed_quantise(slope * fixed_value(d, *g), *g)


def fixed_pwl(x, bits, frac, signed, segments, to_bits, to_frac, to_signed, rounding):
    """Return slope x + intercept by the last segment whose start is not above x."""
    a = fixed_value(x, bits, frac, signed)
    first, *later = (part.split(":") for part in segments.split(","))
    reached = [first] + [rest for start, *rest in later if number(start) <= a]
    slope, intercept = map(number, reached[-1])
    return fixed_quantise(slope * a + intercept, to_bits, to_frac, to_signed, rounding)


def fixed_xnor_popcount(x, y, bits, frac, signed):
    """Return how many of the bits of two unsigned words are equal."""
    assert frac == 0 and not signed
    return sum(a == b for a, b in zip(f"{x:0{bits}b}", f"{y:0{bits}b}", strict=True))


def number(text) -> Fraction:
    """Return the number that 3/8, -0.25 or +2^-5 means."""
    if "^" not in text:
        return Fraction(text)
    base, exponent = text.split("^")
    return (-1 if base.startswith("-") else 1) * Fraction(2) ** int(exponent)
