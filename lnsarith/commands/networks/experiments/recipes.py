"""lnsarith recipes: what each recipe sets, its accuracy, and the gates of its MAC unit."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from lnsarith.commands.networks.experiments.sweep import duration
from lnsarith.commands.networks.experiments.tables import add_forms, print_table

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--gates", action="store_true", help="synthesise the MAC units (needs the "
                        "extra rtl; seconds each)")
    parser.add_argument("--store", metavar="FILE", help="take accuracies and times from the runs "
                        "of a store instead of those written down")
    add_forms(parser)


def run(args: Namespace) -> int:
    """Print a line for each format that recipe best is measured for."""
    from nets.settings.recipes import BEST

    rows = _rows_of(args)
    known = (name for best in BEST.values() for name in best.accuracy)
    sets = sorted({r["config"]["dataset"] for r in rows} if args.store else {*known})
    head = ["recipe", "arith", "settings", *sets, "seeds", "time", "MAC unit",
            "gates", *(["depth"] if args.gates else [])]
    lines, plain = [], []
    for arith, best in BEST.items():
        found = _measured(rows, arith) if args.store else (best.accuracy, best.seeds,
                                                           best.seconds)
        accuracy, seeds, seconds = found
        unit = " ".join([best.unit, *filter(None, [best.words]),
                         *(f"{k}={v}" for k, v in best.options.items())])
        cost = _cost(arith, best) if args.gates and best.unit else None
        lines.append(["best", arith, " ".join(f"{k}={v}" for k, v in best.settings.items()),
                      *(f"{accuracy[n]:.2f}" if n in accuracy else "-" for n in sets),
                      ",".join(map(str, seeds)) or "-",
                      "-" if seconds is None else duration(seconds), unit or "-",
                      str(cost["gates"] if cost else best.gates or "-"),
                      *([str(cost["depth"] if cost else "-")] if args.gates else [])])
        plain.append({"recipe": "best", "arith": arith, "settings": best.settings,
                      "accuracy": accuracy, "seeds": list(seeds), "seconds": seconds,
                      "unit": best.unit, "words": best.words, "options": best.options,
                      "gates": best.gates, "cost": cost})
    notes = ["", "lnsarith train takes best unless told otherwise, for a perceptron in one of "
             "these formats where of the arithmetic nothing else is given, nor what best sets",
             "all else, and sweeps and studies that name none, have icassp2020: all settings as "
             "lnsarith train --help-all says",
             "accuracies: test %, 784-100-C, 20 epochs, mean of the seeds; time: a run's mean over "
             "the data sets, while other work ran"]
    print_table(args, head, lines, {"recipes": plain}, notes)
    return 0


def _rows_of(args: Namespace) -> list[dict]:
    from pathlib import Path

    from nets.experiments.results.choose import from_store

    if not args.store:
        return []
    return [r for r in from_store(Path(args.store)) if r["state"] == "done"
            and r["config"].get("recipe") == "best"]


def _measured(rows: list[dict], arith: str) -> tuple[dict, tuple, float | None]:
    """Return accuracies in % by data set, seeds and mean seconds of a format's runs, those
    of the most epochs."""
    own = [r for r in rows if r["config"]["arith"] == arith]
    most = max((r["config"]["epochs"] for r in own), default=0)
    own = [r for r in own if r["config"]["epochs"] == most]
    by: dict[str, list[float]] = {}
    for row in own:
        by.setdefault(row["config"]["dataset"], []).append(100 * row["test_accuracy"])
    seconds = [row["seconds"] for row in own]
    return ({name: sum(v) / len(v) for name, v in by.items()},
            tuple(sorted({r["config"]["seed"] for r in own})),
            sum(seconds) / len(seconds) if seconds else None)


def _cost(arith: str, best) -> dict:
    from verilog.catalogue import design
    from verilog.cost.synth import synthesise

    return synthesise(design(best.unit, best.words or arith, best.options)).as_dict()
