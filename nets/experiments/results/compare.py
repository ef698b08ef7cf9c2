"""Runs in groups: means, spreads, and differences of runs that share all but what is varied."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from nets.experiments.results.choose import differing, shown_value, value_of

__all__ = ["Group", "grouped", "paired"]

Group = dict


def grouped(rows: list[dict], by: Sequence[str] = ()) -> list[Group]:
    """Return groups of runs that are done, best mean first (of one data set, then the next).

    They share the values of `by`, without it all settings that differ but the seed. Each has
    `by`, `runs`, `seeds`, mean, min, max of the test accuracy in 0..1, their standard
    `deviation` (None of one run), the `standard_error` of the mean, and how many `failed`.
    """
    names = list(by) or differing(rows) or ["arith"]
    found: dict[tuple, list[dict]] = {}
    for row in rows:
        found.setdefault(tuple(shown_value(value_of(row, n)) for n in names), []).append(row)
    groups = [_group(dict(zip(names, values)), members) for values, members in found.items()]
    return sorted(groups, key=lambda g: (g["by"].get("dataset", ""), -(g["mean"] or 0)))


def _group(by: dict, rows: list[dict]) -> Group:
    done = [r for r in rows if r["test_accuracy"] is not None and r["state"] == "done"]
    values = [r["test_accuracy"] for r in done]
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {
        "by": by, "runs": len(done), "failed": sum(r["state"] == "failed" for r in rows),
        "seeds": sorted({r["config"]["seed"] for r in done}),
        "mean": statistics.fmean(values) if values else None,
        "min": min(values, default=None), "max": max(values, default=None),
        "deviation": deviation,
        "standard_error": deviation / math.sqrt(len(values)) if deviation is not None else None}


def paired(rows: list[dict], by: Sequence[str]) -> list[dict]:
    """Return the difference of each group to the first one with the same data set, over runs
    of the same seed and data set.

    Each has `by` of both, `pairs`, the mean `difference` in 0..1 and its `standard_error`
    (None of fewer than two pairs).
    """
    names = list(by) or differing(rows)
    varied = set(names) - {"dataset"}
    groups: dict[tuple, dict[tuple, float]] = {}
    for row in rows:
        if row["state"] != "done":
            continue
        label = tuple(shown_value(value_of(row, n)) for n in names)
        rest = tuple(shown_value(row["config"][n]) for n in ("dataset", "seed")
                     if n not in varied)
        groups.setdefault(label, {})[rest] = row["test_accuracy"]
    labels = list(groups)
    found = []
    for label in labels[1:]:
        first = next((o for o in labels if _set_of(names, o) == _set_of(names, label)), label)
        both = [r for r in groups[label] if r in groups[first]]
        if first == label or not both:
            continue
        apart = [groups[label][r] - groups[first][r] for r in both]
        error = statistics.stdev(apart) / math.sqrt(len(apart)) if len(apart) > 1 else None
        found.append({"by": dict(zip(names, label)), "against": dict(zip(names, first)),
                      "pairs": len(apart), "difference": statistics.fmean(apart),
                      "standard_error": error})
    return found


def _set_of(names: Sequence[str], label: tuple) -> str:
    return dict(zip(names, label)).get("dataset", "")
