"""The picture of the front: accuracy against LUTs and images a second, and bars of what cores
take."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from lnsarith.commands.rtl.front.asked import CORE, TRAINER
from lnsarith.commands.rtl.front.measure import seeds_of
from lnsarith.host.picture import GREY, INK, LINE, PALE, WARM, picture

__all__ = ["draw"]

FAR_APART = 4  # the greatest number by the least
COLOURS = {CORE: LINE, TRAINER: WARM}


def draw(path: str, rows: Sequence[dict], dataset: str) -> None:
    """Draw the rows that have numbers: inference in one colour, trainers in another."""
    shown = [row for row in rows if "failed" not in row]
    title = f"Whole networks on an ECP5-85k: 784-100-10 on {dataset}, 16 lanes"
    with picture(path, title if dataset == "mnist" else title.replace("784-100-10", "100 units"),
                 (11.5, 7.6)) as figure:
        left, right = figure.subplots(2, 2, height_ratios=(1.15, 1))
        inference = [row for row in shown if row["kind"] == CORE]
        _cloud(left[0], inference, "lut4_without_multipliers", "LUT4, products in LUTs")
        _cloud(left[1], [r for r in inference if "images_per_second" in r], "images_per_second",
               "images a second")
        _bars(right[0], shown, "lut4", "LUT4")
        _bars(right[1], shown, "block_memories", "block memories")
        placed = [row for row in shown if "placer" in row]
        seeds = " or ".join(dict.fromkeys(map(seeds_of, placed)))
        told = f"; {placed[0]['placer']}, {seeds}" if placed else ""
        said = shown[0]["tools"] if shown else ""
        figure.supxlabel(f"{said}{told}. Blue: inference. Orange: trainers, batch 5. Light bars: "
                         "LUT4 without multipliers.", fontsize=8, color=GREY)


def _cloud(axes, rows: Sequence[dict], key: str, label: str) -> None:
    """Draw a point for each row, named beside it; by logarithms where they lie far apart."""
    from matplotlib.ticker import LogLocator

    axes.set(xlabel=label, ylabel="test accuracy, %")
    if not rows:
        axes.text(0.5, 0.5, "none placed", transform=axes.transAxes, ha="center", color=GREY)
        return
    xs = [row[key] for row in rows]
    ys = [100 * row["test_accuracy"] for row in rows]
    axes.scatter(xs, ys, s=24, color=LINE, zorder=3)
    scaled = log2 if max(xs) > FAR_APART * min(xs) else float
    taken: list[tuple[float, float]] = []
    wide, high = max(scaled(max(xs)) - scaled(min(xs)), 1), max(max(ys) - min(ys), 0.1)
    for x, y, row in sorted(zip(xs, ys, rows), key=lambda p: -p[1]):
        place, at = y, scaled(x)
        while any(abs(at - a) < 0.24 * wide and abs(place - b) < 0.055 * high for a, b in taken):
            place -= 0.056 * high
        taken.append((at, place))
        axes.plot([x, x], [y, place], color=GREY, lw=0.6)
        axes.annotate(row["arith"], (x, place), xytext=(5, 0), textcoords="offset points",
                      fontsize=7.5, va="center", color=INK)
    axes.margins(0.16, 0.12)
    if scaled is log2:
        axes.set_xscale("log", subs=[])
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _bars(axes, rows: Sequence[dict], key: str, label: str) -> None:
    """Draw a bar for each row; behind that of LUTs what they are without multipliers."""
    names = [f"{row['arith']} trainer" if row["kind"] == TRAINER else row["arith"]
             for row in rows]
    places = range(len(rows))
    if key == "lut4":
        axes.bar(places, [row["lut4_without_multipliers"] for row in rows], width=0.8,
                 color=PALE, label="without multipliers")
    axes.bar(places, [row[key] for row in rows], width=0.8,
             color=[COLOURS[row["kind"]] for row in rows], label=label)
    axes.set_xticks(places, names, rotation=60, ha="right", fontsize=8)
    axes.set_ylabel(label)
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
