"""Which runs of a store or of run folders are meant, and what of them is shown."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from nets.experiments.jobs.store import Store
from nets.settings.settings import Settings

__all__ = ["FACTS", "chosen", "differing", "from_folders", "from_store", "shown_value", "value_of"]

# What a row has beside its settings.
FACTS = ("state", "sweep", "test_accuracy", "val_accuracy", "seconds", "train_seconds", "ended",
         "host", "error", "model_sha256", "key", "sources", "folder")
SETTINGS = tuple(f.name for f in dataclasses.fields(Settings))
_TERM = re.compile(r"\s*([\w-]+)\s*(!=|<=|>=|=|<|>|~)\s*(.*)", re.S)


def from_store(path: Path, records: bool = False) -> list[dict]:
    """Return the rows of a store, see `nets.experiments.jobs.store.Store.rows`."""
    with Store(path, create=False) as store:
        return store.rows(records)


def from_folders(folders: Iterable[Path], records: bool = False) -> list[dict]:
    """Return the same of folders that lnsarith train made; RunError for another."""
    from nets.train.run import Run

    rows = []
    for folder in folders:
        run = Run.open(folder)
        ended = run.records
        columns = {k: [r.get(k) for r in ended] for k in ended[0]} if ended else None
        last = ended[-1] if ended else {}
        whole = bool(last) and last["epoch"] >= run.settings.epochs
        rows.append({
            "key": "", "state": "done" if whole else "unfinished", "sweep": "", "folder":
            str(folder), "config": run.settings.resolved(), "data": run.data["train_sha256"][:16],
            "sources": "", "transfer": "", "error": None, "host": "", "ended": "",
            "test_accuracy": last.get("test_accuracy"), "val_accuracy": last.get("val_accuracy"),
            "model_sha256": run.model_sha256 if run.model_path.exists() else None,
            "seconds": None, "train_seconds": sum(r["seconds"] for r in ended),
            **({"records": columns} if records else {})})
    return rows


def chosen(rows: list[dict], where: Sequence[str]) -> list[dict]:
    """Return the rows that fulfil all terms: NAME=VALUE, !=, <, <=, >, >=, and ~ for a part of
    the text. ValueError for a term that is none, or a name that no row has."""
    for text in where:
        match = _TERM.fullmatch(text)
        if not match:
            raise ValueError(f"where must be NAME=VALUE, or with !=, <, <=, >, >= or ~, got "
                             f"{text!r}")
        name, sign, wanted = match[1].replace("-", "_"), match[2], match[3].strip()
        rows = [row for row in rows if _fits(value_of(row, name), sign, wanted, name)]
    return rows


def value_of(row: dict, name: str):
    """Return a setting or fact of a row; ValueError for a name that it does not have."""
    if name in row["config"]:
        return row["config"][name]
    if name in FACTS or name in SETTINGS:  # a run of an earlier version may lack a setting
        return row.get(name)
    near = difflib.get_close_matches(name, [*row["config"], *FACTS], 1, 0.6)
    raise ValueError(f"no setting or fact of a run is called {name!r}"
                     + (f"; did you mean {near[0]}?" if near else ""))


def shown_value(value) -> str:
    """Return a value as it is written on the command line."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "none"
    return "" if value is None else str(value)


def differing(rows: list[dict]) -> list[str]:
    """Return the settings that are not the same in all rows, the seed apart, in their order."""
    names = list(rows[0]["config"]) if rows else []
    return [n for n in names if n != "seed" and len(
        {shown_value(row["config"].get(n)) for row in rows}) > 1]


def _fits(value, sign: str, wanted: str, name: str) -> bool:
    text = shown_value(value)
    if sign in ("=", "!="):
        return (text == wanted or _same_number(text, wanted)) == (sign == "=")
    if sign == "~":
        return wanted in text
    try:
        limit = float(wanted)
    except ValueError:
        raise ValueError(f"where {name}{sign} takes a number, got {wanted!r}") from None
    try:
        number = float(text)
    except ValueError:
        return False
    return {"<": number < limit, "<=": number <= limit, ">": number > limit,
            ">=": number >= limit}[sign]


def _same_number(a: str, b: str) -> bool:
    try:
        return float(a) == float(b)
    except ValueError:
        return False
