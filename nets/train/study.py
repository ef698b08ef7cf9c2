"""Accuracies of several trainings compared: means, spreads, ranks, and their picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

__all__ = ["draw", "summary", "table"]


def summary(accuracies: dict[str, dict[str, list[float | None]]],
            images: dict[str, int]) -> dict:
    """Return what accuracies[set][kind][run] in 0..1, of so many test images a set, tell;
    None stands for a run that failed.

    Each set has for each kind mean, min, max, the standard deviation over runs (None of
    one run), the standard error and the rank (1 best, equal means share theirs), and
    whether it is `open`: nearer to the best than one standard error of the difference.
    `failed` counts its failed runs, which are in none of these (None if all failed): a kind
    with more of them has a worse rank, whatever its mean, and is not open.
    The error's square is p (1 - p) / images, as if each kind had test images of its own,
    plus the variance over runs / runs: on the same images it is somewhat less.
    rank_sums has for each kind the sum of ranks over the sets.
    """
    sets = {name: _ranked(kinds, images[name]) for name, kinds in accuracies.items()}
    names = list(next(iter(accuracies.values())))
    return {"sets": sets, "rank_sums": {kind: sum(rows[kind]["rank"] for rows in sets.values())
                                        for kind in names}}


def _ranked(kinds: dict[str, list[float | None]], images: int) -> dict[str, dict]:
    rows: dict[str, dict] = {kind: _spread(values, images) for kind, values in kinds.items()}
    order = [2 * row["failed"] - (row["mean"] or 0) for row in rows.values()]
    best = list(rows.values())[int(np.argmin(order))]
    for row, rank in zip(rows.values(), rankdata(order).tolist()):
        row["rank"] = int(rank) if rank == int(rank) else rank
        row["open"] = False
        if row is not best and row["failed"] == best["failed"] and row["mean"] is not None:
            apart = float(np.hypot(row["standard_error"], best["standard_error"]))
            row["open"] = best["mean"] - row["mean"] < apart
    return rows


def _spread(values: Sequence[float | None], images: int) -> dict:
    ended = [v for v in values if v is not None]
    row: dict = {"accuracies": ended, "failed": len(values) - len(ended)}
    if not ended:
        return {**row, **dict.fromkeys(("mean", "min", "max", "deviation", "standard_error"))}
    mean = float(np.mean(ended))
    deviation = float(np.std(ended, ddof=1)) if len(ended) > 1 else None
    error = np.sqrt(mean * (1 - mean) / images + (deviation or 0) ** 2 / len(ended))
    return {**row, "mean": mean, "min": min(ended), "max": max(ended), "deviation": deviation,
            "standard_error": float(error)}


def table(found: dict) -> list[str]:
    """Return a summary line by line: a row for each kind, the best rank sum first."""
    sets, sums = found["sets"], found["rank_sums"]
    kinds = sorted(sums, key=lambda kind: sums[kind])
    wide = max(map(len, kinds))
    lines = [" " * wide + "".join(f"  {name:^30}" for name in sets) + "  rank sum"]
    for kind in kinds:
        cells = (f"  {_cell(rows[kind]):<30}" for rows in sets.values())
        lines.append(f"{kind:<{wide}}{''.join(cells)}  {sums[kind]:g}")
    runs = {len(row["accuracies"]) + row["failed"] for rows in sets.values()
            for row in rows.values()}
    lines += ["", f"mean +- standard deviation (lowest..highest) of {max(runs)} seeds, test "
              "accuracy in %, (rank)"]
    for name, rows in sets.items():
        best = min(rows, key=lambda kind: rows[kind]["rank"])
        near = [kind for kind in kinds if rows[kind]["open"]]
        if broken := [f"{kind} {_failures(rows[kind])}" for kind in kinds if rows[kind]["failed"]]:
            lines.append(f"{name}: runs whose loss stopped being finite: {', '.join(broken)}; "
                         "these rank last")
        if len(broken) == len(kinds):
            continue
        told = (f"within one standard error of {best} (~) are {', '.join(near)}: undecided"
                if near else f"{best} leads by more than one standard error")
        lines.append(f"{name}: {told}")
    return lines


def _failures(row: dict) -> str:
    return f"{row['failed']} of {len(row['accuracies']) + row['failed']}"


def _cell(row: dict) -> str:
    if row["failed"]:
        mean = "" if row["mean"] is None else f"{100 * row['mean']:6.2f}, "
        return f"{mean}{_failures(row)} failed ({row['rank']:g})"
    mark = "~" if row["open"] else " "
    if row["deviation"] is None:
        return f"{100 * row['mean']:6.2f}{mark}({row['rank']:g})"
    low, high = 100 * row["min"], 100 * row["max"]
    return (f"{100 * row['mean']:6.2f} +-{100 * row['deviation']:5.2f} ({low:.2f}..{high:.2f})"
            f"{mark}({row['rank']:g})")


def draw(path: str | Path, found: dict, title: str) -> None:
    """Draw a panel for each set: each run, the mean, and one standard error each way."""
    from lnsarith.host.picture import GREY, INK, LINE, WARM, picture

    sets = found["sets"]
    kinds = list(found["rank_sums"])
    with picture(path, title, (max(6, 3.6 * len(sets)), 1.6 + 0.45 * len(kinds))) as figure:
        panels = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
        for axes, (name, rows) in zip(panels, sets.items()):
            best = min(kinds, key=lambda kind: rows[kind]["rank"])
            for y, kind in enumerate(kinds):
                row = rows[kind]
                if row["failed"]:
                    axes.text(0.02, y + 0.3, f"{_failures(row)} failed", color=WARM, fontsize=8,
                              transform=axes.get_yaxis_transform())
                if row["mean"] is None:
                    continue
                runs = 100 * np.array(row["accuracies"])
                axes.plot(runs, np.full(len(runs), y), "o", ms=4, color=GREY, alpha=0.7)
                axes.errorbar(100 * row["mean"], y, xerr=100 * row["standard_error"], fmt="D",
                              ms=5, capsize=4, lw=1.4, color=WARM if kind == best else LINE)
            axes.set_title(name)
            axes.set_xlabel("test accuracy, %")
            axes.set_yticks(range(len(kinds)), kinds, color=INK)
            axes.set_ylim(-0.5, len(kinds) - 0.5)
        panels[0].invert_yaxis()
        figure.supxlabel("grey: a seed each; diamond: their mean; bar: one standard error each "
                         "way,\nof the seeds' spread and the number of test images",
                         fontsize=8.5, color=GREY)
