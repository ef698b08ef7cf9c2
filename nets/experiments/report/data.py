"""What a report shows, as plain data: runs, curves, groups, the published table, Delta errors."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from lnsarith.delta import methods as deltas
from nets.experiments.results.compare import grouped
from nets.experiments.results.front import Point, named
from nets.experiments.results.paper import CELLS, DATASETS, measured, settings_given
from nets.settings.suited import settings_for

__all__ = ["CURVES", "adder_errors", "contents", "delta_curves"]

CURVES = 240  # runs whose curves are drawn at most: the newest of each group
METHODS = ("exact", "lut", "interp", "pwl", "balanced", "mitchell", "bitshift")
DRAWN = ("test_accuracy", "loss", "drift", "dead_updates")
CANCEL = -(1 << 20)  # the word that stands for minus infinity
FRAC = 6  # fraction bits at which Delta methods are shown: those of lns12


def contents(rows: list[dict], found: list[Point], store: str, made: str) -> dict[str, Any]:
    """Return what the page holds of rows with their records, and of the front's points.

    runs has columns, for thousands of them; curves those of the newest runs.
    """
    done = [r for r in rows if r["state"] == "done"]
    return {
        "store": store, "made": made, "failed": [
            {"name": named(r["config"]), "dataset": r["config"]["dataset"],
             "seed": r["config"]["seed"], "error": r["error"]}
            for r in rows if r["state"] == "failed"],
        "runs": {
            "key": [r["key"][:10] for r in done],
            "name": [named(r["config"]) for r in done],
            "dataset": [r["config"]["dataset"] for r in done],
            "seed": [r["config"]["seed"] for r in done],
            "epochs": [r["config"]["epochs"] for r in done],
            "test": [round(100 * r["test_accuracy"], 3) for r in done],
            "seconds": [round(r["seconds"] or 0, 2) for r in done]},
        "curves": _curves(done), "front": [p.as_dict() for p in found],
        "groups": _groups(done), "paper": _paper(done), "delta": delta_curves(),
        "adders": adder_errors()}


def _curves(done: list[dict]) -> list[dict]:
    """Return accuracy, loss, drift and dead updates by epoch of the newest runs."""
    kept: list[dict] = []
    count: dict[tuple, int] = {}
    for row in reversed(done):
        group = named(row["config"]), row["config"]["dataset"]
        count[group] = count.get(group, 0) + 1
        if row.get("records") and count[group] <= 3 and len(kept) < CURVES:
            kept.append({"name": group[0], "dataset": group[1], "seed": row["config"]["seed"],
                         **{k: _shortened(row["records"].get(k, [])) for k in DRAWN}})
    return kept[::-1]


def _shortened(values: list) -> list:
    return [None if v is None else float(f"{v:.5g}") for v in values]


def _groups(done: list[dict]) -> list[dict]:
    labelled = [{**r, "config": {**r["config"], "arith": named(r["config"])}} for r in done]
    return [{**g["by"], **{k: g[k] for k in ("mean", "min", "max", "deviation", "runs")}}
            for g in grouped(labelled, ["dataset", "arith", "epochs"])] if done else []


def _paper(done: list[dict]) -> list[dict]:
    """Return the cells of the published table that some runs measure."""
    found = []
    for cell in CELLS:
        for name in DATASETS:
            usual = settings_for(settings_given(cell, name, 0, False)).resolved()
            del usual["seed"]
            own = [r for r in done if all(r["config"].get(k, v) == v for k, v in usual.items())]
            if own:
                found.append({"arithmetic": cell.name, "dataset": name, "published":
                              cell.of(name), "measured": measured(own)})
    return found


def delta_curves(frac: int = FRAC) -> dict[str, Any]:
    """Return D+ and D- of each method over all distances d < 8, and their errors, in units of
    the last place, against the real functions."""
    gaps = np.arange(1, 8 << frac)
    d = gaps / (1 << frac)
    real = [np.log2(1 + 2.0**-d), np.log2(1 - 2.0**-d)]
    curves: dict[str, Any] = {"d": np.round(d, 5).tolist(), "frac": frac, "methods": {}}
    for name in METHODS:
        delta = deltas.parse(name).at(frac, CANCEL)
        found = [np.array([int(delta(int(g), side)) for g in gaps]) for side in (0, -1)]
        curves["methods"][name] = {
            side: {"value": _listed(v / (1 << frac), v, 5),
                   "error": _listed(v - r * (1 << frac), v, 3)}
            for side, v, r in zip(("plus", "minus"), found, real)}
    return curves


def _listed(values: np.ndarray, words: np.ndarray, digits: int) -> list[float | None]:
    """Return rounded values, None where the method lets the sum cancel."""
    return [round(float(v), digits) if w > CANCEL // 2 else None for v, w in zip(values, words)]


def adder_errors(frac: int = 4, method: str = "lut") -> dict[str, Any]:
    """Return the relative error, in units of the last place, of sums x + y of LNS numbers
    with few fraction bits: a map over the levels of x and y, of equal and of opposite sign."""
    levels = np.arange(-4 << frac, 4 << frac)
    delta = deltas.parse(method).at(frac, CANCEL)
    maps = {}
    for side, name in enumerate(("equal signs", "opposite signs")):
        found = []
        for x in levels:
            row: list[float | None] = []
            for y in levels:
                gap = abs(int(x) - int(y))
                value = delta(gap, -side)
                power = 2.0 ** float(-Fraction(gap, 1 << frac))
                sum_ = 1 + power if side == 0 else 1 - power
                cancels = sum_ == 0 or int(value) <= CANCEL // 2
                row.append(None if cancels else round(float(
                    int(value) - np.log2(sum_) * (1 << frac)), 2))
            found.append(row)
        maps[name] = found
    return {"levels": (levels / (1 << frac)).tolist(), "method": method, "frac": frac,
            "maps": maps}
