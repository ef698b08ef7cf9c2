"""lnsarith report: one page of all that a store knows."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.networks.experiments.sweep import STORE

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("store", nargs="?", default=STORE, metavar="STORE",
                        help=f"store of runs (default {STORE})")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of index.html")
    parser.add_argument("--faults", metavar="FILE", help="study.json of lnsarith study faults, to "
                        "be shown too")
    parser.add_argument("--no-gates", action="store_true", help="show only gates that the store "
                        "knows already, and synthesise nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace) -> int:
    """Write the page and say where it is."""
    from lnsarith.commands.networks.experiments.gates import costs_of, known_costs
    from lnsarith.host.files.whole import write_whole
    from nets.experiments.jobs.store import Store
    from nets.experiments.report.data import contents
    from nets.experiments.report.page import page
    from nets.experiments.results.front import points

    with Store(Path(args.store), create=False) as store:
        rows = store.rows(records=True)
        if not rows:
            raise ValueError(f"{args.store} holds no runs yet")
        found = points(rows, known_costs(store) if args.no_gates else costs_of(store))
    made = contents(rows, found, args.store, time.strftime("%d %B %Y"))
    if args.faults:
        made["faults"] = _faults(Path(args.faults))
    text = page(made)
    path = Path(args.out) / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda part: part.write_text(text, "utf-8"))
    if args.json:
        print(json.dumps({"page": str(path), "runs": len(rows), "bytes": len(text)}))
    else:
        print(f"{path}: {len(rows):,} runs, {len(text) / 1e6:.1f} MB")
    return 0


def _faults(path: Path) -> dict:
    """Return what lnsarith study faults wrote; BadFile for something else."""
    from lnsarith.host.files.reading import read_json
    from lnsarith.host.files.schema import floating, listed, maybe, table, text

    row = table({"name": text(), "where": text(), "rate": floating(0, 1), "mean": floating(0, 1),
                 "deviation": maybe(floating(0))}, open_ended=True)
    form = table({"what": text("faults"), "command": text(), "rows": listed(row)}, open_ended=True)
    found = read_json(path, form)
    return {"command": found["command"], "rows": found["rows"]}
