"""lnsarith data list and lnsarith data get: which data sets are here, and fetch one."""

from __future__ import annotations

import json
from argparse import Namespace

from nets import data

__all__ = ["run_get", "run_list"]

HEADER = ("name", "images", "classes", "train", "test", "download", "where")


def run_list(args: Namespace) -> int:
    """Print a line for each data set, or with args.json {"data_sets": [rows]}."""
    rows = data.catalogue(args.data_dir)
    if args.json:
        print(json.dumps({"data_sets": rows}))
    else:
        _print_table([HEADER, *map(_cells, rows)])
    return 0


def run_get(args: Namespace) -> int:
    """Download args.name where needed and print its line, or with args.json its row."""
    row = data.get(args.name, args.data_dir)
    if args.json:
        print(json.dumps(row))
    else:
        _print_table([HEADER, _cells(row)])
    return 0


def _cells(row: dict) -> tuple[str, ...]:
    size = row["download_bytes"]
    return (
        row["name"],
        "x".join(map(str, row["shape"])),
        str(row["classes"]),
        f"{row['train']:,}",
        f"{row['test']:,}",
        f"{size / 1e6:.1f} MB" if size else "-",
        row["found"] or "not here",
    )


def _print_table(lines: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, *numbers, where in lines:
        cells = map(str.rjust, numbers, widths[1:])
        print("  ".join([name.ljust(widths[0]), *cells, where]))
