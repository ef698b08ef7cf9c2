"""lnsarith study activations: one network with each activation, set and seed."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fxp.text.numbers import whole
from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.common.options import FIELDS, add_data, add_settings, given_settings
from lnsarith.commands.networks.train.epochs import counted, say, tell_lost, train_epochs

__all__ = ["options", "run"]

SETS = "mnist-candy,mnist-fire,mnist-sea"
ACTIVATIONS = "relu,sigmoid,leaky,mish,gelu,spindle"
DEFAULTS = {"model": "lenet5", "arith": "float32", "epochs": 5}
VARIED = ("dataset", "activation", "seed")
# The format of activations has the name of this command's list of them, so has to follow arith.
OWN = {n: f for n, f in FIELDS.items() if n not in (*VARIED, "activations")}
FAILED = "failed.json"  # in the folder of a run whose loss stopped being finite
FITTED = ("spindle", "spindle_kernels")  # settings of the activation spindle alone


def options(parser: ArgumentParser) -> None:
    """Add the options of the action."""
    from nets.settings.suited import settings_for

    add_settings(parser, OWN, vars(settings_for(DEFAULTS)))
    group = parser.add_argument_group("study")
    group.add_argument("--datasets", metavar="A,B", default=SETS,
                       help=f"images to learn (default {SETS})")
    group.add_argument("--activations", metavar="A,B", default=ACTIVATIONS,
                       help="what to compare; {dataset} in spindle:FILE stands for the data "
                       f"set's name (default {ACTIVATIONS})")
    group.add_argument("--seeds", metavar="A,B", default="0,1,2",
                       help="seeds of each network (default 0,1,2)")
    group.add_argument("--out", metavar="DIR", default="studies/activations",
                       help="folder of the runs; finished ones are not done again "
                       "(default studies/activations)")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    add_figure(group)
    add_data(group)


def run(args: Namespace) -> int:
    """Train what is not trained yet, write study.json and study.png, print a table."""
    from nets.network.model import write_atomic
    from nets.train import study
    from nets.train.forms import STUDY as KIND
    from nets.train.forms import require_study

    plans = _plans(args)
    folder = Path(args.out)
    require_study(folder, "activations")
    runs = _trained(plans, folder, args.data_dir)
    images = {name: count for name, *_, count in runs}
    accuracies: dict[str, dict[str, list[float | None]]] = {}
    for name, kind, _, records, failed, _ in runs:
        accuracies.setdefault(name, {}).setdefault(kind, []).append(
            None if failed else records[-1]["test_accuracy"])
    found = study.summary(accuracies, images)
    shared = plans[0][3]
    title = (f"{shared.model}, {shared.arith}, {counted(shared.epochs, 'epoch')}, "
             f"{counted(len(_seeds(args)), 'seed')}")
    result = {"kind": KIND, "what": "activations",
              "settings": {k: v for k, v in shared.resolved().items()
                           if k not in (*VARIED, *FITTED)},
              "images": images, **found,
              "runs": [{"dataset": n, "activation": k, "seed": s, "records": r, "failed": why}
                       for n, k, s, r, why, _ in runs], "plot": str(folder / "study.png")}
    study.draw(folder / "study.png", found, title)
    write_atomic(folder / "study.json", (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(result) if args.json
          else "\n".join([title, *study.table(found), str(folder / "study.png")]))
    return 0


def _plans(args: Namespace) -> list[tuple]:
    """Return (set, activation's short name, seed, settings) of all runs, checked."""
    from nets.data.sets import NAMES
    from nets.settings.suited import settings_for

    given = {**DEFAULTS, **given_settings(args, OWN)}
    sets, kinds = (_list(args, n) for n in ("datasets", "activations"))
    if unknown := [name for name in sets if name not in NAMES]:
        raise ValueError(f"no data set is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    shorts = [_short(kind, kinds) for kind in kinds]
    if alike := [kind for kind, short in zip(kinds, shorts) if shorts.count(short) > 1]:
        raise ValueError(f"{' and '.join(alike)} would share a name in tables; give files of "
                         "different names")
    plans = []
    for name in sets:
        for kind, short in zip(kinds, shorts):
            own = {k: v for k, v in given.items() if k not in FITTED or kind == "spindle"
                   or (k == "spindle" and kind.startswith("spindle:"))}
            text = kind.replace("{dataset}", name)
            plans += [(name, short, seed,
                       settings_for({**own, "dataset": name, "activation": text, "seed": seed}))
                      for seed in _seeds(args)]
    return plans


def _list(args: Namespace, name: str) -> list[str]:
    items = list(filter(None, getattr(args, name).split(",")))
    if not items or len(set(items)) < len(items):
        raise ValueError(f"{name} must be names, each once, got {getattr(args, name)!r}")
    return items


def _seeds(args: Namespace) -> list[int]:
    return [whole("seeds", text) for text in _list(args, "seeds")]


def _short(kind: str, kinds: list[str]) -> str:
    """Return the name in tables and of folders: spindle for spindle:FILE, FILE's where there
    are more of them."""
    head, _, file = kind.partition(":")
    alike = sum(other.partition(":")[0] == head for other in kinds)
    stem = Path(file).stem.replace("{dataset}", "dataset")
    return head if alike == 1 or not file else f"{head}-{stem}"


def _trained(plans: list[tuple], folder: Path, data_dir) -> list[tuple]:
    """Return (set, activation, seed, records, why it failed, test images) of all runs, trained
    as far as they are not; a run that was broken off goes on, one that failed does not."""
    from nets.data.sets import load
    from nets.train.run import facts
    from nets.train.trainer import Trainer

    dataset, known, done = None, {}, []
    for i, (name, kind, seed, settings) in enumerate(plans, 1):
        if dataset is None or dataset.name != name:
            dataset = load(name, data_dir)
            known = facts(dataset)
        kept = _open(folder / name / f"{kind}-s{seed}", settings, known)
        failed = _failure(kept)
        last = kept.records[-1]["epoch"] if kept.records else 0
        ready = last >= settings.epochs and kept.model_path.exists()
        if not failed and not ready:
            say(f"{i}/{len(plans)}: {name}, {kind}, seed {seed}")
            trainer = Trainer(settings, dataset)
            trainer.epoch = kept.load(trainer.network)
            tell_lost(kept)
            failed = _train(trainer, kept)
        kept.unlock()
        done.append((name, kind, seed, kept.records, failed, len(dataset.test_labels)))
    return done


def _train(trainer, kept) -> str | None:
    """Train a run to its end, or until its loss is not finite: then keep and return why."""
    from nets.network.model import NotFinite, write_atomic

    try:
        train_epochs(trainer, kept)
    except NotFinite as error:
        say(f"lnsarith: warning: failed: {error}")
        why = json.dumps({"failed": str(error)}) + "\n"
        write_atomic(kept.folder / FAILED, why.encode())
        return str(error)
    return None


def _failure(kept) -> str | None:
    """Return why a run failed before, None if it did not."""
    from lnsarith.host.files.reading import BadFile, read_json
    from lnsarith.host.files.schema import table, text
    from nets.train.run import RunError

    path = kept.folder / FAILED
    try:
        return read_json(path, table({"failed": text()}))["failed"]
    except FileNotFoundError:
        return None
    except BadFile as error:
        raise RunError(f"{path} is not what this program wrote ({error}); without it the run "
                       "is tried again") from error


def _open(folder: Path, settings, known: dict):
    """Return the run of these settings in a folder, new or as it was left."""
    from nets.train.forms import STUDIED
    from nets.train.run import Run, RunError

    if not (folder / "config.json").exists():
        return Run.create(folder, settings, known, STUDIED)
    kept = Run.open(folder)
    kept.demand_kind(STUDIED)
    own, wanted = kept.settings.resolved(), settings.resolved()
    if other := [name for name in wanted if own[name] != wanted[name]]:
        name = other[0]
        raise RunError(f"{folder} has {name} = {own[name]}, the study {wanted[name]}: give the "
                       "same settings, or another --out")
    kept.go_on({}, known)
    return kept
