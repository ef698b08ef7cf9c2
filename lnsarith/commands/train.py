"""lnsarith train: train a network, keep the run, say how it went."""

from __future__ import annotations

import json
import shlex
import sys
from argparse import ArgumentParser, Namespace
from contextlib import contextmanager
from pathlib import Path

from lnsarith.commands.options import (
    add_computing,
    add_data,
    add_settings,
    given_settings,
    plain,
    share,
    thread_count,
)

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    add_settings(parser)
    group = parser.add_argument_group("run")
    group.add_argument(
        "--out",
        metavar="DIR",
        help="run folder (default runs/DATASET-ARITH-DELTA-sSEED)",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in the folder, or start it if there is none",
    )
    group.add_argument(
        "--require",
        metavar="SHARE",
        help="exit 1 below this test accuracy: 0.95 or 95%%",
    )
    group.add_argument("--no-plot", action="store_true", help="draw no curves.png")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(group)
    add_computing(group)


def run(args: Namespace) -> int:
    """Train, and print how it went; 1 if --require is not reached."""
    from nets.run import RunError

    required = share("require", args.require) if args.require is not None else 0.0
    trainer, kept = _start(args, given_settings(args))
    try:
        _epochs(trainer, kept)
        if not args.no_plot:
            _draw(kept)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"; {_how_to_go_on(kept)}") from None
    except RunError as error:
        raise RunError(f"{error}; {_how_to_go_on(kept)}") from error
    finally:
        kept.unlock()
    result = _result(kept)
    print(json.dumps(result, allow_nan=False) if args.json else _summary(kept, result))
    if result["test_accuracy"] < required:
        _say(
            f"lnsarith: the test accuracy, {result['test_accuracy']:.2%}, is below "
            f"--require {required:.2%}"
        )
        return 1
    return 0


def _start(args: Namespace, given: dict):
    """Return a trainer and its run folder, new or as they were left."""
    from nets.data import load
    from nets.run import Run, default_name, facts, settings_for
    from nets.train import Trainer

    threads = thread_count(args.threads)
    folder = Path(args.out) if args.out else None
    folder = folder or _default_folder(default_name(settings_for(given)), args.resume)
    kept = None
    if args.resume and (folder / "config.json").exists():
        kept = Run.open(folder)
    settings = kept.settings if kept else settings_for(given)
    dataset = load(settings.dataset, args.data_dir)
    if kept:
        kept.go_on(given, facts(dataset))
    trainer = Trainer(settings, dataset, threads, args.backend)
    if kept:
        trainer.epoch = kept.load(trainer.network)
        _say(f"going on with {folder} after {_epoch_count(trainer.epoch)}")
    else:
        kept = Run.create(folder, settings, facts(dataset))
        if args.resume:
            _say(f"there is no run in {folder} yet: starting one")
    return trainer, kept


def _default_folder(name: str, resume: bool) -> Path:
    """Return runs/name, or runs/name-2, ... : the newest, or the next that is free."""
    base, n = Path("runs") / name, 1
    numbered = [base]
    while numbered[-1].exists():
        n += 1
        numbered.append(base.with_name(f"{name}-{n}"))
    return numbered[-2] if resume and n > 1 else numbered[-1]


def _epochs(trainer, kept) -> None:
    """Train the epochs that are left; tell each, and each kind of trouble once.

    RunError, and the epoch is not kept, when its loss is no finite number.
    """
    from nets.run import RunError

    epochs = kept.settings.epochs
    told = {w.partition(":")[0] for r in kept.records for w in r["warnings"]}
    while trainer.epoch < epochs:
        title = f"epoch {trainer.epoch + 1}/{epochs}"
        with _bar(title, len(trainer.labels)) as report:
            record = trainer.train_epoch(report)
        if record.loss is None:
            why = record.warnings[0].replace("loss: it", "the loss", 1)
            raise RunError(f"epoch {record.epoch}: {why}")
        kept.save(record.as_dict(), trainer.network)
        _say(_line(record, epochs))
        for warning in record.warnings:
            kind = warning.partition(":")[0]
            if kind not in told:
                _say(f"lnsarith: warning: {warning}")
            told.add(kind)


