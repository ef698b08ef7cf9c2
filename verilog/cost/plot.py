"""The comparison of costs as a bar chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lnsarith.host.picture import GREY, picture
from lnsarith.host.picture import LINE as BLUE
from verilog.cost.compare import Row

__all__ = ["draw"]

LIGHT = "#c9d9e8"


def draw(path: str | Path, rows: Sequence[Row]) -> None:
    """Write the chart of the MAC rows: a panel for each word size, a line across at the
    fixed-point MAC, a tick at what the default flow gives."""
    macs = [r for r in rows if r.operator in ("lns-mac", "fixed-mac") and r.best]
    sizes = sorted({r.bits for r in macs})
    title = "Gates of a combinational multiply-accumulate, acc + x·y"
    with picture(path, title, (3.6 * max(2, len(sizes)), 4.6)) as figure:
        axes = figure.subplots(1, max(1, len(sizes)), squeeze=False)[0]
        for axis, bits in zip(axes, sizes):
            _panel(axis, bits, [r for r in macs if r.bits == bits])
        axes[0].set_ylabel("gates (AND, OR, XOR, MUX; inverters not counted)")
        tools = macs[0].best.tools if macs and macs[0].best else ""
        figure.supxlabel(
            f"{tools}, synth; abc -g AND,OR,XOR,MUX. Bars: the fewest gates of the flows plain, "
            "booth, area and booth-area.\nTicks: the plain flow. Dashed: fixed-point, its "
            "products full-width, rounded once. LNS by Δ method.", fontsize=8)


def _panel(axis, bits: int, rows: Sequence[Row]):
    fixed = [r for r in rows if r.operator == "fixed-mac"]
    lns = sorted((r for r in rows if r.operator == "lns-mac"), key=_gates, reverse=True)
    shown = fixed + lns
    limit = 1.9 * max([_gates(r) for r in fixed], default=max(map(_gates, shown)))
    for place, row in enumerate(shown):
        gates = _gates(row)
        axis.bar(place, min(gates, limit), width=0.8,
                 color=GREY if row in fixed else BLUE if gates <= limit else LIGHT)
        axis.annotate(f"{gates}" + (" \N{UPWARDS ARROW}" if gates > limit else ""),
                      (place, min(gates, limit)), ha="center", va="top", fontsize=7.5,
                      xytext=(0, -2), textcoords="offset points",
                      color="black" if gates > limit else "white")
        if row.plain and row.plain.gates <= limit:
            axis.hlines(row.plain.gates, place - 0.4, place + 0.4, color="black", lw=1)
    for row in fixed:
        axis.axhline(_gates(row), color=GREY, ls="--", lw=1, zorder=0)
    tops = [r.plain.gates for r in shown if r.plain and r.plain.gates <= limit]
    axis.set_ylim(0, 1.06 * max(*(min(_gates(r), limit) for r in shown), *tops))
    axis.set_title(f"{bits} bits", fontsize=11)
    axis.set_xticks(range(len(shown)), ["fixed" if r in fixed else r.method for r in shown],
                    rotation=45, ha="right", fontsize=9)
    axis.tick_params(axis="y", labelsize=8)
    axis.grid(axis="x", visible=False)


def _gates(row: Row) -> int:
    return row.best.gates if row.best else 0
