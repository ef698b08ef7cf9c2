"""lnsarith runs list, show and compare: the runs of a store and of run folders."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.networks.experiments.sweep import STORE, duration
from lnsarith.commands.networks.experiments.tables import add_forms, percent, print_table

__all__ = ["options"]


def options(parser: ArgumentParser) -> None:
    """Add the actions list, show and compare."""
    actions = parser.add_subparsers(metavar="list|show|compare", required=True)
    for name, summary, function in (
            ("list", "a line for each run", run_list),
            ("show", "all that is known of one run", run_show),
            ("compare", "means, spreads and paired differences of groups of runs", run_compare)):
        action = actions.add_parser(name, help=summary, description=summary)
        if name == "show":
            action.add_argument("which", metavar="KEY|RUN", help="the key of a run, or its first "
                                "digits, or a folder that lnsarith train made")
            action.add_argument("--json", action="store_true", help="print one JSON object")
        else:
            action.add_argument("folders", nargs="*", metavar="RUN",
                                help="folders that lnsarith train made, beside the store")
            action.add_argument("--where", action="append", default=[], metavar="NAME=VALUE",
                                help="only runs whose setting or fact is so; also !=, <, <=, >, "
                                ">= and ~ (a part of the text); may be repeated")
            action.add_argument("--by", metavar="A,B", help="settings shown, or grouped by "
                                "(default: those that differ)")
            add_forms(action)
        action.add_argument("--store", metavar="FILE", help=f"store of runs (default {STORE})")
        action.set_defaults(run=function)


def run_list(args: Namespace) -> int:
    """Print a line for each run, failed ones with their reason."""
    from lnsarith.delta.methods import brief
    from nets.experiments.results.choose import differing, shown_value, value_of

    rows = _rows(args)
    names = _by(args, rows) or differing(rows) or ["dataset", "arith"]
    head = ["key", *names, "seed", "epochs", "test %", "time", "state"]
    lines = [[row["key"][:10] or row.get("folder", ""),
              *(brief(shown_value(value_of(row, n))) for n in names), str(row["config"]["seed"]),
              str(row["config"]["epochs"]), percent(row["test_accuracy"]),
              "-" if row["seconds"] is None else duration(row["seconds"]),
              f"failed: {row['error']}" if row["state"] == "failed" else row["state"]]
             for row in rows]
    print_table(args, head, lines, {"runs": rows})
    return 0


def run_show(args: Namespace) -> int:
    """Print what is known of a run."""
    from nets.experiments.results.choose import from_folders, from_store, shown_value

    if Path(args.which).is_dir():
        row = from_folders([Path(args.which)], records=True)[0]
    else:
        rows = [r for r in from_store(Path(args.store or STORE), records=True)
                if r["key"].startswith(args.which)]
        if len(rows) != 1:
            what = f"{len(rows)} runs begin" if rows else "no run begins"
            raise ValueError(f"{what} with {args.which!r}; lnsarith runs list has the keys")
        row = rows[0]
    if args.json:
        print(json.dumps(row, allow_nan=False))
        return 0
    facts = {k: v for k, v in row.items() if k not in ("config", "records") and v not in (None, "")}
    for name, value in {**facts, **row["config"]}.items():
        print(f"{name:16} {shown_value(value)}")
    for i, epoch in enumerate((row["records"] or {}).get("epoch", [])):
        loss, test = row["records"]["loss"][i], row["records"]["test_accuracy"][i]
        print(f"epoch {epoch:4}  loss {loss:.4f}  test {percent(test)} %")
    return 0


def run_compare(args: Namespace) -> int:
    """Print groups of runs, and their differences to the first of each data set."""
    from lnsarith.delta.methods import brief
    from nets.experiments.results.compare import grouped, paired

    rows = _rows(args)
    by = _by(args, rows)
    groups = grouped(rows, by)
    names = list(groups[0]["by"])
    apart = {tuple(p["by"].values()): p for p in paired(_ordered(rows, groups, names), names)}
    head = [*names, "test %", "±", "from", "to", "runs", "failed", "difference", "± ", "pairs"]
    lines = []
    for group in groups:
        pair = apart.get(tuple(group["by"].values()))
        lines.append([*map(brief, group["by"].values()),
                      percent(group["mean"]), percent(group["deviation"]),
                      percent(group["min"]), percent(group["max"]), str(group["runs"]),
                      str(group["failed"]),
                      percent(pair["difference"], True) if pair else "",
                      percent(pair["standard_error"]) if pair else "",
                      str(pair["pairs"]) if pair else ""])
    notes = ["", "test %: mean after the last epoch; ±: standard deviation over runs; difference: "
             "to the first line of the data set, over pairs", "of runs with the same seed, ± its "
             "standard error"]
    print_table(args, head, lines, {"groups": groups, "differences": list(apart.values())}, notes)
    return 0


def _ordered(rows: list[dict], groups: list[dict], names: list[str]) -> list[dict]:
    """Return rows in the order of their groups."""
    from nets.experiments.results.choose import shown_value, value_of

    place = {tuple(g["by"].values()): i for i, g in enumerate(groups)}
    return sorted(rows, key=lambda r: place[tuple(shown_value(value_of(r, n)) for n in names)])


def _rows(args: Namespace) -> list[dict]:
    """Return the runs that are meant; ValueError if there are none."""
    from nets.experiments.results.choose import chosen, from_folders, from_store

    path = Path(args.store or STORE)
    rows = from_folders(map(Path, args.folders))
    if args.store or not args.folders:
        rows = from_store(path) + rows
    if not rows:
        raise ValueError(f"{path} holds no runs yet")
    found = chosen(rows, args.where)
    if not found:
        raise ValueError(f"none of the {len(rows)} runs fulfils {' and '.join(args.where)}")
    return found


def _by(args: Namespace, rows: list[dict]) -> list[str]:
    from nets.experiments.results.choose import value_of

    names = [n.strip().replace("-", "_") for n in (args.by or "").split(",") if n.strip()]
    for name in names:
        value_of(rows[0], name)
    return names
