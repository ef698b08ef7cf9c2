"""Rows of results: judged by a mark, kept as JSON lines, printed as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import machine

__all__ = ["RESULTS", "Mark", "Results", "say", "table"]

RESULTS = Path(__file__).parents[1] / "results"
SENSES = {">=": float.__ge__, "<=": float.__le__, "<": float.__lt__}


class Mark(NamedTuple):
    """What a value has to reach."""

    sense: str
    limit: float

    def reached(self, value: float) -> bool:
        return SENSES[self.sense](round(float(value), 6), float(self.limit))

    def __str__(self) -> str:
        return f"{self.sense} {self.limit:g}"


class Results:
    """The rows of one script. With a folder each is written there when it is added, with
    the facts. Without judge, a trial, no mark counts.
    """

    def __init__(self, name: str, folder: Path | None = None, judge: bool = True):
        self.judge = judge
        self.name = name
        self.folder = folder
        self.facts = machine.facts()
        self.rows: list[dict] = []
        say(machine.describe(self.facts))
        if self.facts["free_cores"] < self.facts["cores"]:
            say(
                "warning: the machine is not idle, and its load makes long calls longer"
            )

    def add(self, row: Mapping, value: float | None = None, mark: Mark | None = None):
        """Judge value by mark and write the row; without value it is not judged."""
        reached = None
        if self.judge and mark is not None and value is not None:
            reached = mark.reached(value)
        row = {**row, "mark": str(mark) if mark else None, "reached": reached}
        self.rows.append(row)
        if self.folder is None:
            return
        path = self.folder / f"{self.name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"benchmark": path.stem, **row, **self.facts})
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def finish(self, columns: Mapping[str, str]) -> int:
        """Print the facts and the table; return 1 if a mark was not reached."""
        print(machine.describe(self.facts))
        print()
        print(table(self.rows, columns))
        missed = [r for r in self.rows if r["reached"] is False]
        if missed:
            print(f"\n{len(missed)} of the marks not reached")
        kept = f"added to {self.folder}" if self.folder else "not kept (see --record)"
        say(f"{len(self.rows)} rows {kept}")
        return 1 if missed else 0


def table(rows: Iterable[Mapping], columns: Mapping[str, str]) -> str:
    """Return rows as text. columns maps keys to a title, or to title:format."""
    parts = {key: text.partition(":") for key, text in columns.items()}
    lines = [[title for title, _, _ in parts.values()]]
    for row in rows:
        lines.append([_cell(row.get(k), form) for k, (_, _, form) in parts.items()])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = [bool(form) for _, _, form in parts.values()]
    return "\n".join(
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def say(text: str) -> None:
    """Tell on stderr how it goes."""
    print(text, file=sys.stderr, flush=True)


def _cell(value, form: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return format(value, form) if form else str(value)
