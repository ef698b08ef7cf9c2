"""Accuracy against gates: which runs no other beats in both."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fxp.format import FormatError
from lnsarith.delta.methods import brief
from lnsarith.lns.format import Lns
from nets.experiments.jobs.job import settings_of
from nets.experiments.results.compare import grouped
from nets.settings.settings import Settings

__all__ = ["Mac", "Point", "bits_of", "draw", "dominated", "mac_of", "named", "points"]


@dataclass(frozen=True)
class Mac:
    """The multiply-accumulate unit that a run's sums of products take, a design of
    lnsarith rtl."""

    unit: str
    arith: str
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " ".join([self.unit, self.arith, *(f"{k}={v}" for k, v in self.options)])


@dataclass
class Point:
    """Runs that differ in the seed alone: mean accuracy and deviation in %, of how many runs,
    and the gates and depth of their unit."""

    name: str
    dataset: str
    bits: int
    accuracy: float
    deviation: float | None
    runs: int
    unit: str
    gates: int = 0
    depth: int = 0
    best: bool = False
    keys: list[str] = field(default_factory=list)

    def as_dict(self) -> dict:
        return dataclasses.asdict(self)


def mac_of(settings: Settings) -> Mac | None:
    """Return the unit of a run; None of floats, min-selectors, LNS formats that differ by role
    and factors of different widths, which no unit has.

    Fixed-point factors of one width whose points differ take the unit of the weights: its
    product is shifted by another constant. Registers of more octaves take one for words of as
    many more bits, which stored words do not fill.
    """
    s = settings
    if s.mode == "paper" or s.selects or not s.arith.startswith(("lns", "fixed")):
        return None
    weights, other = s.format("weights"), s.format("activations")
    if s.arith.startswith("lns"):
        if weights != other:
            return None
        options = {"delta": s.delta, "guard": str(s.guard), "underflow": s.underflow}
        usual = {"guard": "0", "underflow": "zero"}
        return Mac("lns-mac-unit", str(Lns(weights.bits + s.register_bits, weights.frac)),
                   tuple((k, v) for k, v in options.items() if usual.get(k) != v))
    if weights.bits != other.bits:
        return None
    if s.accumulator.startswith("limited"):
        limit = (("kind", "limited"), ("bits", s.accumulator[7:]))
        return Mac("fixed-mac-unit", str(weights), limit)
    return Mac("fixed-mac-unit", str(weights),
               (("kind", "each"),) if s.accumulator == "each" else ())


def bits_of(settings: Settings) -> int:
    """Return the bits of a stored weight."""
    f = settings.format("weights")
    return f.bits


def named(config: dict) -> str:
    """Return what a point is called: lns12 exact g4 s, where s tells that updates are
    stochastic; best behind it is the recipe of that name."""
    parts = [config["arith"]]
    if config["arith"].startswith("lns"):
        parts += [brief(config["delta"]), f"g{config['guard']}" if config["guard"] else ""]
        parts.append("s" if config["update"] == "stochastic" else "")
    elif config.get("update") == "nearest":
        parts.append("nearest")
    if config.get("logits"):
        parts.append(f"logits {config['logits']}")
    parts.append("best" if config.get("recipe") == "best" else "")
    return " ".join(filter(None, parts))


def points(rows: list[dict], cost: Callable[[Mac], dict | None],
           bits: Sequence[int] = (), datasets: Sequence[str] = ()) -> list[Point]:
    """Return a point for each group of runs that are alike but in the seed, with those that
    no other beats marked best; cost(mac) has gates and depth, None leaves the runs out."""
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if row["state"] == "done":
            rest = {k: str(v) for k, v in row["config"].items() if k != "seed"}
            groups.setdefault((row["sources"], *sorted(rest.items())), []).append(row)
    found = []
    for members in groups.values():
        config = members[0]["config"]
        try:
            settings = settings_of(config)
            mac = mac_of(settings)
        except (FormatError, TypeError):  # of a version with other settings
            continue
        if mac is None or (datasets and config["dataset"] not in datasets):
            continue
        if bits and bits_of(settings) not in bits:
            continue
        price = cost(mac)
        if price is None:
            continue
        group = grouped(members, ["dataset"])[0]
        spread = group["deviation"]
        found.append(Point(named(config), config["dataset"], bits_of(settings),
                           100 * group["mean"], None if spread is None else 100 * spread,
                           group["runs"], str(mac), price["gates"], price["depth"],
                           keys=[m["key"] for m in members]))
    for point in found:
        point.best = not dominated(point, found)
    return sorted(found, key=lambda p: (p.dataset, p.gates, -p.accuracy))


def dominated(point: Point, others: Sequence[Point]) -> bool:
    """Whether another point of the data set has no more gates and no less accuracy, and is
    better in one of them."""
    return any(o.dataset == point.dataset and o.gates <= point.gates
               and o.accuracy >= point.accuracy
               and (o.gates < point.gates or o.accuracy > point.accuracy) for o in others)


def draw(path: str | Path, found: list[Point], title: str) -> None:
    """Write a panel for each data set: the front as a line, the rest grey, deviations over
    seeds as bars."""
    from lnsarith.host.picture import GREY, INK, LINE, picture
    from lnsarith.host.picture.names import NamedPoint, name_points

    sets = sorted({p.dataset for p in found})
    columns = min(3, len(sets))
    lines = math.ceil(len(sets) / columns)
    rows = [(p.dataset, p.name, p.gates, p.accuracy, p.deviation) for p in found]
    with picture(path, title, (max(6.5, 5.2 * columns), 0.9 + 4.4 * lines), lambda: rows
                 ) as figure:
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes in panels[len(sets):]:
            axes.set_visible(False)
        for axes, name in zip(panels, sets):
            own = [p for p in found if p.dataset == name]
            for p in own:
                axes.errorbar(p.gates, p.accuracy, yerr=p.deviation, fmt="o", ms=5, capsize=3,
                              lw=1, color=LINE if p.best else GREY, zorder=3 if p.best else 2)
            front = [p for p in own if p.best]
            axes.step([p.gates for p in front], [p.accuracy for p in front], where="post",
                      color=LINE, lw=1.2, zorder=1)
            axes.set_xscale("log")
            axes.margins(0.25, 0.12)
            low, high = axes.get_xlim()
            ticks = [n * 10**e for e in range(8) for n in (1, 2, 3, 5) if low < n * 10**e < high]
            axes.set_xticks(ticks, [f"{t:,}" for t in ticks])
            axes.minorticks_off()
            axes.set_title(name)
            axes.set_xlabel("gates of the MAC unit")
            axes.set_ylabel("test accuracy, %")
        figure.supxlabel("gates: AND, OR, XOR, MUX after Yosys. Bars: one standard deviation of "
                         "the seeds.\nBlue: no other point has as few gates and as much accuracy.",
                         fontsize=8, color=GREY)
        for axes, name in zip(panels, sets):
            own = sorted((p for p in found if p.dataset == name),
                         key=lambda p: (not p.best, -p.accuracy))
            name_points(axes, [NamedPoint(p.gates, p.accuracy, p.deviation or 0, p.name,
                                          INK if p.best else GREY) for p in own],
                        _steps([p for p in found if p.dataset == name and p.best]))


def _steps(front: list[Point]) -> list[tuple[float, float, float, float]]:
    """Return the level and upright lines of a front."""
    pairs = list(zip(front, front[1:]))
    return [*((a.gates, a.accuracy, b.gates, a.accuracy) for a, b in pairs),
            *((b.gates, a.accuracy, b.gates, b.accuracy) for a, b in pairs)]
