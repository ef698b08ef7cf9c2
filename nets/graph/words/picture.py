"""The widths of each layer's words, drawn."""

from __future__ import annotations

import re

from lnsarith.host.picture import LINE, WARM, legend, picture

__all__ = ["draw"]


def draw(path: str, result: dict) -> None:
    """Write a picture of what `lnsarith formats` found: bars of the bits of weights and results,
    layer by layer."""
    rows = result["layers"]
    names = [row["name"][-18:] for row in rows]
    lost = 100 * (result["float_accuracy"] - result["test_accuracy"])
    title = (f"{result['run']}: {result['family']}, {lost:.2f} test points lost "
             f"(budget {result['budget']:g})")
    with picture(path, title, (max(5.0, 1.1 * len(rows) + 2), 4)) as figure:
        axes = figure.subplots()
        for i, (what, ink) in enumerate((("weights", LINE), ("results", WARM))):
            bits = [_bits(row[what]) for row in rows]
            places = [n + 0.38 * (i - 0.5) for n in range(len(rows))]
            axes.bar(places, bits, 0.36, color=ink, label=what)
            for place, row, height in zip(places, rows, bits):
                axes.text(place, height + 0.1, row[what].partition(" ")[0], ha="center", fontsize=7,
                          rotation=90, va="bottom")
        axes.set_xticks(range(len(rows)), names, rotation=20 if len(rows) > 3 else 0)
        axes.set_ylabel("bits of a word")
        axes.set_ylim(0, 1.45 * max(_bits(row[w]) for row in rows for w in ("weights", "results")))
        legend(axes)


def _bits(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 0
