"""Ports drawn like in a wave viewer: bits as lines, words as lozenges with their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from fxp.format import FormatError
from lnsarith.host.picture import GREY, INK, WARM, picture
from lnsarith.host.picture import LINE as BLUE
from lnsarith.host.picture.look import current
from verilog.design.design import Design
from verilog.emit.module import Port
from verilog.simulate.trace import Trace

__all__ = ["draw"]

PERIOD = 10_000  # ps of a cycle, and of a word without a clock
FAINT = "#e4e8eb"
MOST_LANES = 5  # words of a wide port that are shown
STYLE: Any = {"font.size": 8.5, "hatch.linewidth": 0.6, "hatch.color": GREY, "axes.grid": False}
INCHES = {True: 0.56, False: 0.72}  # of a cycle with a clock, of a word without one
SLANT = 0.07  # of a lozenge's ends, in cycles


def draw(design: Design, traces: dict[str, Trace], path: Path, cycles: int,
         labels: Mapping[str, str] | None = None, functions: Mapping[int, str] | None = None
         ) -> None:
    """Draw the ports of a design over so many cycles or words; the file appears whole.

    labels has other names of ports to write, functions names of words of i_function.
    """
    heights = [_height(design, p) for p in design.top.ports]
    size = (1.7 + 0.7 * bool(labels) + INCHES[design.clocked] * cycles, 1.3 + sum(heights))
    with picture(path, "", size, lambda: _rows(design, traces, cycles), layout=None,
                 more=STYLE) as figure:
        left = 1.15 if labels is None else 1.85
        axes = figure.add_axes((left / size[0], 0.32 / size[1], 1 - (left + 0.2) / size[0],
                                1 - 1.18 / size[1]))
        axes.set(xlim=(0, cycles), ylim=(sum(heights), 0))
        _axis(axes, design, cycles)
        _title(figure, design, size)
        _Picture(axes, design, traces, cycles, labels or {}, functions or {}).ports(heights)


def _axis(axes, design: Design, cycles: int) -> None:
    """Number the cycles at their rising edges, or the words."""
    axes.spines[:].set_visible(False)
    axes.yaxis.set_visible(False)
    axes.xaxis.tick_top()
    axes.set_xticks([k + 0.5 for k in range(cycles)], [str(k) for k in range(cycles)])
    axes.tick_params(length=0, labelsize=7, labelcolor=GREY, pad=1)
    axes.annotate("cycle" if design.clocked else "word", (0, 0), xytext=(-6, 2), ha="right",
                  textcoords="offset points", color=GREY, annotation_clip=False)


def _rows(design: Design, traces: dict[str, Trace], cycles: int) -> Iterator[tuple]:
    """Yield design, port, cycle and pattern of every change."""
    for port in design.top.ports:
        for time, pattern in traces[port.name]:
            if time < cycles * PERIOD:
                yield design.name, port.name, time / PERIOD, "", pattern


def _title(figure, design: Design, size) -> None:
    if not current().titled:
        return
    settings = ", ".join(f"{k} {v}" if k != "format" else v for k, v in design.settings.items())
    figure.text(0.12 / size[0], 1 - 0.28 / size[1], design.name, fontsize=12, weight="bold")
    figure.text(0.12 / size[0], 1 - 0.5 / size[1], f"{design.summary};  {settings}", fontsize=9.5)
    note = ("dot: a word moves (valid and ready at the rising edge);   hatched: x;   "
            "pale: not valid" if design.clocked else "a word and its answer at a time")
    figure.text(0.12 / size[0], 0.12 / size[1], f"{note};   below a word: its value",
                color=GREY, fontsize=8)


class _Picture:
    """One axes in cycles and inches downward, on which ports are drawn."""

    def __init__(self, axes, design: Design, traces: dict[str, Trace], cycles: int,
                 labels: Mapping[str, str], functions: Mapping[int, str]):
        self.axes, self.design, self.traces, self.cycles = axes, design, traces, cycles
        self.labels, self.functions = labels, functions

    def ports(self, heights: list[float]) -> None:
        """Draw every port in the order of the module."""
        if self.design.clocked:
            for edge in range(self.cycles):
                self.axes.axvline(edge + 0.5, color=FAINT, lw=0.8, zorder=0)
        at = 0.0
        for port, height in zip(self.design.top.ports, heights):
            low, high = at + height - 0.1, at + 0.1
            self._name(port, (low + high) / 2)
            if port.width == 1:
                self._levels(port, low, high)
            else:
                self._words(port, low, high)
            at += height

    def _name(self, port: Port, middle: float) -> None:
        weight = "normal" if port.name in ("i_clk", "i_rst") else "bold"
        name = self.labels.get(port.name, port.name)
        self.axes.annotate(name, (0, middle), xytext=(-6, 0), textcoords="offset points",
                           ha="right", va="center", color=_color(port), weight=weight,
                           family="monospace", annotation_clip=False)

    def _spans(self, port: Port):
        """Yield start, end (in cycles) and pattern of every stretch without a change,
        of data also without one of their valid bit; of every word without a clock."""
        beside = [] if port.width == 1 else self.traces.get(_valid(port), [])
        trace, last = self.traces[port.name], self.cycles * PERIOD
        words = [] if self.design.clocked else range(0, last, PERIOD)
        times = sorted({*words, *(time for time, _ in [*trace, *beside] if time < last)})
        for start, end in zip(times, [*times[1:], last]):
            yield start / PERIOD, end / PERIOD, self._level(port.name, start / PERIOD)

    def _level(self, name: str, time: float) -> str:
        return next((s for start, s in reversed(self.traces[name]) if start <= time * PERIOD), "x")

    def _levels(self, port: Port, low: float, high: float) -> None:
        """Draw a bit as a line; where words move, a dot on the valid bit."""
        xs: list[float] = []
        ys: list[float] = []
        for start, end, pattern in self._spans(port):
            if pattern in "xz":
                self.axes.fill_between([start, end], low, high, hatch="////", facecolor="none",
                                       edgecolor=GREY, lw=0)
            y = {"0": low, "1": high}.get(pattern, (low + high) / 2)
            xs += [start, end]
            ys += [y, y]
        clock = port.name == "i_clk"
        self.axes.plot(xs, ys, color=GREY if clock else _color(port), lw=0.9 if clock else 1.4,
                       solid_joinstyle="miter")
        partner = {"i_valid": "o_ready", "o_valid": "i_ready"}.get(port.name, "")
        for cycle in range(self.cycles) if partner in self.traces else ():
            lines = [self._level(n, cycle + 0.49) for n in (port.name, partner, "i_rst")]
            if lines == ["1", "1", "0"]:
                self.axes.plot(cycle + 0.5, high, "o", ms=4, color=_color(port), zorder=4)

    def _words(self, port: Port, low: float, high: float) -> None:
        """Draw a word as a lozenge with its decimal and the number it means."""
        color, slant, last = _color(port), SLANT, self.cycles
        for start, end, pattern in self._spans(port):
            # With a clock a word goes on beyond the edge, which cuts it.
            close = end + 1 if self.design.clocked and end == last else end
            shape = [(start, (low + high) / 2), (start + slant, high), (close - slant, high),
                     (close, (low + high) / 2), (close - slant, low), (start + slant, low)]
            if set(pattern) & set("xz"):
                self._polygon(shape, facecolor="white", edgecolor=GREY, hatch="////", lw=0.8)
                continue
            pale = self._pale(port, end)
            face = "white" if pale else color + "1c"
            self._polygon(shape, facecolor=face, edgecolor=GREY if pale else color, lw=1.0)
            self._number(port, pattern, (start, end), (low + high) / 2, GREY if pale else color)

    def _number(self, port: Port, pattern: str, span, middle: float, color: str) -> None:
        """Write a word and its value in the middle of its lozenge, as far as there is room."""
        lanes = port.name[2:] in self.design.lanes
        texts = _texts(self.design, port, pattern)
        if port.name == "i_function" and self.functions:
            texts.append(self.functions.get(int(pattern, 2), "none"))
        room = (span[1] - span[0] - SLANT) * INCHES[self.design.clocked]
        sized = [(line, 6.2 if lanes or k else 7.5) for k, line in enumerate(texts)]
        lines = list(takewhile(lambda x: len(x[0]) * 0.62 * x[1] / 72 <= room, sized))
        if lanes and len(lines) < len(texts):
            return  # some of many words would look like all of them
        step = 0.145 if lanes else 0.21
        first = middle - step * (len(lines) - 1) / 2
        for k, (line, size) in enumerate(lines):
            ink = color if (k and not lanes) or color == GREY else INK
            self.axes.text(sum(span) / 2, first + k * step, line, ha="center", va="center",
                           fontsize=size, color=ink, clip_on=True)

    def _polygon(self, shape, **style) -> None:
        from matplotlib.patches import Polygon

        self.axes.add_patch(Polygon(shape, closed=True, **style))

    def _pale(self, port: Port, end: float) -> bool:
        """Whether the data beside a valid bit do not count."""
        if not self.design.clocked:
            return False
        return self._level(_valid(port), end - 0.01) != "1"


def _color(port: Port) -> str:
    if port.name in ("i_clk", "i_rst"):
        return INK
    return WARM if port.name in ("o_valid", "i_ready") or (
        port.output and port.name != "o_ready") else BLUE


def _valid(port: Port) -> str:
    return "o_valid" if port.output else "i_valid"


def _height(design: Design, port: Port) -> float:
    lanes, _ = design.lanes.get(port.name[2:], (1, 1))
    return 0.42 if port.width == 1 else max(0.78, 0.4 + 0.145 * min(lanes, MOST_LANES))


def _texts(design: Design, port: Port, pattern: str) -> list[str]:
    """Return a word in decimal and the number that it means, if any; or words of lanes."""
    from lnsarith.catalogue.operators import parse_format

    plain = port.name[2:]
    low, _ = (design.outputs if port.output else design.inputs)[plain]
    lanes, bits = design.lanes.get(plain, (1, port.width))
    parts = [pattern[len(pattern) - bits * (k + 1):len(pattern) - bits * k] for k in range(lanes)]
    words = [int(p, 2) - (int(p[0]) << bits if low < 0 else 0) for p in parts]
    if plain in design.lanes:
        shown = lanes if lanes <= MOST_LANES else MOST_LANES - 1
        return [str(w) for w in words[:shown]] + [f"{lanes - shown} more"] * (shown < lanes)
    try:
        return [str(words[0]), _number(words[0], parse_format(port.meaning))]
    except FormatError:
        return [str(words[0])]


def _number(word: int, f) -> str:
    """Return the number that a word means, in three digits or as a power of two."""
    import numpy as np

    from lnsarith.catalogue.real import as_float, as_real, decode

    found = decode(np.array([word]), f)
    log = float(as_real(found).log[0])
    if abs(log) < 40 or not np.isfinite(log):
        return f"{float(as_float(found)[0]):.3g}"
    return f"{'-' if as_real(found).sign[0] < 0 else ''}2^{log:.1f}"
