"""Delta methods: how the logarithm of a sum or difference is approximated.

For d = |X - Y| the exact corrections are D+(d) = log2(1 + 2**-d) and
D-(d) = log2(1 - 2**-d). Each method here is an operator of its own, a frozen
dataclass with parameters. `method.at(frac, cancel)` returns its spec,

    delta(gap, opposite) -> shift

over integers in units of 2**-frac: gap >= 0, opposite is 0 or -1 (all ones) for
D-. It answers `cancel` where the sum is exactly zero. Names and parameters are
written lut:r=1/4,dmax=10; see `parse`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction

from fxp.bits import Table, lookup, minimum, where
from fxp.format import FormatError
from lnsarith.convert import shift_right
from lnsarith.gauss import first_zero, gauss, gauss_mean
from lnsarith.pwl import fit_segments

__all__ = ["METHODS", "Balanced", "BitShift", "Delta", "Exact", "Interp", "Lut", "Mitchell",
           "Pwl", "parse"]

Spec = Callable


@dataclass(frozen=True)
class Delta:
    """A way to approximate D+ and D-."""

    def at(self, frac: int, cancel: int) -> Spec:
        """Return the spec delta(gap, opposite) for frac fraction bits."""
        raise NotImplementedError

    def __str__(self) -> str:
        given = [f"{f.name}={getattr(self, f.name)}" for f in fields(self)
                 if getattr(self, f.name) != f.default]
        name = next(k for k, v in METHODS.items() if v is type(self))
        return name + (":" + ",".join(given) if given else "")


@dataclass(frozen=True)
class Exact(Delta):
    """D+ and D- rounded to nearest, as far as they are not zero."""

    def at(self, frac, cancel):
        if frac > 14:
            raise FormatError(f"the exact table of {frac} fraction bits has more than 250000 "
                              "entries; use delta interp or lut, or at most 14 fraction bits")
        count = first_zero(frac)
        same = [gauss(Fraction(g, 1 << frac), False, frac) for g in range(count)]
        minus = [gauss(Fraction(g, 1 << frac), True, frac) for g in range(1, count)]
        return _by_table("exact", same + [0], [cancel, *minus, 0], 0, 0)


@dataclass(frozen=True)
class Lut(Delta):
    """A table with one entry per cell of width r, zero from dmax on.

    index round takes the nearest multiple of r, truncate the one below; an entry
    samples its cell at the edge, the mid-point or as the cell mean. The default
    is the 20-entry table of Sanyal, Beerel and Chugg (ICASSP 2020). With sample
    edge the whole first cell of D- cancels to exact zero, else only gap 0 does.
    """

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

    def at(self, frac, cancel):
        cell = max(Fraction(1), self.r * (1 << frac)) / (1 << frac)
        count = int(self.dmax / cell)
        offset = cell / 2 if self.index == "round" else Fraction(0)
        same, minus = ([self._entry(k, cell, offset, opposite, frac, cancel)
                        for k in range(count)] + [0] for opposite in (False, True))
        half = int(offset * (1 << frac))
        spec = _by_table("lut", same, minus, half, int(cell * (1 << frac)).bit_length() - 1)
        return spec if self.sample == "edge" else _cancelling(spec, cancel)

    def _entry(self, k, cell, offset, opposite, frac, cancel):
        if self.sample == "mean":
            low, high = max(Fraction(0), k * cell - offset), (k + 1) * cell - offset
            return gauss_mean(low, high, opposite, frac)
        point = k * cell + (cell / 2 if self.sample == "mid" else 0)
        return cancel if opposite and point == 0 else gauss(point, opposite, frac)


@dataclass(frozen=True)
class BitShift(Delta):
    """D+ as 1 and D- as -1.5, shifted right by floor(d) (ICASSP 2020, truncated)."""

    def at(self, frac, cancel):
        one = 1 << frac
        same = [one >> i for i in range(frac + 2)]
        minus = [-((3 * one) >> (i + 1)) for i in range(frac + 2)]
        return _cancelling(_by_table("shift", same, minus, 0, frac), cancel)


@dataclass(frozen=True)
class Mitchell(Delta):
    """D+ as Mitchell's antilogarithm t of -d, D- as -(2 t + c) with small steps c
    (LPVIP, as in the xlns library)."""

    def at(self, frac, cancel):
        one = 1 << frac
        steps = [(one // 16, 4), (one // 8, 3), (one // 4, 2), (one // 2, 1)]

        def delta(gap, opposite):
            t = _antilog(gap, frac, 0)
            c = 0
            for limit, value in reversed(steps):
                c = where(gap < limit, value << frac, c)
            return where(opposite != 0, 0 - (t << 1) - c, t)

        return _cancelling(delta, cancel)


@dataclass(frozen=True)
class Interp(Delta):
    """A table every r, interpolated linearly; D- below r is exact, entry by entry."""

    r: Fraction = Fraction(1, 4)
    dmax: Fraction = Fraction(12)

    def __post_init__(self):
        _power_of_two("r", self.r)
        _multiple("dmax", self.dmax, self.r)

    def at(self, frac, cancel):
        cell = int(max(Fraction(1), self.r * (1 << frac)))
        shift = cell.bit_length() - 1
        count = int(self.dmax * (1 << frac)) // cell

        def knots(opposite):
            inner = [gauss(Fraction(k * cell, 1 << frac), opposite, frac)
                     for k in range(1, count)]
            return [0 if opposite else 1 << frac, *inner, 0, 0]

        same, minus = knots(False), knots(True)
        near = Table("near", [cancel] + [gauss(Fraction(g, 1 << frac), True, frac)
                                         for g in range(1, cell)])
        base, half = _pair("knots", same, minus)
        slope, _ = _pair("slopes", _steps(same), _steps(minus))

        def delta(gap, opposite):
            index = minimum(gap >> shift, count) | (opposite & half)
            rise = lookup(slope, index) * (gap & (cell - 1))
            far = lookup(base, index) + ((rise + (cell >> 1)) >> shift)
            close = lookup(near, minimum(gap, cell - 1))
            return where((opposite != 0) & (gap < cell), close, far)

        return delta


@dataclass(frozen=True)
class Pwl(Delta):
    """Line segments with power-of-two slopes: intercept -+ (gap >> shift), fitted to
    the smallest maximum error with so many segments for D+ and for D- each."""

    segments: int = 16

    def __post_init__(self):
        if not 2 <= self.segments <= 64:
            raise FormatError(f"segments must be 2..64, got {self.segments}")

    def at(self, frac, cancel):
        plus = fit_segments(frac, False, self.segments)
        minus = fit_segments(frac, True, self.segments)

        def line(gap, parts, sign):
            value = 0
            for start, intercept, shift in parts:
                piece = intercept + sign * ((gap - start) >> shift)
                value = where(gap >= start, piece, value)
            return value

        def delta(gap, opposite):
            return where(opposite != 0, line(gap, minus, 1), line(gap, plus, -1))

        return _cancelling(delta, cancel)


@dataclass(frozen=True)
class Balanced(Delta):
    """Shifts and adds alone, with which sums of zero-mean terms keep their mean and size.

    For an unbiased accumulator 2**D+ + 2**D- = 2, so the parts of D+ and D- linear
    in 2**-d must be equal and opposite, and both must droop. With Mitchell's
    antilogarithm A(x) of -x and his logarithm L, t = A(d) and u = A(2 d):

        D+ = 11/8 t - 3/8 u
        D- = -11/8 t - 5/4 u          for d >= 1
        D- = L(d) - 1/2 - d/2         for d < 1

    D+(0) = 1 and D-(1) = -1 are exact. The coefficients were chosen among sums
    of two or three powers of two for the smallest error of 785-term zero-mean
    dot products.
    """

    def at(self, frac, cancel):
        one, extra = 1 << frac, 5  # bits kept below the result until it is rounded

        def delta(gap, opposite):
            t = _antilog(gap, frac, extra)
            u = _antilog(gap << 1, frac, extra)
            eleven_t = (t << 3) + (t << 1) + t
            # Sizes are rounded, not signed values: a tie must not favour D+ over D-.
            size = eleven_t + where(opposite, (u << 3) + (u << 1), 0 - (u << 1) - u)
            rounded = (size + (4 << extra)) >> (extra + 3)
            near = _log(minimum(gap, one), frac) - (one >> 1) - ((gap + 1) >> 1)
            minus = where(gap < one, near, 0 - rounded)
            return where(opposite != 0, minus, rounded)

        return _cancelling(delta, cancel)


METHODS: dict[str, type[Delta]] = {
    "exact": Exact, "lut": Lut, "bitshift": BitShift, "mitchell": Mitchell,
    "interp": Interp, "pwl": Pwl, "balanced": Balanced,
}


def parse(text: str) -> Delta:
    """Return the method that a text such as lut:r=1/4,dmax=10 means."""
    name, _, rest = text.partition(":")
    if name not in METHODS:
        raise FormatError(f"unknown delta method {name!r}; there are {', '.join(METHODS)}")
    method = METHODS[name]
    types: dict[str, Callable] = {f.name: type(f.default) for f in fields(method)}
    options: dict[str, object] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if key not in types or not equals:
            takes = ", ".join(types) or "no options"
            raise FormatError(f"delta {name} does not know {part!r}; it takes {takes}")
        try:
            options[key] = types[key](value)
        except (ValueError, ZeroDivisionError):
            raise FormatError(f"delta {name}: {key}={value!r} is not a number") from None
    return method(**options)  # type: ignore[arg-type]


def _by_table(name: str, same, minus, offset: int, shift: int) -> Spec:
    """Return the spec that looks up cell (gap + offset) >> shift, the last from its start on."""
    table, half = _pair(name, same, minus)
    limit = (len(same) << shift) - 1

    def delta(gap, opposite):
        index = minimum(gap + offset, limit) >> shift
        return lookup(table, index | (opposite & half))

    return delta


def _pair(name: str, same, minus) -> tuple[Table, int]:
    """Return D+ and D- as one table and the address bit that selects D-."""
    half = 1 << (len(same) - 1).bit_length()
    padding = [0] * (half - len(same))
    return Table(name, [*same, *padding, *minus, *padding]), half


def _cancelling(spec: Spec, cancel: int) -> Spec:
    """Return the spec with exact cancellation of equal magnitudes."""

    def delta(gap, opposite):
        return where((gap == 0) & (opposite != 0), cancel, spec(gap, opposite))

    return delta


def _steps(knots) -> list[int]:
    return [b - a for a, b in zip(knots, knots[1:])] + [0]


def _antilog(x, frac: int, extra: int):
    """Return Mitchell's antilogarithm of -x, (1 - f/2) >> i for x = i + f, truncated
    to frac + extra fraction bits."""
    one = 1 << frac
    whole = minimum(x >> frac, frac + extra + 2)
    return shift_right((2 * one - (x & (one - 1))) << extra, whole + 1, frac + extra + 3)


def _log(x, frac: int):
    """Return Mitchell's logarithm of x <= 1, x > 0: the place of its leading one, then
    the bits behind it."""
    whole = 0
    for stage in reversed(range(frac.bit_length())):
        short = x < (2 << frac) >> (1 << stage)
        x = minimum(where(short, x << (1 << stage), x), (2 << frac) - 1)
        whole = whole - where(short, 1 << stage, 0)
    return (whole << frac) + x - (1 << frac)


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
