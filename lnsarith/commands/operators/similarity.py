"""lnsarith check minselect --correlation: how like a product the smaller operand is."""

from __future__ import annotations

import json
from argparse import Namespace

import numpy as np

from fxp.format import FormatError
from lnsarith.catalogue.bench.similarity import (
    PAIRS,
    STANDINS,
    correlation,
    distance,
    folded_mean,
    nearest_mean,
)
from lnsarith.catalogue.operators import find
from lnsarith.host.picture import GREY, INK, LINE, WARM, picture, require_writable

__all__ = ["run"]

SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
DRAWN = (0.05, 0.1, 0.2, 0.3, 0.5)
NOTES = ("the second row's 10 is a standard deviation, not the variance that the slides say",
         "the fifth row is printed as U(0, 1) twice; there + is nearer than min")


def run(args: Namespace) -> int:
    """Print the two tables, or with args.json one object; draw them to args.plot."""
    _only_minselect(args)
    if args.plot:
        require_writable(args.plot)
    pairs = [{"operands": p.name, "slides": p.slides,
              **{name: correlation(p, g) for name, g in STANDINS.items()}} for p in PAIRS]
    means = [dict(zip(("sigma", "k", "distance"), (sigma, *nearest_mean(sigma))))
             for sigma in (*SIGMAS, None)]
    if args.plot:
        _draw(args.plot, pairs)
    if args.json:
        print(json.dumps({"correlation": pairs, "distance": means, "notes": NOTES,
                          "plot": str(args.plot) if args.plot else None}))
    else:
        drawn = ["", f"drawn in {args.plot}"] if args.plot else []
        print("\n".join([*_correlations(pairs), "", *_distances(means), *drawn]))
    return 0


def _only_minselect(args: Namespace) -> None:
    if find(args.op).name != "fixed-minselect":
        raise FormatError(f"--correlation goes with minselect, not with {args.op}")
    given = [f"--{name}" for name in ("arith", "delta", "option", "samples", "exhaustive")
             if getattr(args, name)]
    if given:
        raise FormatError(f"--correlation is about real numbers and takes no {given[0]}")


def _correlations(pairs) -> list[str]:
    def row(name, values, slides):
        return f"{name:28}" + "".join(f"{v:>8}" for v in (*values, "", *slides)).rstrip()

    lines = ["correlation of x * y with min(x, y), x + y and max(x, y), by quadrature",
             row("  x, y", STANDINS, ("slides:", *STANDINS))]
    for pair in pairs:
        lines.append(row(f"  {pair['operands']}", [f"{pair[n]:.4f}" for n in STANDINS],
                         ["", *(f"{v:.3f}" for v in pair["slides"] or ())]))
    return [*lines, *(f"  ({note})" for note in NOTES)]


def _distances(means) -> list[str]:
    lines = ["distance L = E |min(x, y) / (x y) - 1| of two |N(mu, sigma**2)| with mean k",
             f"{'  sigma':12}{'best k':>8}{'L':>10}"]
    for row in means:
        sigma = "  half-normal" if row["sigma"] is None else f"  {row['sigma']:g}"
        lines.append(f"{sigma:14}{row['k']:6.3f}{row['distance']:10.4f}")
    at_one = distance(0.0, float(np.sqrt(np.pi / 2)))
    return [*lines, f"  (half-normal at k = 1: {at_one:.4f}; k only scales the result by 1/k, "
            "so it is a gain)"]


def _draw(path, pairs) -> None:
    with picture(path, "min(x, y) in place of x * y", (11, 5.2)) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
        _draw_correlations(left, pairs)
        _draw_distances(right)


def _draw_correlations(axes, pairs) -> None:
    at = np.arange(len(pairs))
    for i, (name, colour) in enumerate(zip(STANDINS, (LINE, GREY, WARM))):
        place = at + 0.27 * (i - 1)
        label = {"add": "x + y"}.get(name, f"{name}(x, y)")
        axes.bar(place, [p[name] for p in pairs], 0.25, color=colour, alpha=0.85, label=label)
        some = [(x, p["slides"][i]) for x, p in zip(place, pairs) if p["slides"]]
        axes.plot(*zip(*some), "D", ms=4, color=INK, mfc="white",
                  label="as in the slides" if i == 2 else None)
    axes.set_xticks(at, [p["operands"].replace(", |", ",\n|").replace(", U", ",\nU")
                         for p in pairs], fontsize=8.5)
    axes.set_ylim(0, 1.12)
    axes.set_ylabel("correlation with x * y")
    axes.set_title("correlation")
    axes.legend(ncols=4, loc="upper left", fontsize=8.5)
    axes.grid(axis="x", visible=False)


def _draw_distances(axes) -> None:
    shades = np.linspace(0.3, 1, len(DRAWN))
    for sigma, shade in zip(DRAWN, shades):
        mu = np.linspace(0.6, 1.5, 91)
        k = [folded_mean(m, sigma) for m in mu]
        best, least = nearest_mean(sigma)
        axes.plot(k, [distance(m, sigma) for m in mu], color=LINE, alpha=shade, lw=1.5,
                  label=f"sigma {sigma:g}: least at k = {best:.3f}")
        axes.plot([best], [least], "o", ms=5, color=WARM)
    axes.legend(loc="upper right", fontsize=8.5)
    axes.set_xlim(0.6, 1.5)
    axes.set_ylim(0, 0.85)
    axes.set_xlabel("mean k of both operands")
    axes.set_ylabel("L = E |min / (x y) - 1|")
    axes.set_title("distance of folded normal operands, and the least of each")
