"""Delta methods by table: exact, sampled in cells, interpolated."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from fxp.format import FormatError
from fxp.trace.bits import Table, lookup, minimum, where
from lnsarith.delta.gauss import first_zero, gauss, gauss_mean, gauss_words
from lnsarith.delta.method import Delta, by_table, cancelling, paired, remembered

__all__ = ["Exact", "Interp", "Lut"]

MOST_ENTRIES = 1 << 18


@dataclass(frozen=True)
class Exact(Delta):
    """D+ and D- rounded to nearest, as far as they are not zero."""

    name = "exact"

    @remembered
    def at(self, frac, cancel):
        if frac > 14:
            raise FormatError(f"the exact table of {frac} fraction bits has more than 250000 "
                              "entries; use delta interp or lut, or at most 14 fraction bits")
        count = first_zero(frac)
        same = gauss_words(range(count), False, frac)
        minus = gauss_words(range(1, count), True, frac)
        return by_table("exact", same + [0], [cancel, *minus, 0], 0, 0)


@dataclass(frozen=True)
class Lut(Delta):
    """A table with one entry per cell of width r, zero from dmax on.

    index round takes the nearest multiple of r, truncate the one below; an entry
    samples its cell at the edge, the mid-point or as the cell mean. The default
    is the 20-entry table of Sanyal, Beerel and Chugg (ICASSP 2020). With sample
    edge the whole first cell of D- cancels to exact zero, else only gap 0 does.
    """

    name = "lut"

    r: Fraction = Fraction(1, 2)
    dmax: Fraction = Fraction(10)
    index: str = "round"
    sample: str = "edge"

    def __post_init__(self):
        _power_of_two("r", self.r)
        _choice("index", self.index, ("round", "truncate"))
        _choice("sample", self.sample, ("edge", "mid", "mean"))
        _multiple("dmax", self.dmax, self.r)
        if (self.index, self.sample) == ("round", "mid"):
            raise FormatError("sample=mid goes with index=truncate (a rounded index is the "
                              "mid-point of its cell already: sample=edge)")

    @remembered
    def at(self, frac, cancel):
        cell = max(Fraction(1), self.r * (1 << frac)) / (1 << frac)
        _limit("lut", self.dmax / cell / (1 << frac), frac)
        count = int(self.dmax / cell)
        offset = cell / 2 if self.index == "round" else Fraction(0)
        same, minus = ([self._entry(k, cell, offset, opposite, frac, cancel)
                        for k in range(count)] + [0] for opposite in (False, True))
        half = int(offset * (1 << frac))
        spec = by_table("lut", same, minus, half, int(cell * (1 << frac)).bit_length() - 1)
        return spec if self.sample == "edge" else cancelling(spec, cancel)

    def _entry(self, k, cell, offset, opposite, frac, cancel):
        if self.sample == "mean":
            low, high = max(Fraction(0), k * cell - offset), (k + 1) * cell - offset
            return gauss_mean(low, high, opposite, frac)
        point = k * cell + (cell / 2 if self.sample == "mid" else 0)
        return cancel if opposite and point == 0 else gauss(point, opposite, frac)


@dataclass(frozen=True)
class Interp(Delta):
    """A table every r, interpolated linearly; D- below r is exact, entry by entry."""

    name = "interp"

    r: Fraction = Fraction(1, 4)
    dmax: Fraction = Fraction(12)

    def __post_init__(self):
        _power_of_two("r", self.r)
        _multiple("dmax", self.dmax, self.r)

    @remembered
    def at(self, frac, cancel):
        _limit("interp", max(self.r, self.dmax / self.r / (1 << frac)), frac)
        cell = int(max(Fraction(1), self.r * (1 << frac)))
        shift = cell.bit_length() - 1
        count = int(self.dmax * (1 << frac)) // cell

        def knots(opposite):
            inner = gauss_words(range(cell, count * cell, cell), opposite, frac)
            return [0 if opposite else 1 << frac, *inner, 0, 0]

        same, minus = knots(False), knots(True)
        near = Table("near", [cancel, *gauss_words(range(1, cell), True, frac)])
        base, half = paired("knots", same, minus)
        slope, _ = paired("slopes", _steps(same), _steps(minus))

        def delta(gap, opposite):
            index = minimum(gap >> shift, count) | (opposite & half)
            rise = lookup(slope, index) * (gap & (cell - 1))
            far = lookup(base, index) + ((rise + (cell >> 1)) >> shift)
            close = lookup(near, minimum(gap, cell - 1))
            return where((opposite != 0) & (gap < cell), close, far)

        return delta


def _steps(knots) -> list[int]:
    return [b - a for a, b in zip(knots, knots[1:])] + [0]


def _limit(name: str, size: Fraction, frac: int):
    """Refuse a table of size * 2**frac entries where that is too many."""
    entries = int(size * (1 << frac))
    if entries > MOST_ENTRIES:
        raise FormatError(f"delta {name} would take a table of {entries} entries at {frac} "
                          f"fraction bits; more than {MOST_ENTRIES} are refused: another r would "
                          "do, or fewer fraction bits")


def _power_of_two(name: str, value: Fraction):
    p, q = value.numerator, value.denominator
    if p <= 0 or p & (p - 1) or q & (q - 1) or not Fraction(1, 1 << 30) <= value <= 8:
        raise FormatError(f"{name} must be a power of two up to 8, got {value}")


def _multiple(name: str, value: Fraction, of: Fraction):
    if value <= 0 or value > 64 or value / of != int(value / of):
        raise FormatError(f"{name} must be a multiple of r = {of} up to 64, got {value}")


def _choice(name: str, value: str, choices):
    if value not in choices:
        raise FormatError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
