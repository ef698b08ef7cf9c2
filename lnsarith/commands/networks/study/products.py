"""lnsarith study products: the sums of one product alone in another register or order."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fxp.text.numbers import whole
from lnsarith.commands.common.options import (
    FIELDS,
    add_data,
    add_settings,
    given_settings,
    thread_count,
)
from lnsarith.commands.networks.experiments.tables import add_forms, percent, print_table
from lnsarith.commands.networks.train.epochs import counted, say

__all__ = ["options", "run"]

DEFAULTS = {"arith": "lns12", "delta": "exact", "epochs": 5}
VARIED = ("seed", "update")
OWN = {n: f for n, f in FIELDS.items() if n not in VARIED}
UPDATES = ("nearest", "stochastic")


def options(parser: ArgumentParser) -> None:
    """Add the options of the action."""
    from nets.settings.suited import settings_for

    add_settings(parser, OWN, vars(settings_for(DEFAULTS)))
    group = parser.add_argument_group("study")
    group.add_argument("--register", metavar="N,N", default="4,2,-1,-2", help="fraction bits that "
                       "a register has more, or fewer below zero (default 4,2,-1,-2)")
    group.add_argument("--orders", metavar="A,B", default="tree", help="other orders of the sums: "
                       "tree, sequential, or none (default tree)")
    group.add_argument("--updates", metavar="A,B", default=",".join(UPDATES),
                       help="roundings of updates (default nearest,stochastic)")
    group.add_argument("--seeds", metavar="A,B", default="0,1,2", help="(default 0,1,2)")
    group.add_argument("--threads", metavar="N", help="processor threads (default: one a core)")
    group.add_argument("--out", metavar="DIR", default="studies/products",
                       help="folder of study.json and study.png (default studies/products)")
    add_forms(parser, figure=True)
    add_data(group)


def run(args: Namespace) -> int:
    """Train with every change, write study.json and study.png, print a table."""
    from nets.data.sets import load
    from nets.experiments.studies.products import changes, draw, require_lns
    from nets.network.model import write_atomic
    from nets.settings.suited import settings_for
    from nets.train.forms import STUDY, require_study

    given = given_settings(args, OWN)
    lns = given.get("arith", "lns").startswith("lns")  # DEFAULTS has what goes with it alone
    settings = settings_for({**(DEFAULTS if lns else {}), **given})
    require_lns(settings)
    asked = changes([whole("register", t) for t in _list(args, "register")],
                    _of(args, "orders", ("tree", "sequential", "none")))
    updates = _of(args, "updates", UPDATES)
    seeds = [whole("seeds", text) for text in _list(args, "seeds")]
    folder = Path(args.out)
    require_study(folder, "products")
    rows = _rows(settings, load(settings.dataset, args.data_dir), asked, updates, seeds,
                 thread_count(args.threads))
    folder.mkdir(parents=True, exist_ok=True)
    title = (f"{settings.dataset}, {settings.arith} {settings.delta}, guard {settings.guard}, "
             f"{counted(settings.epochs, 'epoch')}, {counted(len(seeds), 'seed')}")
    result = {"kind": STUDY, "what": "products", "rows": rows, "seeds": seeds, "settings":
              {k: v for k, v in settings.resolved().items() if k not in VARIED},
              "plot": str(folder / "study.png")}
    write_atomic(folder / "study.json", (json.dumps(result, indent=1) + "\n").encode())
    draw(folder / "study.png", rows, title)
    lines = [[r["update"], r["change"], percent(r["mean"]), percent(r["deviation"]),
              f"{100 * r['difference']:+.2f}", percent(r["standard_error"])] for r in rows]
    print_table(args, ["updates", "sums", "test %", "±", "apart", "± s.e."], lines, result,
                ["", f"{title}; apart: paired by seed from sums as they are; drawn in "
                 f"{folder / 'study.png'}"])
    return 0


def _rows(settings, dataset, asked, updates, seeds, threads: int) -> list[dict]:
    from nets.experiments.studies.products import trained

    rows: list[dict] = []
    for update in updates:
        base: list[float] = []
        for change in asked:
            found = [trained(dataclasses.replace(settings, update=update, seed=seed), dataset,
                             change, threads) for seed in seeds]
            base = base or found
            apart = [a - b for a, b in zip(found, base)]
            rows.append({"update": update, "change": str(change), "product": change.product,
                         "bits": change.bits, "order": change.order, "accuracies": found,
                         "mean": statistics.fmean(found), "deviation": _deviation(found),
                         "difference": statistics.fmean(apart), "standard_error":
                         None if len(seeds) < 2 else _deviation(apart) / math.sqrt(len(seeds))})
            say(f"{update}, {change}: {percent(rows[-1]['mean'])} %")
    return rows


def _deviation(values: list[float]):
    return statistics.stdev(values) if len(values) > 1 else None


def _of(args: Namespace, name: str, known: tuple[str, ...]) -> list[str]:
    """Return the names given, each one that is known; "none" is no name."""
    found = _list(args, name)
    if unknown := [n for n in found if n not in known]:
        raise ValueError(f"{name} must be some of {', '.join(known)}, got {unknown[0]!r}")
    return [n for n in found if n != "none"]


def _list(args: Namespace, name: str) -> list[str]:
    items = list(filter(None, getattr(args, name).split(",")))
    if not items or len(set(items)) < len(items):
        raise ValueError(f"{name} must be values, each once, got {getattr(args, name)!r}")
    return items
