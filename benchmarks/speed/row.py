"""A row of the speed table: ours against theirs, in a rate or in seconds."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.common.peers import Missing, load
from benchmarks.common.rows import Mark, Results, say
from benchmarks.common.timing import Pair

__all__ = ["COLUMNS", "add_rate", "add_time", "peer"]

COLUMNS = {
    "row": "what",
    "peer": "against",
    "level": "level",
    "ours": "ours:.3g",
    "theirs": "theirs:.3g",
    "unit": "unit",
    "ratio": "ratio:.3g",
    "mark": "mark",
    "reached": "reached",
    "note": "remark",
}


def add_rate(
    results: Results,
    row: str,
    against: str,
    pair: Pair,
    work: float,
    unit: str,
    mark: Mark | None = None,
    note: str = "",
) -> None:
    """Add a row of rates; ratio is ours / theirs, so above 1 is faster."""
    _add(
        results,
        row,
        against,
        work / pair.ours,
        work / pair.theirs,
        unit,
        pair.speedup,
        mark,
        note,
    )


def add_time(
    results: Results,
    row: str,
    against: str,
    pair: Pair,
    mark: Mark | None = None,
    note: str = "",
) -> None:
    """Add a row of seconds; ratio is ours / theirs, so below 1 is faster."""
    ratio = 1 / pair.speedup
    _add(results, row, against, pair.ours, pair.theirs, "s", ratio, mark, note)


def _add(results, row, against, ours, theirs, unit, ratio, mark, note):
    values = {"ours": ours, "theirs": theirs, "unit": unit, "ratio": ratio}
    level = results.facts["level"]
    head = {"row": row, "peer": against, "level": level}
    results.add({**head, **values, "note": note}, ratio, mark)
    say(f"  {row}: {ours:.3g} against {against} {theirs:.3g} {unit}, ratio {ratio:.3g}")


def peer(results: Results, name: str, rows: Callable[..., None], *args) -> None:
    """Call rows(adapter, results, *args), or add a row that says what is missing."""
    try:
        adapter = load(name)
    except Missing as error:
        say(f"  {error}")
        level = results.facts["level"]
        results.add(
            {
                "row": rows.__name__.strip("_"),
                "peer": name,
                "level": level,
                "note": str(error),
            }
        )
        return
    rows(adapter, results, *args)
