"""lnsarith study faults: how much accuracy flipped bits leave, of LNS and of fixed point."""

from __future__ import annotations

import dataclasses
import json
import shlex
import statistics
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fxp.text.numbers import real, whole
from lnsarith.commands.common.options import add_data, integer, thread_count
from lnsarith.commands.networks.experiments.tables import add_forms, percent, print_table
from lnsarith.commands.networks.train.epochs import say

__all__ = ["options", "run"]

RATES = "1e-5,1e-4,1e-3,1e-2"


def options(parser: ArgumentParser) -> None:
    """Add the options of the study."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders that lnsarith train made, "
                        "such as one of LNS and one of fixed point")
    parser.add_argument("--where", default="weights,activations", metavar="A,B",
                        help="weights, activations or both (default)")
    parser.add_argument("--rates", default=RATES, metavar="R,R",
                        help=f"shares of the bits that flip (default {RATES})")
    parser.add_argument("--draws", default="3", metavar="N", help="times that each is drawn anew "
                        "(default 3)")
    parser.add_argument("--train", metavar="EPOCHS", help="train anew with the settings of each "
                        "run, bits flipping in every batch, in the place of evaluating it")
    parser.add_argument("--images", metavar="N", help="evaluate on so many test images alone")
    parser.add_argument("--threads", metavar="N", help="processor threads (default: one a core)")
    parser.add_argument("--out", metavar="DIR", default="studies/faults",
                        help="folder of study.json and study.png (default studies/faults)")
    add_forms(parser)
    add_data(parser)


def run(args: Namespace) -> int:
    """Evaluate or train with every rate, write study.json and study.png, print a table."""
    from nets.experiments.faults import draw
    from nets.network.model import write_atomic
    from nets.train.forms import STUDY, require_study

    folder = Path(args.out)
    require_study(folder, "faults")
    places, rates, draws = _asked(args)
    rows = []
    for path in args.runs:
        rows += _of_run(args, Path(path), places, rates, draws)
    folder.mkdir(parents=True, exist_ok=True)
    how = f"trained for {args.train} epochs with" if args.train else "evaluated with"
    command = shlex.join(["lnsarith", "study", "faults", *args.runs])
    result = {"kind": STUDY, "what": "faults", "command": command, "draws": draws, "rows": rows,
              "training": args.train is not None, "plot": str(folder / "study.png")}
    write_atomic(folder / "study.json", (json.dumps(result, indent=1) + "\n").encode())
    draw(folder / "study.png", rows, f"Networks {how} flipped bits")
    lines = [[r["name"], r["where"], f"{r['rate']:g}", percent(r["mean"]), percent(r["deviation"])]
             for r in rows]
    print_table(args, ["run", "bits of", "rate", "test %", "±"], lines, result,
                ["", f"mean and deviation of {draws} draws; drawn in {folder / 'study.png'}"])
    return 0


def _asked(args: Namespace) -> tuple[list[str], list[float], int]:
    from nets.experiments.faults import WHERE

    places = args.where.split(",")
    if unknown := [p for p in places if p not in WHERE]:
        raise ValueError(f"where must be {' or '.join(WHERE)}, got {unknown[0]!r}")
    rates = sorted({real("rates", text) for text in args.rates.split(",")})
    if not all(0 < rate <= 0.5 for rate in rates):
        raise ValueError(f"rates must lie above 0 and up to 0.5, got {args.rates}")
    draws = whole("draws", args.draws)
    if not 1 <= draws <= 1000:
        raise ValueError(f"draws must be 1..1000, got {draws}")
    return places, rates, draws


def _of_run(args: Namespace, path: Path, places, rates, draws: int) -> list[dict]:
    """Return the rows of one run, the accuracy without faults as rate 0."""
    from lnsarith.commands.networks.eval.model import open_model
    from nets.data.sets import load
    from nets.experiments.faults import evaluated, require_words, trained
    from nets.experiments.results.front import named

    threads = thread_count(args.threads)
    kept, network, _ = open_model(Namespace(run_folder=str(path), threads=str(threads),
                                            backend="vector"))
    settings = kept.settings
    require_words(settings)
    dataset = load(settings.dataset, args.data_dir)
    count = integer("images", args.images) if args.images else len(dataset.test_labels)
    if not 1 <= count <= len(dataset.test_labels):
        raise ValueError(f"images must be 1..{len(dataset.test_labels)}, got {count}")
    images, labels = dataset.test_images[:count], dataset.test_labels[:count]
    name, rows = f"{settings.dataset} {named(settings.resolved())}", []
    for where in places:
        for rate in [0.0, *rates]:
            found = []
            for seed in range(draws if rate else 1):
                if args.train:
                    own = dataclasses.replace(settings, epochs=whole("train", args.train),
                                              seed=seed)
                    found.append(trained(own, dataset, where, rate, threads))
                else:
                    found.append(evaluated(network, settings, tuple(kept.data["shape"]), images,
                                           labels, where, rate, seed))
            rows.append({"run": str(path), "name": name, "where": where, "rate": rate,
                         "mean": statistics.fmean(found), "accuracies": found,
                         "deviation": statistics.stdev(found) if len(found) > 1 else None})
            say(f"{name}, {where}, rate {rate:g}: {percent(rows[-1]['mean'])} %")
    return rows
