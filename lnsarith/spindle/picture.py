"""Pictures of fitted distributions and functions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fxp.fit.functions import Target
from fxp.operators.spindle import Spindle
from lnsarith.host.picture import GREY, INK, LINE, WARM, legend, picture
from lnsarith.spindle.kernels import Kernels

__all__ = ["draw"]


def draw(path: str | Path, title: str, target: Target, found: Spindle | Kernels, error: float,
         samples: np.ndarray | None = None) -> None:
    """Write a picture of the function, the fit (with the knees of units) and the error; of
    samples also their histogram and the density, which is the derivative of the fit."""
    x = np.linspace(target.low, target.high, 4001)
    y, fitted = target(x), found.real(x)
    knees = ([float(u.knee) for u in found.units] if isinstance(found, Spindle) else [])
    heights = (1.6, 1) if samples is None else (1.6, 1.2, 1)
    with picture(path, title, (10, 6 if samples is None else 8)) as figure:
        axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        top, bottom = axes[0], axes[-1]
        top.plot(x, y, color=INK, lw=1.1, label="function" if samples is None else
                 "distribution of the samples")
        top.plot(x, fitted, color=LINE, lw=1.6, alpha=0.85,
                 label="sum of ReLUs" if knees else "sum of kernels")
        if knees:
            top.plot(knees, found.real(np.array(knees)), "o", ms=5, color=WARM, label="knees")
        legend(top)
        if samples is not None:
            axes[1].hist(samples, bins=200, density=True, color=GREY, alpha=0.5)
            axes[1].plot(x, found.slope(x), color=LINE, lw=1.2)
            axes[1].set_ylabel("density")
        bottom.fill_between(x, 0, fitted - y, color=LINE, alpha=0.25, lw=0)
        bottom.plot(x, fitted - y, color=LINE, lw=1.0)
        bottom.axhline(0, color=INK, lw=0.8)
        for side in (-1, 1):
            bottom.axhline(side * error, color=GREY, lw=0.8, ls="--")
        for knee in knees:
            bottom.axvline(knee, color=WARM, lw=0.6, alpha=0.5)
        bottom.set_ylabel("error")
        bottom.set_xlabel("x")
