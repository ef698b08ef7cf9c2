"""A run's folder, looked at from outside, and the log in it."""

from __future__ import annotations

from pathlib import Path

from lnsarith.host.files.reading import BadFile, parse_json, read_text
from lnsarith.host.files.schema import check
from lnsarith.host.files.whole import is_left_over
from nets.network.model import RunError
from nets.train.forms import RECORD, kind_of

__all__ = ["holds_any", "holds_something", "read_log", "require_empty"]

MOST_LOG = 1 << 28  # bytes


def holds_any(folder: Path) -> bool:
    """Whether a folder is there and holds a run, or what another command wrote."""
    return (folder / "config.json").exists() or bool(kind_of(folder))


def require_empty(folder: Path) -> None:
    """Raise RunError for a folder that holds something."""
    if not holds_something(folder):
        return
    hint = "add --resume to go on with a run in it, or choose another --out"
    other = kind_of(folder)
    raise RunError(f"{folder} holds {other}; choose another --out" if other else
                   f"{folder} is not empty; {hint}")


def holds_something(folder: Path) -> bool:
    """Whether a folder holds more than what a killed process left half written."""
    return any(not is_left_over(path) for path in folder.iterdir())


def read_log(path: Path) -> list[dict]:
    """Return the records of a log; RunError if it is not what this program wrote."""
    records: list[dict] = []
    try:
        lines = read_text(path, MOST_LOG).splitlines()
    except FileNotFoundError:
        return []
    except BadFile as error:
        raise RunError(str(error)) from error
    for i, line in enumerate(lines, 1):
        try:
            records.append(check(parse_json(line), RECORD))
            if len(records) > 1 and records[-2]["epoch"] >= records[-1]["epoch"]:
                raise ValueError(f"epoch must be above {records[-2]['epoch']}, "
                                 f"got {records[-1]['epoch']}")
        except ValueError as error:
            raise RunError(f"{path} is not what this program wrote: line {i}: {error}"
                           ) from error
    return records
