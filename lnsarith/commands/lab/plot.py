"""Cycles of labs as bars, a bar a lab, its layers on top of each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnsarith.host.picture import GREY, INK, picture

__all__ = ["draw"]


def draw(path: str | Path, answer: dict) -> None:
    """Draw the cycles an image of each lab, layer by layer; the file appears whole."""
    labs = [r for r in answer["labs"] if r["cycles"]]
    title = f"{answer['arith']} on {answer['dataset']}: cycles an image"
    with picture(path, title, (7.5, 1.6 + 0.55 * len(labs))) as figure:
        axes = figure.subplots()
        names = answer["layers"]
        shades = _shades(len(names))
        starts = np.zeros(len(labs))
        for k, name in enumerate(names):
            widths = np.array([r["cycles"][k] for r in labs], float)
            axes.barh(range(len(labs)), widths, 0.7, starts, color=shades[k], label=name)
            starts += widths
        for at, (r, total) in enumerate(zip(labs, starts)):
            up = f"   {r['speed_up']:.2f}x" if r["speed_up"] else ""
            axes.text(total, at, f"  {total:,.0f}{up}", va="center", color=INK, fontsize=8.5)
        axes.set_yticks(range(len(labs)), [f"lab {r['lab']}" for r in labs])
        axes.set_xlim(0, max(starts, default=1) * 1.3)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
        axes.tick_params(axis="x", labelcolor=GREY)
        axes.legend(fontsize=7.5, ncols=min(len(names), 7), frameon=False,
                    loc="upper center", bbox_to_anchor=(0.5, -0.16))


def _shades(count: int):
    import matplotlib

    return matplotlib.colormaps["viridis"](np.linspace(0.12, 0.9, count))
