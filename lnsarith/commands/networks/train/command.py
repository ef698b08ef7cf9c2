"""lnsarith train: train a network, keep the run, say how it went."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.common.options import (
    ONE_RUN,
    add_computing,
    add_data,
    add_own,
    add_settings,
    given_settings,
    integer,
    share,
    thread_count,
)
from lnsarith.commands.networks.train.answer import result_of, summary, title
from lnsarith.commands.networks.train.epochs import at_work, counted, say, tell_lost, train_epochs
from lnsarith.commands.networks.train.fine_tuning import add_from, refuse_alone

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = ("--model bnn is short for a perceptron with --arith binary; such networks are "
                     "exported in bits too, into the run's folder export.")
    add_settings(parser, defaults=ONE_RUN)
    add_computing(_add_run(parser))
    add_from(parser)


def _add_run(parser: ArgumentParser):
    """Add the options of the run's folder and of what is printed; return their group."""
    group = parser.add_argument_group("run folder and answers")
    group.add_argument("--out", metavar="DIR", help="run folder (default "
                       "runs/DATASET-...-sSEED, named by what is not usual)")
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
    add_figure(group)
    group.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(group)
    add_own(group)
    group.add_argument("--size", metavar="ROWS,COLUMNS", help="what images of --data are scaled "
                       "to")
    return group


def run(args: Namespace) -> int:
    """Train, and print how it went; 1 if --require is not reached."""
    if args.from_run:
        from lnsarith.commands.networks.train.fine_tuning import fine_tune

        return fine_tune(args, given_settings(args))
    refuse_alone(args)
    required = share("require", args.require) if args.require is not None else 0.0
    trainer, kept = _start(args, given_settings(args))
    with at_work(kept):
        train_epochs(trainer, kept)
        if not args.no_plot:
            _draw(kept)
        result = result_of(kept, trainer)
    print(json.dumps(result, allow_nan=False) if args.json else summary(kept, result))
    if result["test_accuracy"] < required:
        say(
            f"lnsarith: the test accuracy, {result['test_accuracy']:.2%}, is below "
            f"--require {required:.2%}"
        )
        return 1
    return 0


def _start(args: Namespace, given: dict):
    """Return a trainer and its run folder, new or as they were left."""
    from nets.data.sets import load
    from nets.settings.recipes import best_of
    from nets.settings.suited import default_name, settings_for, with_recipe
    from nets.train.folder import holds_any
    from nets.train.run import Run, facts
    from nets.train.trainer import Trainer

    own = _own(args, given) if args.data else None
    threads = thread_count(args.threads)
    chosen = with_recipe(given)
    folder = Path(args.out) if args.out else None
    folder = folder or _default_folder(default_name(settings_for(chosen)), args.resume)
    kept = None
    if args.resume and holds_any(folder):
        kept = Run.open(folder)
        kept.demand_kind(Run.kind)
    settings = kept.settings if kept else settings_for(chosen)
    dataset = own or load(settings.dataset, args.data_dir)
    if kept:
        kept.go_on(given, facts(dataset))
    trainer = Trainer(settings, dataset, threads, args.backend)
    if kept:
        trainer.epoch = kept.load(trainer.network)
        tell_lost(kept)
        say(f"going on with {folder} after {counted(trainer.epoch, 'epoch')}")
    if not trainer.epoch:
        _begin(trainer)
    if not kept:
        kept = Run.create(folder, settings, facts(dataset))
        if args.resume:
            say(f"there is no run in {folder} yet: starting one")
        if own:
            _keep_data(kept.folder, args)
        if best_of(settings.arith):
            say(f"recipe {settings.recipe} (see lnsarith recipes)")
    return trainer, kept


def _own(args: Namespace, given: dict):
    """Return the user's own data as a data set, and tell what it is."""
    from nets.data.files import as_dataset, load_own
    from nets.data.own import OWN

    own = load_own(args.data, _size(args), label=args.label)
    found = as_dataset(own)
    if given.setdefault("dataset", OWN) != OWN:
        raise ValueError("give --dataset or --data, one of the two")
    given.setdefault("val", len(found.train_labels) // 6)
    shape = " x ".join(map(str, found.train_images.shape[1:]))
    say(f"{args.data}: {len(found.train_labels):,} training and {len(found.test_labels):,} test "
        f"inputs of {shape}, {found.classes} classes: {', '.join(own.names)[:200]}")
    return found


def _size(args: Namespace) -> tuple[int, int] | None:
    """Return the rows and columns that images are scaled to, None where --size is not given."""
    if not args.size:
        return None
    size = [integer("size", n) for n in args.size.split(",")]
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"size is rows,columns such as 32,32, got {args.size}")
    return size[0], size[1]


def _keep_data(folder: Path, args: Namespace) -> None:
    """Write what classes are called and what features were scaled by, for eval and predict."""
    from lnsarith.commands.networks.eval.answer import OWN_DATA
    from nets.data.files import load_own, ranges_of
    from nets.network.model import write_atomic

    own = load_own(args.data, _size(args), label=args.label)
    ranges = ranges_of(own)
    told = {} if ranges is None else {
        k: v.astype(float).tolist() for k, v in zip(("low", "high"), ranges)}
    write_atomic(folder / OWN_DATA, json.dumps({"names": list(own.names), **told}).encode())


def _default_folder(name: str, resume: bool) -> Path:
    """Return runs/name, or runs/name-2, ... : the newest, or the next that is free."""
    base, n = Path("runs") / name, 1
    numbered = [base]
    while numbered[-1].exists():
        n += 1
        numbered.append(base.with_name(f"{name}-{n}"))
    return numbered[-2] if resume and n > 1 else numbered[-1]


def _begin(trainer) -> None:
    """Take the weights of the run that --transfer names."""
    from nets.train.transfer import transfer

    if trainer.settings.transfer:
        transfer(trainer, Path(trainer.settings.transfer))


def _draw(kept) -> None:
    """Write curves.png; a run is no worse without it."""
    from nets.network.model import RunError, write_atomic

    try:
        from nets.train.curves import draw

        unit = "squared hinge" if kept.settings.loss == "hinge" else "nats an image"
        image = draw(kept.records, title(kept.settings), unit)
        write_atomic(kept.folder / "curves.png", image)
    except (ImportError, RunError) as error:
        say(f"lnsarith: warning: no curves are drawn: {error}")
