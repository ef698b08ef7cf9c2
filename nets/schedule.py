"""Learning rates that fall from epoch to epoch."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from fxp.format import FormatError

__all__ = ["rate_factor"]


def rate_factor(schedule: str, epoch: int, epochs: int) -> Fraction:
    """Return what the learning rate is multiplied with in an epoch, counted from 0.

    constant: 1. step:N: a tenth after every N epochs. exponential:Q: Q (0..1) to the
    power of the epoch. cosine: half a cosine wave over all epochs, from 1 to nearly 0;
    linear: a straight line likewise. Others are a FormatError.
    """
    name, _, rest = schedule.partition(":")
    done = min(Fraction(epoch, epochs), Fraction(1))
    if schedule == "constant":
        return Fraction(1)
    if schedule == "linear":
        return 1 - done
    if schedule == "cosine":
        return Fraction(round((1 + math.cos(math.pi * done)) * (1 << 20)), 1 << 21)
    if name == "step" and re.fullmatch(r"[1-9]\d{0,5}", rest):
        return Fraction(1, 10) ** (epoch // int(rest))
    if name == "exponential" and re.fullmatch(r"0?\.\d{1,6}", rest):
        return Fraction(round(float(rest) ** epoch * (1 << 40)), 1 << 40)
    raise FormatError("schedule must be constant, cosine, linear, step:N (epochs) or "
                      f"exponential:Q (0 < Q < 1), got {schedule!r}")
