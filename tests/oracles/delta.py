"""The truth of D+(d) = log2(1 + 2**-d) and D-(d) = log2(1 - 2**-d) as methods state it.

Each delta_* returns D of the gap d = gap * 2**-frac in units of 2**-frac; opposite
asks for D-. None stands for minus infinity: the terms cancel. bound_* returns how far a method
may be from D that is stated by its error. Reals are decimals
of 60 digits, rounded half to even.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import floor

# Wide exponents: a coarse format of 32 bits reaches 2**(2**30).
DIGITS = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)


def delta_exact(gap, opposite, frac):
    """Return D to the nearest unit."""
    if gap == 0 and opposite:
        return None
    return units(gauss(Fraction(gap, 2**frac), opposite), frac)


def delta_lut(gap, opposite, frac, r, dmax, index="round", sample="edge"):
    """Return D from a table of cells of width r (at least a unit) up to dmax.

    index takes the nearest cell edge or the cell that holds d; sample is D at the
    edge, at the middle (truncated index only) or its mean over the cell.
    """
    cell, cells = cell_units(frac, r, dmax)
    if gap == 0 and opposite:
        return None
    k = {"round": (gap + cell // 2) // cell, "truncate": gap // cell}[index]
    if k >= cells:
        return 0
    if k == 0 and opposite and sample == "edge":
        return None
    width = Fraction(cell, 2**frac)
    if sample == "edge":
        return units(gauss(k * width, opposite), frac)
    if sample == "mid":
        assert index == "truncate", "a rounded index has its edge in the middle"
        return units(gauss((k + Fraction(1, 2)) * width, opposite), frac)
    assert sample == "mean", sample
    shift = Fraction(1, 2) if index == "round" else 0
    first, last = max(0, (k - shift) * width), (k + 1 - shift) * width
    return units(mean(Fraction(first), last, opposite), frac)


def delta_interp(gap, opposite, frac, r, dmax):
    """Return D interpolated between the edges of a table; D- is exact below r."""
    cell, cells = cell_units(frac, r, dmax)
    if opposite and gap < cell:
        return delta_exact(gap, opposite, frac)
    k, j = divmod(gap, cell)
    if k >= cells:
        return 0
    left = delta_exact(k * cell, opposite, frac)
    right = delta_exact((k + 1) * cell, opposite, frac) if k + 1 < cells else 0
    return left + floor(Fraction((right - left) * j, cell) + Fraction(1, 2))


def delta_bitshift(gap, opposite, frac):
    """Return 2**-i, or -1.5 * 2**-i, cut to units by floor; i = floor(d)."""
    if gap == 0 and opposite:
        return None
    # No further than where all is cut to 0, else 2**i would fill the memory.
    i = min(gap // 2**frac, frac + 3)
    power = Fraction(2**frac, 2**i)
    return -floor(power * Fraction(3, 2)) if opposite else floor(power)


def delta_mitchell(gap, opposite, frac):
    """Return t = (1 - f/2) * 2**-i cut by floor, or -(2t + c); d = i + f."""
    if gap == 0 and opposite:
        return None
    d = Fraction(gap, 2**frac)
    i = min(floor(d), frac + 3)
    t = floor((1 - (d - floor(d)) / 2) * 2**frac / 2**i)
    if not opposite:
        return t
    limits = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 16)]
    return -(2 * t + sum(d < limit for limit in limits) * 2**frac)


def delta_balanced(gap, opposite, frac):
    """Return 11/8 t - 3/8 u or -(11/8 t + 5/4 u), rounded half up in size, from t and u =
    (1 - f/2) * 2**-i of d and 2d cut to frac + 5 bits; for opposite d < 1 Mitchell's
    logarithm of d less 1/2 and d/2."""
    if gap == 0 and opposite:
        return None
    d = Fraction(gap, 2**frac)
    if opposite and d < 1:
        place = 0
        while d * 2**place < 1:
            place += 1
        log = d * 2**place - 1 - place
        return int(log * 2**frac) - 2**frac // 2 - (gap + 1) // 2

    def antilog(x):
        whole = floor(x)
        cut = 2 ** (frac + 5)
        return Fraction(floor((1 - (x - whole) / 2) / 2**whole * cut), cut)

    t, u = antilog(d), antilog(2 * d)
    size = Fraction(11, 8) * t + (Fraction(5, 4) if opposite else -Fraction(3, 8)) * u
    rounded = floor(size * 2**frac + Fraction(1, 2))
    return -rounded if opposite else rounded


def delta_cells(gap, opposite, frac_given, plus, minus, frac):
    """Return the value of the last cell that does not start above d, rounded half up; cells
    START:VALUE are in units of 2**-frac, and zero is minus infinity. With more than frac
    fraction bits given D is sampled in the middle of cells of 1/4 octave up to 16."""
    if frac_given > frac:
        return delta_lut(gap, opposite, frac_given, Fraction(1, 4), 16, "truncate", "mid")
    d, value = Fraction(gap, 2**frac_given), None
    for cell in (minus if opposite else plus).split("_"):
        start, _, word = cell.partition(":")
        if Fraction(int(start), 2**frac) <= d:
            value = word
    return None if value == "zero" else floor(Fraction(int(value), 2**frac) * 2**frac_given
                                              + Fraction(1, 2))


def bound_pwl(opposite, frac, segments, error):
    """Return how far from the real D, in units, D by line segments may be at any gap: what
    `error` states; without one what so many segments with slopes of powers of two, each as
    long as it can be, have from D to the nearest unit, as bisection finds it, and the half
    unit to that. The last segment is 0, from where D+ and D- are nearest to 0."""
    if error:
        return Fraction(error) * 2**frac
    first, wanted = int(opposite), []
    while not wanted or delta_exact(first + len(wanted) - 1, True, frac) != 0:
        wanted.append(delta_exact(first + len(wanted), opposite, frac))
    least, most = 0, max(wanted) - min(wanted) + 1
    while least < most:
        middle = (least + most) // 2
        if longest_lines(wanted, middle, 1 if opposite else -1, frac) < segments:
            most = middle
        else:
            least = middle + 1
    return most + Fraction(1, 2)


def longest_lines(wanted, most, sign, frac):
    """Return how many lines, each a start and a rise of 2**-shift a unit, cut to units by
    floor, are nowhere more than `most` from the wanted values, each as long as it can be."""
    count = 0
    while wanted:
        longest = 0
        for shift in range(-frac, 13):
            rests = []
            for along, value in enumerate(wanted):
                rise = along // 2**shift if shift >= 0 else along * 2**-shift
                rests.append(value - sign * rise)
                if max(rests) - min(rests) > 2 * most:
                    break
                longest = max(longest, along + 1)
        wanted, count = wanted[longest:], count + 1
    return count


def cell_units(frac, r, dmax):
    """Return the width of a cell in units, and the number of cells below dmax."""
    cell = max(Fraction(1), Fraction(r) * 2**frac)
    cells = Fraction(dmax) * 2**frac / cell
    assert cell.denominator == cells.denominator == 1, "cells do not fill 0..dmax"
    return int(cell), int(cells)


def units(x: Decimal, frac) -> int:
    """Return x in units of 2**-frac, the nearest, ties to even."""
    with localcontext(DIGITS):
        return int((x * 2**frac).to_integral_value(ROUND_HALF_EVEN))


@cache
def gauss(d: Fraction, opposite) -> Decimal:
    """Return D at d."""
    with localcontext(DIGITS):
        q = 2 ** -decimal(d)
        return log2(1 - q if opposite else 1 + q)


@cache
def mean(first: Fraction, last: Fraction, opposite) -> Decimal:
    """Return the mean of D over first..last.

    D- minus log2(d) is smooth down to d = 0, where it is log2(ln 2); the mean of
    log2(d) has a formula.
    """
    def smooth(d):
        if not opposite:
            return log2(1 + 2**-d)
        return log2((1 - 2**-d) / d if d else Decimal(2).ln())

    with localcontext(DIGITS):
        a, b = decimal(first), decimal(last)
        answer = romberg(smooth, a, b)
        if opposite:
            ends = b * log2(b) - (a * log2(a) if a else 0)
            answer += ends / (b - a) - 1 / Decimal(2).ln()
        return answer


def romberg(f, a, b):
    """Return the mean of a smooth f over a..b to 35 digits: trapezia with ever more
    panels, extrapolated to infinitely many.
    """
    row, panels = [(f(a) + f(b)) / 2], 1
    while True:
        middles = [f(a + (b - a) * (2 * i + 1) / (2 * panels)) for i in range(panels)]
        new = [(row[0] + sum(middles) / panels) / 2]
        for power, old in enumerate(row, 1):
            new.append(new[-1] + (new[-1] - old) / (4**power - 1))
        if abs(new[-1] - row[-1]) < Decimal(10) ** -35:
            return new[-1]
        row, panels = new, 2 * panels


def decimal(x: Fraction) -> Decimal:
    """Return x; exact where x has a finite decimal of 60 digits."""
    return Decimal(x.numerator) / x.denominator


def log2(x: Decimal) -> Decimal:
    """Return the logarithm to base 2."""
    return x.ln() / Decimal(2).ln()
