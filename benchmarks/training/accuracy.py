"""Test accuracy of MNIST 784-100-10 and of LeNet-5 by arithmetic, after the last epoch.

50,000 images to train on and 10,000 held back, the recipes of `nets.settings.suited.settings_for`.
Marks are of the mean over seeds after 20 and 12 epochs. With more epochs the question is
whether the runs stay: "blew up" counts seeds whose loss left the numbers or doubled
from its lowest, or whose accuracy fell two points below its best.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from statistics import mean, median

from benchmarks.common.options import make_parser, names_of
from benchmarks.common.rows import Mark, Results, say

EPOCHS = {"mlp": 20, "lenet5": 12}  # of the marks
LENET: dict = {"model": "lenet5"}

# Settings and mark of each row; rows without a mark are reported.
ROWS: dict[str, tuple[dict, float | None]] = {
    "float32": ({"arith": "float32"}, 97.2),
    "lns16-lut": ({"arith": "lns16", "delta": "lut"}, 97.0),
    "lns16-exact": ({"arith": "lns16", "delta": "exact"}, 97.2),
    "lns12-lut": ({"arith": "lns12", "delta": "lut"}, 96.4),
    "lns16-balanced": ({"arith": "lns16", "delta": "balanced"}, 96.7),
    "lns12-balanced": ({"arith": "lns12", "delta": "balanced"}, 95.8),
    "fixed16-stochastic": ({"arith": "fixed16", "update": "stochastic"}, 96.9),
    "fixed12-stochastic": (
        {"arith": "fixed12", "update": "stochastic", "gradients": "fixed12.11"},
        96.2,
    ),
    "fixed16-nearest": ({"arith": "fixed16", "update": "nearest"}, None),
    "fixed12-nearest": ({"arith": "fixed12", "update": "nearest"}, None),
    "lns16-bitshift": ({"arith": "lns16", "delta": "bitshift"}, None),
    "lns12-bitshift": ({"arith": "lns12", "delta": "bitshift"}, None),
    "fixed16-paper": ({"arith": "fixed16", "mode": "paper"}, None),
    "fixed12-paper": ({"arith": "fixed12", "mode": "paper"}, None),
    "lenet5-float32": ({**LENET, "arith": "float32"}, 99.0),
    "lenet5-lns16-lut": ({**LENET, "arith": "lns16", "delta": "lut"}, 98.9),
    "lenet5-lns12-lut": ({**LENET, "arith": "lns12", "delta": "lut"}, 98.6),
    "lenet5-lns12-balanced": ({**LENET, "arith": "lns12", "delta": "balanced"}, 98.6),
    "lenet5-fixed16": ({**LENET, "arith": "fixed16"}, 98.9),
}

COLUMNS = {
    "row": "row",
    "mean": "mean %:.2f",
    "min": "min:.2f",
    "max": "max:.2f",
    "best": "best:.2f",
    "best_epoch": "at epoch:d",
    "loss": "loss:.4f",
    "blew_up": "blew up:d",
    "mark": "mark",
    "reached": "reached",
    "epoch_seconds": "s/epoch:.2f",
}


def main(argv: list[str] | None = None) -> int:
    """Train every row with every seed, print the table, return the exit code."""
    options = _parser().parse_args(argv)
    comparable = options.dataset == "mnist" and options.epochs is None
    results = Results("accuracy", options.results, judge=comparable)
    jobs = [(row, seed) for row in options.rows for seed in options.seeds]
    say(f"{len(jobs)} runs, {options.jobs} at a time")
    runs: dict[str, dict[int, list[dict]]] = {row: {} for row in options.rows}
    for done, (row, seed, records) in enumerate(_run_all(jobs, options), 1):
        runs[row][seed] = records
        say(f"[{done}/{len(jobs)}] {row} seed {seed}: {_percent(records[-1]):.2f} %")
        if len(runs[row]) == len(options.seeds):
            _add(results, row, [runs[row][s] for s in options.seeds], options)
    results.rows.sort(key=lambda r: options.rows.index(r["row"]))
    return results.finish(COLUMNS)


def _run_all(jobs, options):
    """Yield (row, seed, records) as runs end; in this process if one at a time."""
    arguments = [
        (*job, _epochs(job[0], options), options.dataset, options.data_dir)
        for job in jobs
    ]
    if options.jobs == 1:
        yield from (train(*a) for a in arguments)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        futures = [pool.submit(train, *a) for a in arguments]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def train(row: str, seed: int, epochs: int, dataset: str, data_dir: str | None):
    """Train one run and return (row, seed, a record an epoch)."""
    from lnsarith.commands.networks.train.epochs import loss_text
    from nets.data.sets import load
    from nets.settings.suited import settings_for
    from nets.train.trainer import Trainer

    given = {**ROWS[row][0], "dataset": dataset, "seed": seed, "epochs": epochs}
    trainer = Trainer(settings_for(given), load(dataset, data_dir), threads=1)
    records = []
    told = time.monotonic()
    for epoch in range(1, epochs + 1):
        record = trainer.train_epoch().as_dict()
        records.append(record)
        if time.monotonic() - told > 5 or epoch == epochs:
            told = time.monotonic()
            say(
                f"  {row} seed {seed} epoch {epoch}/{epochs}: loss {loss_text(record['loss'])}, "
                f"test {_percent(record):.2f} %, {record['seconds']:.2f} s"
            )
    return row, seed, records


def _epochs(row: str, options) -> int:
    return options.epochs or EPOCHS[ROWS[row][0].get("model", "mlp")]


def _add(results: Results, row: str, runs: list[list[dict]], options) -> None:
    last = [_percent(run[-1]) for run in runs]
    best, best_epoch = max((_percent(r), -r["epoch"]) for run in runs for r in run)
    losses = [run[-1]["loss"] for run in runs]
    settings, mark = ROWS[row]
    values: dict = {
        "row": row,
        "settings": {**settings, "dataset": options.dataset},
        "epochs": _epochs(row, options),
        "seeds": options.seeds,
        "jobs": options.jobs,
        "mean": round(mean(last), 4),
        "min": min(last),
        "max": max(last),
        "last": last,
        "best": best,
        "best_epoch": -best_epoch,
        "loss": None if None in losses else mean(losses),
        "blew_up": sum(blew_up(run) for run in runs),
        "epoch_seconds": median(r["seconds"] for run in runs for r in run),
        "test_by_epoch": [[_percent(r) for r in run] for run in runs],
        "loss_by_epoch": [[r["loss"] for r in run] for run in runs],
    }
    results.add(values, values["mean"], Mark(">=", mark) if mark else None)


def blew_up(records: list[dict]) -> bool:
    """Whether a run ended worse than it was, see above."""
    losses = [r["loss"] for r in records]
    if None in losses:
        return True
    best = max(_percent(r) for r in records)
    return losses[-1] > 2 * min(losses) + 0.1 or _percent(records[-1]) < best - 2


def _percent(record: dict) -> float:
    return round(100 * record["test_accuracy"], 4)


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("training.accuracy", __doc__)
    add = parser.add_argument
    text = f"which of {', '.join(ROWS)} (default all)"
    add("--rows", type=names_of(ROWS), default=list(ROWS), metavar="A,B", help=text)
    add("--seeds", type=_integers, default=[0, 1, 2], metavar="N,N", help="(0,1,2)")
    text = "(default 20, of LeNet-5 12; 60 shows whether runs stay)"
    add("--epochs", type=int, metavar="N", help=text)
    add("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    return parser


def _integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
