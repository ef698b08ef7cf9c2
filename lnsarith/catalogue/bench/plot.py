"""Pictures of how an operator errs; matplotlib is loaded when one is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fxp.format import Fixed
from lnsarith.catalogue.bench.bench import Bench, Judgement
from lnsarith.catalogue.bench.operands import choices, every, sampled
from lnsarith.catalogue.bench.report import Report
from lnsarith.catalogue.operator import Operator
from lnsarith.catalogue.real import as_real, decode
from lnsarith.host.picture import INK, LINE, WARM, legend, picture, require_writable, wrapped
from lnsarith.lns.format import Lns

__all__ = ["draw", "require_writable"]

POINTS = 1 << 17  # combinations of words that a cloud shows
FEW = 1 << 11  # points that can be told apart, and have no mean line
GAPS = 1 << 14


def draw(path: str | Path, report: Report, operator: Operator, f, options: Mapping) -> None:
    """Write a picture of the report: of LNS sums the error against the gap of the
    logs, else against the first operand, with a histogram.

    The file appears whole or not at all. Raises FormatError where it cannot be written.
    """
    bench = Bench(operator, f, options)
    settings = ", ".join([report.f, *(f"{k} {v}" for k, v in report.options.items())])
    title = "\n".join([f"{report.operator}:  {report.summary}", *wrapped(settings, 100)])
    with picture(path, title) as figure:
        if operator.name in ("lns-add", "lns-sub"):
            _draw_gaps(figure, bench, f)
        else:
            _draw_cloud(figure, bench, report.seed)


def _draw_gaps(figure, bench: Bench, f: Lns):
    """D+ and D- beside what stands for them, and the error below, against the gap d."""
    axes = figure.subplots(2, 2, sharex=True, height_ratios=(1.15, 1))
    for column, (opposite, name) in enumerate(((False, "D^+"), (True, "D^-"))):
        d, exact, found = _gaps(bench, f, opposite)
        top, bottom = axes[0][column], axes[1][column]
        sign = "opposite signs" if opposite else "equal signs"
        formula = "1 - 2^{-d}" if opposite else "1 + 2^{-d}"
        top.set_title(f"{sign}:  ${name}(d) = \\log_2({formula})$")
        top.plot(d, exact, color=INK, lw=1.1, label="exact")
        top.plot(d, found, color=LINE, lw=1.6, alpha=0.85, label="operator")
        if opposite:
            top.set_ylim(max(-6.5, np.nanmin(exact[1:])) - 0.2, 0.25)
        error = (found - exact) * (1 << f.frac)
        bottom.fill_between(d, 0, error, color=LINE, alpha=0.25, lw=0)
        bottom.plot(d, error, color=LINE, lw=1.0)
        bottom.axhline(0, color=INK, lw=0.8)
        _stretch(bottom, error)
        _note_largest(bottom, d, error)
        _shade_zeros(top, bottom, d, np.isnan(found) & (d > 0))
        bottom.set_xlabel("gap d of the logs (log2)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=2)  # beside the title's first line
    axes[0][0].set_ylabel("correction of the larger log")
    axes[1][0].set_ylabel(f"error (ULP, {_unit(f.frac)} of log2)")


def _gaps(bench: Bench, f: Lns, opposite: bool):
    """Return d, the exact correction and the operator's (NaN where its result is zero)."""
    unit = 1 << f.frac
    larger = max(f.high_log - unit, 0)
    limit = min(larger - f.zero_log - 1, (f.frac + 2) * unit)
    gap = np.unique(np.linspace(0, limit, GAPS).round().astype(np.int64))
    smaller = (larger - gap) & (2 * f.zero - 1)
    flip = opposite ^ (bench.operator.name == "lns-sub")
    words = {"x": np.full_like(gap, larger),
             "y": smaller - (2 * f.zero if flip else 0)}
    truth, result = as_real(bench.truth(words)), decode(bench.run(words), f)
    found = np.where(result.sign == 0, np.nan, result.log - larger / unit)
    exact = np.where(truth.sign == 0, np.nan, truth.log - larger / unit)
    return gap / unit, exact, found


def _note_largest(axes, x, error):
    if not np.any(np.abs(error) > 0):
        return
    at = int(np.nanargmax(np.abs(error)))
    right = x[at] < np.median(x)
    axes.plot(x[at], error[at], "o", ms=4.5, color=WARM)
    axes.annotate(f"{error[at]:+.4g} at d = {x[at]:.4g}", (x[at], error[at]), color=WARM,
                  xytext=(8 if right else -8, 0), textcoords="offset points",
                  ha="left" if right else "right", va="center")


