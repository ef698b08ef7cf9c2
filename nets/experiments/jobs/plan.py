"""A sweep's file: fixed settings, grids, lists and random samples, as configurations.

    [settings]                  # of all runs
    epochs = 5
    [grid]                      # every combination of these
    dataset = ["mnist", "fashion-mnist"]
    seed = [0, 1, 2]
    [[list]]                    # with each of these in turn
    arith = "lns12"
    [[list]]
    arith = "fixed12"
    gradients = "fixed12.11"
    [random]                    # with each of so many samples
    count = 10
    seed = 1
    [random.settings]
    lr = {log2 = [-9, -4]}      # a power of two; [low, high] are whole numbers
    guard = {whole = [0, 4]}
    momentum = {real = [0.0, 0.9]}
    order = {of = ["sequential", "tree"]}

`name` and `store` may stand above them all; `skip = true` leaves out combinations that
contradict each other, which are refused else.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fxp.format import FormatError
from lnsarith.host.files.reading import BadFile, read_toml
from lnsarith.host.files.schema import check, flag, listed, number, table, text
from nets.settings.settings import Settings
from nets.settings.suited import settings_for

__all__ = ["MOST", "Plan", "read_plan"]

MOST = 100_000  # runs of a sweep

# read({name: value}) returns settings given by name; TypeError for a name that no setting has.
Read = Callable[[dict], dict]


def _anything(value: Any, where: str) -> None:
    """Take any value: settings say what they take."""


_SETTINGS = table({}, open_ended=True)
FORM = table({}, {
    "name": text(most=200), "store": text(most=4096), "skip": flag, "settings": _SETTINGS,
    "grid": _SETTINGS, "list": listed(_SETTINGS, 1, MOST),
    "random": table({"count": number(1, MOST), "settings": _SETTINGS},
                    {"seed": number(0, (1 << 32) - 1)})})
DRAWS = {
    "log2": lambda rng, low, high: f"2^{rng.integers(low, high, endpoint=True)}",
    "whole": lambda rng, low, high: int(rng.integers(low, high, endpoint=True)),
    "real": lambda rng, low, high: f"{rng.uniform(low, high):.6f}",
}


@dataclass(frozen=True)
class Plan:
    """What a sweep's file asks for; no configuration twice."""

    name: str
    store: str
    runs: tuple[Settings, ...]
    skipped: int = 0


def read_plan(path: Path, read: Read) -> Plan:
    """Return the plan of a file; BadFile, naming it, for what is none."""
    found = read_toml(path)
    try:
        check(found, FORM)
        if not any(found.get(key) for key in ("settings", "grid", "list", "random")):
            raise ValueError("it has no [settings], [grid], [[list]] or [random]: nothing to run")
        runs, skipped = _runs(found, read)
    except (ValueError, TypeError) as error:
        raise BadFile(f"{path}: {error}") from None
    return Plan(found.get("name", path.stem), found.get("store", ""), runs, skipped)


def _runs(found: dict, read: Read) -> tuple[tuple[Settings, ...], int]:
    runs: dict[Settings, None] = {}
    skipped = 0
    for given in _combinations(found, read):
        try:
            runs[settings_for(given)] = None
        except FormatError as error:
            if not found.get("skip"):
                raise ValueError(f"{_told(given)}: {error} (skip = true leaves out what "
                                 "contradicts itself)") from None
            skipped += 1
    if not runs:
        raise ValueError("all of its combinations contradict themselves")
    return tuple(runs), skipped


def _combinations(found: dict, read: Read) -> Iterator[dict]:
    """Yield settings given, list by list, sample by sample, the grid within."""
    grid = {k: v if isinstance(v, list) else [v] for k, v in found.get("grid", {}).items()}
    for name, values in grid.items():
        if not values:
            raise ValueError(f"grid.{name} is empty")
    count = (len(found.get("list", [{}])) * found.get("random", {}).get("count", 1)
             * math.prod(map(len, grid.values())))
    if count > MOST:
        raise ValueError(f"it asks for {count:,} runs, more than {MOST:,}")
    columns = [[read({name: value}) for value in values] for name, values in grid.items()]
    fixed = read(found.get("settings", {}))
    rows = [read(row) for row in found.get("list", [{}])]
    for row, sample in itertools.product(rows, _samples(found.get("random"), read)):
        for cell in itertools.product(*columns):
            given = {**fixed, **row, **sample}
            for part in cell:
                given |= part
            yield given


def _samples(random: dict | None, read: Read) -> list[dict]:
    if random is None:
        return [{}]
    rng = np.random.default_rng(random.get("seed", 0))
    return [read({name: _drawn(rng, name, how) for name, how in random["settings"].items()})
            for _ in range(random["count"])]


def _drawn(rng: np.random.Generator, name: str, how: Any):
    """Return one value of {of = [...]}, {whole = [low, high]}, {real = ...}, {log2 = ...}."""
    kinds = ", ".join(("of", *DRAWS))
    if not isinstance(how, dict) or len(how) != 1 or next(iter(how)) not in ("of", *DRAWS):
        raise ValueError(f"random.settings.{name} must be a table with one of {kinds}")
    kind, span = next(iter(how.items()))
    if not isinstance(span, list) or not span:
        raise ValueError(f"random.settings.{name}.{kind} must be a list with something in it")
    if kind == "of":
        return span[int(rng.integers(len(span)))]
    try:
        low, high = map(float if kind == "real" else int, span)
        if low > high or (kind != "real" and [low, high] != span):
            raise ValueError
    except (TypeError, ValueError):
        numbers = "numbers" if kind == "real" else "whole numbers"
        raise ValueError(f"random.settings.{name}.{kind} must be [low, high], {numbers}"
                         ) from None
    return DRAWS[kind](rng, low, high)


def _told(given: dict) -> str:
    return ", ".join(f"{k} = {v}" for k, v in given.items())
