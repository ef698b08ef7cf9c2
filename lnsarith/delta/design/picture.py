"""A design drawn: D+ and D- as steps over the real functions, and what 2**D is off by."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnsarith.delta.method import Delta

__all__ = ["draw"]

SHOWN = 8  # octaves
LOWEST = -6.0
CANCEL = -(1 << 40)


def draw(path: str | Path, method: Delta, frac: int, title: str) -> None:
    """Write a panel with D+ and D- of a register of frac fraction bits, and one with the bias of
    a step, (2**D+ + 2**D-) / 2 - 1, which is 0 where sums keep their mean."""
    from lnsarith.host.picture import GREY, INK, LINE, picture

    gaps = np.arange(1, SHOWN << frac)
    d, delta = gaps / (1 << frac), method.at(frac, CANCEL)
    plus, minus = (np.array([int(delta(int(g), side)) for g in gaps]) / (1 << frac)
                   for side in (0, -1))
    bias = (np.exp2(plus) + np.exp2(np.maximum(minus, -60.0))) / 2 - 1
    with picture(path, title, (7.5, 6.0)) as figure:
        top, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        for steps, real in ((plus, np.log2(1 + np.exp2(-d))), (minus, np.log2(1 - np.exp2(-d)))):
            top.plot(d, real, color=GREY, lw=1)
            top.plot(d, np.where(steps < LOWEST, np.nan, steps), color=LINE, lw=1.2,
                     drawstyle="steps-post")
        top.set_ylim(LOWEST, 1.2)
        top.set_ylabel("D+ and D-, octaves")
        below.axhline(0, color=GREY, lw=0.8)
        below.plot(d, bias, color=INK, lw=0.9)
        below.set_ylabel("bias of a step")
        below.set_xlabel("distance d of two logs, octaves")
