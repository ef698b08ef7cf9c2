"""lnsarith paper: published tables, and what is measured here beside them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.common.options import add_data, integer
from lnsarith.commands.networks.experiments.sweep import STORE, add_running, swept
from lnsarith.commands.networks.experiments.tables import add_forms, print_table
from lnsarith.commands.networks.train.epochs import say

__all__ = ["options"]

# Every published table, the command that makes it, and what differs from what was published.
TABLES = (
    ("icassp2020", "log-domain training, Sanyal, Beerel and Chugg, ICASSP 2020",
     "lnsarith paper icassp2020", "one run each there, seeds here; words at every step here, there "
     "float64 gradients and weights (linear) and a soft-max in floats; told below the table"),
    ("bls-pwl", "SPINDLE slides: pieces of BLS-PWL for an error", "lnsarith paper bls-pwl",
     "here pieces stop at an RMS error, which the slides do not say"),
    ("spindle-activations", "SPINDLE slides: six activations on coloured MNIST",
     "lnsarith study activations --norm batch --lr 2^-4 --momentum 0.9 --batch 64 --shuffle epoch "
     "--val 0", "MNIST digits on coloured backgrounds by the rule of PolyMNIST, not the "
     "original images: accuracies do not compare with the slides'"),
    ("minselect-correlation", "MinConvNets: how like a product a min-selector is",
     "lnsarith check minselect --correlation", "the second row is of a standard deviation of ten, "
     "not of a variance of ten; both are printed"),
    ("minselect-networks", "MinConvNets: LeNets of min-selectors, from scratch and by transfer",
     "lnsarith train --model lenet5 --norm batch --arith minselect-float", "12 to 30 epochs here, "
     "170 to 2048 there; --transfer RUN starts from an exact network"),
    ("binary-batch", "binary networks: batch sizes", "lnsarith study batch",
     "five epochs of a perceptron of 256,256,256; the published size is unknown"),
    ("binary-rate", "binary networks: learning rates", "lnsarith study rate",
     "as with batch sizes; the rate falls along a cosine"),
)


def options(parser: ArgumentParser) -> None:
    """Add the actions list, icassp2020 and bls-pwl."""
    actions = parser.add_subparsers(metavar="list|icassp2020|bls-pwl", required=True)
    action = actions.add_parser("list", help="the published tables, and the command of each")
    add_forms(action)
    action.set_defaults(run=run_list)
    action = actions.add_parser("icassp2020", help=TABLES[0][1], description=TABLES[0][1])
    action.add_argument("--quick", action="store_true", help="one epoch and one seed each")
    action.add_argument("--seeds", metavar="N", help="seeds 0..N-1 of each run (default 3)")
    action.add_argument("--datasets", metavar="A,B", help="data sets (default: those that are "
                        "here)")
    action.add_argument("--store", metavar="FILE", help=f"store of the runs (default {STORE})")
    add_running(action)
    add_data(action)
    add_forms(action)
    action.set_defaults(run=run_icassp)
    action = actions.add_parser("bls-pwl", help=TABLES[1][1], description=TABLES[1][1])
    add_forms(action)
    action.set_defaults(run=run_bls)


def run_list(args: Namespace) -> int:
    """Print the tables; in text what differs stands below."""
    head = ["name", "about", "command", "differs"]
    plain = {"tables": [dict(zip(head, row)) for row in TABLES]}
    if args.csv or args.latex or args.json:
        print_table(args, head, [list(row) for row in TABLES], plain)
    else:
        print_table(args, head[:3], [list(row[:3]) for row in TABLES], plain,
                    ["", "what differs:", *(f"  {row[0]}: {row[3]}" for row in TABLES)])
    return 0


def run_icassp(args: Namespace) -> int:
    """Train what the store lacks of the table, and print it; 1 if a run failed."""
    from nets.experiments.jobs.job import job_for
    from nets.experiments.results.choose import from_store
    from nets.experiments.results.paper import CELLS, NOTES, measured, settings_given, table
    from nets.settings.suited import settings_for

    sets = _datasets(args)
    seeds = range(_seeds(args))
    path = Path(args.store or STORE)
    wanted = {(cell.name, name): [settings_for(settings_given(cell, name, seed, args.quick))
                                  for seed in seeds]
              for name in sets for cell in CELLS}
    runs = [settings for cell in wanted.values() for settings in cell]
    swept(args, runs, "icassp2020", path, True)
    rows = {row["key"]: row for row in from_store(path)}
    found = {}
    for key, settings in wanted.items():
        keys = [job_for(s, args.data_dir).key for s in settings]
        found[key] = measured([rows[k] for k in keys if k in rows])
    head, lines = table(found, sets)
    epochs = {s.epochs for s in runs}
    notes = ["", "784-100-C, batches of 5 (of the best as lnsarith recipes tells), "
             f"{max(epochs)} epoch{'s' * (max(epochs) > 1)}, seeds "
             f"{', '.join(map(str, seeds))}, test %; left published, right measured (mean ± "
             "deviation)", *NOTES]
    plain = {"cells": [{"arithmetic": c.name, "dataset": n, "published": c.of(n),
                        "measured": found[c.name, n]} for n in sets for c in CELLS],
             "notes": list(NOTES), "epochs": max(epochs), "store": str(path)}
    print_table(args, head, lines, plain, notes)
    return 1 if any(cell and cell["failed"] for cell in found.values()) else 0


def _seeds(args: Namespace) -> int:
    count = integer("seeds", args.seeds) if args.seeds else 1 if args.quick else 3
    if not 1 <= count <= 1000:
        raise ValueError(f"seeds must be 1..1000, got {count}")
    return count


def _datasets(args: Namespace) -> tuple[str, ...]:
    """Return the data sets of the table that are meant; those that are not here are told."""
    from nets.data.sets import DataError, catalogue
    from nets.experiments.results.paper import DATASETS

    here = {row["name"] for row in catalogue(args.data_dir) if row["found"]}
    if args.datasets:
        names = tuple(args.datasets.split(","))
        if unknown := [n for n in names if n not in (*DATASETS, "digits")]:
            raise ValueError(f"the table has {', '.join(DATASETS)}, not {unknown[0]}")
        return names
    names = tuple(n for n in DATASETS if n in here)
    if not names:
        raise DataError(f"none of {', '.join(DATASETS)} is here; lnsarith data get NAME fetches "
                        "one")
    if missing := [n for n in DATASETS if n not in here]:
        say(f"left out, for it is not here: {', '.join(missing)} (lnsarith data get NAME)")
    return names


def run_bls(args: Namespace) -> int:
    """Fit the functions of the slides, and print pieces beside theirs."""
    from fxp.fit.functions import TARGETS
    from fxp.fit.pieces import bls_pieces
    from fxp.fit.segments import fit_segments

    published = {"logistic": (23, 33, 163), "eq2": (17, 35, 137), "eq3": (19, 31, 129)}
    found = []
    for name, counts in published.items():
        for error, slides in zip((0.01, 0.005, 0.001), counts):
            target = TARGETS[name]
            found.append({"function": name, "error": error, "published": slides,
                          "bls_pwl": len(bls_pieces(target, error)),
                          "fewest_lines": len(fit_segments(target, error).segments)})
    head = ["function", "error", "published", "BLS-PWL here", "fewest lines"]
    notes = ["", "pieces for a largest error; BLS-PWL here stops at an RMS error, which the slides "
             "do not say"]
    print_table(args, head, [[str(v) for v in row.values()] for row in found],
                {"rows": found, "notes": notes[1:]}, notes)
    return 0