def _draw(kept) -> None:
    """Write curves.png; a run is no worse without it."""
    from nets.model import RunError, write_atomic

    try:
        from nets.curves import draw

        image = draw(kept.records, _title(kept.settings))
        write_atomic(kept.folder / "curves.png", image)
    except (ImportError, RunError) as error:
        _say(f"lnsarith: warning: no curves are drawn: {error}")


@contextmanager
def _bar(title: str, images: int):
    """Hand out report(images, loss, accuracy): tqdm on a terminal, None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    style = {"unit": " images", "unit_scale": True, "leave": False}
    with tqdm(total=images, desc=title, dynamic_ncols=True, **style) as bar:

        def report(done: int, loss: float, accuracy: float) -> None:
            bar.set_postfix_str(f"loss {loss:.4f}, train {accuracy:.2%}", refresh=False)
            bar.update(done - bar.n)

        yield report


def _line(record, epochs: int) -> str:
    loss = "not finite" if record.loss is None else f"{record.loss:.4f}"
    val = "" if record.val_accuracy is None else f"  val {record.val_accuracy:.2%}"
    return (
        f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  loss {loss}  "
        f"train {record.train_accuracy:.2%}{val}  test {record.test_accuracy:.2%}  "
        f"{record.seconds:.2f} s  {record.images_per_second:,.0f} images/s"
    )


def _result(kept) -> dict:
    """Return what --json prints."""
    s, records, last = kept.settings, kept.records, kept.records[-1]
    first: dict[str, str] = {}
    for record in records:
        for warning in record["warnings"]:
            text = f"epoch {record['epoch']}: {warning}"
            first.setdefault(warning.partition(":")[0], text)
    seconds = [record["seconds"] for record in records]
    names = ("dataset", "model", "arith", "delta", "mode", "batch", "lr", "weight_decay", "seed")
    kept_back = ("epoch", "seconds", "warnings", "images_per_second")
    return {
        **{name: getattr(s, name) for name in names},
        "delta": s.delta if s.arith.startswith("lns") else None,
        "hidden": list(s.hidden),
        "epochs": last["epoch"],
        **{name: value for name, value in last.items() if name not in kept_back},
        "epoch_seconds": seconds,
        "train_seconds": sum(seconds),
        "images_per_second": last["images_per_second"],
        "warnings": list(first.values()),
        "run": str(kept.folder),
        "model": str(kept.model_path),
        "model_sha256": kept.model_sha256,
    }


def _summary(kept, result: dict) -> str:
    seconds, epochs = result["train_seconds"], result["epochs"]
    val = result["val_accuracy"]
    shown = "" if val is None else f"validation {val:.2%}, "
    return "\n".join(
        [
            _title(kept.settings),
            f"{shown}test {result['test_accuracy']:.2%}",
            f"{_epoch_count(epochs)} in {seconds:.1f} s ({seconds / epochs:.2f} s an "
            f"epoch, {result['images_per_second']:,.0f} images/s)",
            f"last batch: {result['saturations']:,} saturations, "
            f"{result['underflows']:,} underflows",
            *(f"warning: {text}" for text in result["warnings"]),
            f"{result['model']}  sha256 {result['model_sha256']}",
        ]
    )


def _title(s) -> str:
    delta = f" {s.delta}" if s.arith.startswith("lns") else ""
    mode = "" if s.mode == "bit-true" else f" ({s.mode})"
    net = f"hidden {plain(s.hidden)}" if s.model == "mlp" else s.model
    return (
        f"{s.dataset}, {s.arith}{delta}{mode}, {net}, "
        f"batch {s.batch}, lr {s.lr}, seed {s.seed}"
    )


def _how_to_go_on(kept) -> str:
    done = len(kept.records)
    command = f"lnsarith train --resume --out {shlex.quote(str(kept.folder))}"
    return (
        f"{_epoch_count(done)} of {kept.settings.epochs} are kept; go on with {command}"
    )


def _epoch_count(count: int) -> str:
    return f"{count} epoch" + "s" * (count != 1)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
