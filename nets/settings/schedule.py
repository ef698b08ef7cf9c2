"""Learning rates that fall from epoch to epoch."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from fxp.format import FormatError

__all__ = ["FALLING", "rate_factor"]

FALLING = ("cosine", "linear", "exponential")  # over all epochs of a run


def rate_factor(schedule: str, epoch: int | Fraction, epochs: int,
                last: Fraction = Fraction(0)) -> Fraction:
    """Return what the learning rate is multiplied with in an epoch, counted from 0, or at
    a part of one.

    constant: 1. step:N: a tenth after every N epochs. exponential:Q: Q (0..1) to the
    power of the epoch. cosine: half a cosine wave over all epochs, from 1 to nearly `last`;
    linear: a straight line likewise; exponential: the same share less each epoch. Others
    are a FormatError, as is a `last` above 1, or one that would have no meaning.
    """
    name, _, rest = schedule.partition(":")
    done = min(Fraction(epoch, epochs), Fraction(1))
    _check_last(schedule, last)
    if schedule == "exponential":
        return Fraction(round(float(last) ** float(done) * (1 << 40)), 1 << 40)
    if schedule == "constant":
        return Fraction(1)
    if schedule == "linear":
        return last + (1 - last) * (1 - done)
    if schedule == "cosine":
        wave = Fraction(round((1 + math.cos(math.pi * done)) * (1 << 20)), 1 << 21)
        return last + (1 - last) * wave
    if name == "step" and re.fullmatch(r"[1-9]\d{0,5}", rest):
        return Fraction(1, 10) ** (epoch // int(rest))
    if name == "exponential" and re.fullmatch(r"0?\.\d{1,6}", rest):
        return Fraction(round(float(rest) ** epoch * (1 << 40)), 1 << 40)
    raise FormatError("schedule must be constant, cosine, linear, step:N (epochs), "
                      f"exponential or exponential:Q (0 < Q < 1), got {schedule!r}")


def _check_last(schedule: str, last: Fraction) -> None:
    if last and schedule not in FALLING:
        raise FormatError("lr_last has a meaning only with schedule cosine, linear or exponential, "
                          f"not with {schedule}")
    if last > 1:
        raise FormatError("lr_last must not be above lr")
    if not last and schedule == "exponential":
        raise FormatError("schedule exponential falls to lr_last, which must be above 0; or give "
                          "exponential:Q (0 < Q < 1)")
