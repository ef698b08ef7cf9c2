"""A fitted spindle: its units, error and formats, as text and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fxp.fit.functions import TARGETS, Target, largest_error
from fxp.fit.pieces import bls_pieces
from fxp.fit.segments import fit_segments
from fxp.fit.spindle import best_spindle, fit_spindle, grid_for
from fxp.format import Fixed, FormatError
from fxp.operators.segments import Segments
from fxp.operators.spindle import Spindle

__all__ = ["Fit", "fit"]

DEFAULT_ERROR = 0.01


@dataclass(frozen=True)
class Fit:
    """Units with their largest error on low..high; asked is the error that was to be met.

    For comparison, of the error asked (or reached): the fewest lines, None if there are too
    many, and for a named function the number of pieces of BLS-PWL, else None.
    """

    function: str
    low: float
    high: float
    spindle: Spindle
    error: float
    asked: float | None
    segments: Segments | None
    bls: int | None

    @property
    def formats(self) -> dict[str, Fixed]:
        """The smallest format with every knee and the whole interval, and one for the
        result that holds it in steps of at most a quarter of the error."""
        knees = [u.knee for u in self.spindle.units]
        ends = [Fraction(self.low), Fraction(self.high)]
        values = [Fraction(v) for v in self.spindle.real(np.array([float(v) for v in
                                                                   (*ends, *knees)]))]
        frac = max(0, -int(np.floor(np.log2(self.error / 4))))
        finest = max(k.denominator.bit_length() - 1 for k in knees)
        return {"x": _holding([*ends, *knees], finest), "to": _holding(values, frac)}

    def as_dict(self) -> dict:
        """Return plain data for JSON; units and segments are as operators take them."""
        return {
            "function": self.function, "interval": [self.low, self.high],
            "asked": self.asked, "error": self.error, "count": len(self.spindle.units),
            "units": str(self.spindle),
            "formats": {name: str(f) for name, f in self.formats.items()},
            "segments": str(self.segments) if self.segments else None, "bls_pieces": self.bls,
        }

    def lines(self) -> list[str]:
        """Return a summary, line by line."""
        rows = [(f"{float(u.knee):g}", f"{'+' if u.sign > 0 else '-'}2^{u.log}")
                for u in self.spindle.units]
        wide = max(len(knee) for knee, _ in rows)
        return [
            f"{self.function} from {self.low:g} to {self.high:g}: {len(rows)} shifted ReLUs, "
            f"error {self.error:.4g}",
            *self._others(),
            "",
            f"  {'knee':>{wide}}  gain      offset {self.spindle.offset}",
            *(f"  {knee:>{wide}}  {gain}" for knee, gain in rows),
            "",
            f"operand {self.formats['x']}, result {self.formats['to']}",
        ]

    def _others(self) -> list[str]:
        error = f"{self.asked or self.error:.4g}"
        count = len(self.segments.segments) if self.segments else "more than 256"
        found = [f"lines with slopes 2^n for an error of {error}: {count}"]
        if self.bls is not None:
            found.append(f"pieces of BLS-PWL for an RMS error of {error}: {self.bls}, which are "
                         f"{2 * self.bls} ReLUs")
        return found


def fit(target: Target, error: float | None = None, units: int | None = None,
        step: int | None = None, finest: int | None = None) -> Fit:
    """Return the fewest units of an error, or the least error of so many units.

    With both, raises FormatError where the error takes more units. step and finest are
    log2 of the distance of knees and of the smallest gain.
    """
    if error is None and units is not None:
        found, _ = best_spindle(target, units, step, finest)
    else:
        error = DEFAULT_ERROR if error is None else error
        found = fit_spindle(target, error, grid_for(target, error, step, finest))
        if units is not None and len(found.units) > units:
            raise FormatError(f"an error of {error:g} takes {len(found.units)} units, more than "
                              f"{units}; with --units alone they have the least error they can")
    reached = largest_error(found.real, target)
    basis = error or reached
    slides = target.name in TARGETS and target.low <= -6  # theirs are of x from -6 to 6
    bls = len(bls_pieces(target, basis)) if slides else None
    return Fit(target.name, target.low, target.high, found, reached, error,
               _lines(target, basis), bls)


def _lines(target: Target, error: float) -> Segments | None:
    try:
        return fit_segments(target, error)
    except FormatError:
        return None


def _holding(values: list[Fraction], frac: int) -> Fixed:
    """Return the smallest signed format of `frac` fraction bits for the values, rounded."""
    words = [int(round(v * 2**frac)) for v in values]
    bits = 1 + max((w if w >= 0 else -w - 1).bit_length() for w in words)
    return Fixed(max(bits, frac, 4), frac)
