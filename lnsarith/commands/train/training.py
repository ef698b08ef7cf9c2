"""What the training of every model shares: its run folder, its epochs, its end."""

from __future__ import annotations

import json
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lnsarith.commands.options import add_data, share

__all__ = ["Model", "add_run", "at_work", "carry_out", "counted", "loss_text", "say",
           "tell_lost", "train_epochs"]


class Model(NamedTuple):
    """How a model is trained: the class of its run folder, settings completed from
    those given, the run's default name, a trainer of (settings, data set), and what
    is told at the end (plain data of run and trainer; its text; the curves' title), and
    what gives a trainer without an epoch more than random weights."""

    run: Any
    settings: Callable[[dict], Any]
    name: Callable[[Any], str]
    trainer: Callable[[Any, Any], Any]
    result: Callable[[Any, Any], dict]
    summary: Callable[[Any, dict], str]
    title: Callable[[Any], str]
    begin: Callable[[Any], None] = lambda trainer: None


def add_run(parser: ArgumentParser, folder: str):
    """Add the options of a run, whose folder is by default called so; return their group."""
    group = parser.add_argument_group("run folder and answers")
    group.add_argument("--out", metavar="DIR", help=f"run folder (default {folder})")
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
    return group


def carry_out(args: Namespace, given: dict, model: Model) -> int:
    """Train, and print how it went; 1 if --require is not reached."""
    required = share("require", args.require) if args.require is not None else 0.0
    trainer, kept = _start(args, given, model)
    with at_work(kept):
        train_epochs(trainer, kept)
        if not args.no_plot:
            _draw(kept, model.title(kept.settings))
        result = model.result(kept, trainer)
    text = json.dumps(result, allow_nan=False) if args.json else model.summary(kept, result)
    print(text)
    if result["test_accuracy"] < required:
        say(
            f"lnsarith: the test accuracy, {result['test_accuracy']:.2%}, is below "
            f"--require {required:.2%}"
        )
        return 1
    return 0


@contextmanager
def at_work(kept, command: str = "lnsarith train"):
    """Unlock a run in the end; if it ends early, add to the reason how to go on with what
    command."""
    from nets.train.run import RunError

    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"; {_how_to_go_on(kept, command)}") from None
    except RunError as error:
        raise RunError(f"{error}; {_how_to_go_on(kept, command)}") from error
    finally:
        kept.unlock()


def _start(args: Namespace, given: dict, model: Model):
    """Return a trainer and its run folder, new or as they were left."""
    from nets.data.sets import load
    from nets.train.folder import holds_any
    from nets.train.run import facts

    folder = Path(args.out) if args.out else None
    folder = folder or _default_folder(model.name(model.settings(given)), args.resume)
    kept = None
    if args.resume and holds_any(folder):
        kept = model.run.open(folder)
        kept.demand_kind(model.run.kind)
    settings = kept.settings if kept else model.settings(given)
    dataset = load(settings.dataset, args.data_dir)
    if kept:
        kept.go_on(given, facts(dataset))
    trainer = model.trainer(settings, dataset)
    if kept:
        trainer.epoch = kept.load(trainer.network)
        tell_lost(kept)
        say(f"going on with {folder} after {counted(trainer.epoch, 'epoch')}")
    if not trainer.epoch:
        model.begin(trainer)
    if not kept:
        kept = model.run.create(folder, settings, facts(dataset))
        if args.resume:
            say(f"there is no run in {folder} yet: starting one")
    return trainer, kept


def _default_folder(name: str, resume: bool) -> Path:
    """Return runs/name, or runs/name-2, ... : the newest, or the next that is free."""
    base, n = Path("runs") / name, 1
    numbered = [base]
    while numbered[-1].exists():
        n += 1
        numbered.append(base.with_name(f"{name}-{n}"))
    return numbered[-2] if resume and n > 1 else numbered[-1]


def train_epochs(trainer, kept) -> None:
    """Train the epochs that are left; tell each, and each kind of trouble once.

    NotFinite, and the epoch is not kept, when its loss is no finite number.
    """
    from nets.network.model import NotFinite

    epochs = kept.settings.epochs
    told = {w.partition(":")[0] for r in kept.records for w in r["warnings"]}
    if trainer.epoch >= epochs:
        kept.demand_last()
    while trainer.epoch < epochs:
        title = f"epoch {trainer.epoch + 1}/{epochs}"
        with _bar(title, len(trainer.labels)) as report:
            record = trainer.train_epoch(report)
        if record.loss is None:
            why = record.warnings[0].replace("loss: it", "the loss", 1)
            raise NotFinite(f"epoch {record.epoch}: {why}")
        kept.save(record.as_dict(), trainer.network)
        say(_line(record, epochs))
        for warning in record.warnings:
            kind = warning.partition(":")[0]
            if kind not in told:
                say(f"lnsarith: warning: {warning}")
            told.add(kind)


def _draw(kept, title: str) -> None:
    """Write curves.png; a run is no worse without it."""
    from nets.network.model import RunError, write_atomic

    try:
        from nets.train.curves import draw

        hinge = kept.settings.loss == "hinge"
        image = draw(kept.records, title, "squared hinge" if hinge else "nats an image")
        write_atomic(kept.folder / "curves.png", image)
    except (ImportError, RunError) as error:
        say(f"lnsarith: warning: no curves are drawn: {error}")


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
            bar.set_postfix_str(f"loss {loss_text(loss)}, train {accuracy:.2%}", refresh=False)
            bar.update(done - bar.n)

        yield report


def _line(record, epochs: int) -> str:
    val = "" if record.val_accuracy is None else f"  val {record.val_accuracy:.2%}"
    return (
        f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  loss {loss_text(record.loss)}  "
        f"train {record.train_accuracy:.2%}{val}  test {record.test_accuracy:.2%}  "
        f"{record.seconds:.2f} s  {record.images_per_second:,.0f} images/s"
    )


def loss_text(loss: float | None) -> str:
    """Return a loss as it is told everywhere: with four digits."""
    return "not finite" if loss is None else f"{loss:.4f}"


def _how_to_go_on(kept, command: str) -> str:
    done = len(kept.records)
    command = f"{command} --resume --out {shlex.quote(str(kept.folder))}"
    return (
        f"{counted(done, 'epoch')} of {kept.settings.epochs} are kept; go on with {command}"
    )


def tell_lost(kept) -> None:
    """Say so if the log has lost epochs that the model has."""
    if kept.lost:
        say(f"lnsarith: warning: {kept.short_log()}")


def counted(count: int, what: str) -> str:
    """Return so many epochs, seeds, ... in words."""
    return f"{count} {what}" + "s" * (count != 1)


def say(text: str) -> None:
    """Tell on stderr how it goes."""
    print(text, file=sys.stderr, flush=True)
