"""Waves of a core's ports while one image goes through: how it comes, how it answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnsarith.host.files.whole import scratch
from lnsarith.host.picture import GREY, LINE, WARM, picture
from verilog.core.inference.core import Core
from verilog.core.model import Model, build_model

__all__ = ["draw_waves", "drawn_trace"]

LATEST = 128  # clocks, at most, by which a layer's words are later than a schedule tells
SHOWN = 14  # clocks of each of the two windows, at least
WORDS = {"i_data": "given_words", "o_layer": "layer", "o_data": "words"}
BITS = {"i_valid": "offered", "o_ready": "ready", "o_busy": "busy", "o_valid": "valid",
        "o_last": "last"}
ORDER = ("i_valid", "o_ready", "i_data", "o_busy", "o_layer", "o_valid", "o_data", "o_last")


def drawn_trace(core: Core, images: np.ndarray) -> dict:
    """Return the trace of a core that gets the first of some images; Verilator runs it."""
    s = core.schedule
    behind = LATEST * len(s.layers)
    clocks = s.pixels + s.clocks + 3 * s.layers[-1][1] + behind
    with scratch() as name:
        model = Model(build_model(core, Path(name)), s.layers[-1][1])
        trace = model.trace(images[:1], clocks)
        model.close()
    pixels = images[0].astype(int)
    sent = np.minimum(np.cumsum(trace["taken"]) - trace["taken"], len(pixels) - 1)
    return {**trace, "given_words": pixels[sent]}


def draw_waves(core: Core, trace: dict, path: str | Path) -> None:
    """Draw the ports while an image begins, and while its answers come."""
    answers = np.flatnonzero(trace["given"])
    end = int(answers[-1]) + 3
    start = max(SHOWN, int(answers[0]) - 3)
    windows = (0, SHOWN), (max(start, end - 2 * SHOWN), end)
    widths = [b - a for a, b in windows]
    with picture(path, "", (0.34 * sum(widths) + 2, 4.4), more={"axes.grid": False}) as figure:
        parts = figure.subplots(1, 2, sharey=True, width_ratios=widths)
        for axes, (low, high), title in zip(parts, windows, ("an image comes", "its answers")):
            for y, port in enumerate(ORDER):
                if port in BITS:
                    _line(axes, trace[BITS[port]][low:high], low, y)
                else:
                    _words(axes, port, trace, low, high, y)
            axes.set(xlim=(low, high), ylim=(len(ORDER) - 0.4, -0.6), xlabel="clock", title=title)
        parts[0].set_yticks(range(len(ORDER)), ORDER, family="monospace")


def _line(axes, values, low: int, y: float) -> None:
    """Draw a bit's level over clocks from low on."""
    level = y + 0.3 - 0.6 * np.repeat(values.astype(float), 2)
    time = low + np.repeat(np.arange(len(values) + 1), 2)[1:-1]
    axes.plot(time, level, lw=1.3, color=LINE, solid_joinstyle="miter")


def _words(axes, port: str, trace, low: int, high: int, y: float) -> None:
    """Draw a word's values as boxes; data count only where they are valid."""
    values = trace[WORDS[port]][low:high]
    counts = {"i_data": "offered", "o_data": "valid", "o_layer": "busy"}[port]
    valid = trace[counts][low:high]
    edges = [0, *(k for k in range(1, high - low) if values[k] != values[k - 1]
                  or valid[k] != valid[k - 1] or (port == "o_data" and valid[k])), high - low]
    for a, b in zip(edges, edges[1:]):
        color = WARM if port == "o_data" else LINE
        axes.barh(y, b - a, left=low + a, height=0.6, lw=0.7, edgecolor=GREY,
                  color=color + "30" if valid[a] else "white")
        text = f"{int(values[a]):x}"
        if valid[a] and len(text) <= 4 * (b - a):
            axes.text(low + (a + b) / 2, y, text, ha="center", va="center", fontsize=6.5)