def _shade_zeros(top, bottom, d, zero):
    if zero.any():
        for axes in (top, bottom):
            axes.axvspan(0, d[zero].max(), color=WARM, alpha=0.12, lw=0)
        top.annotate(f"exact zero up to d = {d[zero].max():.3g}", (d[zero].max(), 0.42),
                     xycoords=("data", "axes fraction"), xytext=(8, 0), color=WARM,
                     textcoords="offset points", va="center")


def _stretch(axes, error) -> float:
    """Make the error axis logarithmic away from zero where a few errors would hide
    the rest; return the width of its linear part."""
    size = np.abs(error[np.isfinite(error)])
    if size.size == 0 or size.max() <= 60 * size.mean():
        return 1e6 * float(size.max(initial=1)) + 1
    width = float(max(size.mean(), 0.5))
    axes.set_yscale("asinh", linear_width=width)
    powers = [10.0**k for k in range(12) if width <= 10.0**k <= size.max()]
    axes.set_yticks([-p for p in powers] + [0] + powers)
    axes.yaxis.set_major_formatter("{x:,g}")
    return width


def _draw_cloud(figure, bench: Bench, seed: int):
    """The error of many results against the first operand, and its histogram."""
    axes, side = figure.subplots(1, 2, sharey=True, width_ratios=(3.2, 1))
    x, judged = _cloud(bench, seed)
    keep = judged.masks["compared"] & np.isfinite(x)
    x, error = x[keep], judged.error[keep]
    _draw_points(axes, x, error)
    _draw_histogram(axes, side, error)
    for each in (axes, side):
        each.axhline(0, color=INK, lw=0.8)
    name, form = next(iter(bench.formats.items()))
    axes.set_xlabel(f"operand {name}" if isinstance(form, Fixed) else f"log2 |{name}|")
    what = "the result" if isinstance(bench.output, Fixed) else "log2"
    axes.set_ylabel(f"error (ULP, {_unit(bench.output.frac)} of {what})")
    exact = ", all of them exact" if error.size and not error.any() else ""
    axes.set_title(f"{error.size:,} results compared, of {keep.size:,} drawn{exact}")


def _draw_points(axes, x, error):
    many = error.size > FEW
    alpha = min(0.9, max(0.3, 10 * FEW / max(error.size, 1)))
    axes.plot(x, error, ".", ms=3 if many else 5, alpha=alpha, color=LINE, mew=0,
              rasterized=True)
    if many:
        _mean_line(axes, x, error)


def _draw_histogram(axes, side, error):
    """Fill the side with the histogram, in bins of equal height on the error axis."""
    low, high = min(error.min(initial=0), -0.05), max(error.max(initial=0), 0.05)
    width = _stretch(axes, error)
    first, last = np.arcsinh(low / width), np.arcsinh(high / width)
    margin = 0.05 * (last - first)
    axes.set_ylim(width * np.sinh(first - margin), width * np.sinh(last + margin))
    bins = width * np.sinh(np.linspace(first, last, 60))
    share = np.full(error.size, 100 / max(error.size, 1))
    side.hist(error, bins=bins, weights=share, orientation="horizontal", color=LINE, alpha=0.8)
    side.set_xlabel("% of results")


def _cloud(bench: Bench, seed: int) -> tuple[np.ndarray, Judgement]:
    """Return the first operand (its log2 magnitude if logarithmic) and the judgement."""
    few = choices(bench.ports) <= POINTS
    chunks = list(every(bench.ports) if few else sampled(bench.ports, POINTS, seed, 0))
    words = {n: np.concatenate([c[n] for c in chunks]) for n in bench.ports}
    name, form = next(iter(bench.formats.items()))
    value = decode(words[name], form)
    return (value if isinstance(form, Fixed) else value.log), bench.judge(words)


def _mean_line(axes, x, error):
    edges = np.linspace(x.min(), x.max(), 49) if x.size else np.zeros(2)
    index = np.clip(np.searchsorted(edges, x, "right") - 1, 0, len(edges) - 2)
    count = np.bincount(index, minlength=len(edges) - 1)
    total = np.bincount(index, error, minlength=len(edges) - 1)
    middle = (edges[1:] + edges[:-1]) / 2
    some = count > 0
    axes.plot(middle[some], total[some] / count[some], color=WARM, lw=1.6, label="mean")
    legend(axes)


def _unit(frac: int) -> str:
    return f"2$^{{-{frac}}}$" if frac else "1"
