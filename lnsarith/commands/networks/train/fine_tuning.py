"""lnsarith train --from RUN: an imported network, or the twin of a trained one, learns in words
or in floats."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from pathlib import Path

import numpy as np

from lnsarith.commands.common.options import integer, share, thread_count
from lnsarith.commands.networks.train.epochs import counted, say

__all__ = ["add_from", "fine_tune", "refuse_alone"]

FORMATS = "formats.toml"
# What suits weights that are trained already; a recipe of its own, whatever the network.
SUITED = {"val": 0, "batch": 32, "epochs": 3, "lr": "2^-9", "momentum": "0.9", "weight_decay": "0",
          "schedule": "cosine", "schedule_by": "batch", "shuffle": "epoch"}
NONE = ("network", "min-selector", "SPINDLE")  # groups of settings that say nothing here
OCTAVES = 6  # bits of sign and octaves of lns12 and lns16: 2^-16 to 2^16
OWN = ("arith", "delta", "guard")  # settings that a TOML of formats has


def add_from(parser) -> None:
    """Add what trains a network of a folder on."""
    group = parser.add_argument_group(
        "from another network", "The network of a folder learns on, bit-true in the words of "
        "--arith or --formats, or in float32; the run that comes of it goes with eval, predict and "
        "export.")
    group.add_argument("--from", dest="from_run", metavar="RUN", help="a folder of import or train")
    group.add_argument("--formats", metavar="FILE.toml", help="the formats that lnsarith formats "
                       "found, instead of --arith")
    group.add_argument("--calibrate", metavar="N", help="place the points of fixed-point words by "
                       "the ranges over so many training inputs")


def refuse_alone(args: Namespace) -> None:
    """Raise ValueError for options that go with --from where it is not given."""
    for name in ("formats", "calibrate"):
        if getattr(args, name) is not None:
            raise ValueError(f"--{name} goes with --from RUN")


def fine_tune(args: Namespace, given: dict) -> int:
    """Train, write a folder that holds the words, print how it went; 1 below --require."""
    from lnsarith.commands.networks.eval.imported import opened, parts_for
    from lnsarith.commands.networks.train.going_on import asked_for, begun
    from nets.graph.training.fitting import Fitting

    required = share("require", args.require) if args.require is not None else 0.0
    _refuse(args, given)
    args.run_folder = args.from_run
    kept = opened(args)
    args.dataset = given.get("dataset")
    name, *parts = parts_for(args, kept)
    network, settings = _words(args, given, kept, parts[0])
    folder = Path(args.out) if args.out else Path("runs") / f"{kept.folder.name}-{settings.arith}"
    asked = asked_for(args, kept, settings, parts)
    fitting = Fitting(network, settings)
    result = begun(args.resume, folder, fitting, asked) or {
        "run": str(folder), "from": str(kept.folder), "dataset": name, "arith": settings.arith,
        "formats": args.formats, "seed": settings.seed,
        **_before(kept, network, *parts[2:]), "epochs": []}
    if len(result["epochs"]) < settings.epochs:
        _epochs(folder, fitting, asked, result, *parts)
        _write(folder, kept, network, result, asked)
    print(json.dumps(result, allow_nan=False) if args.json else _text(result))
    if result["test_accuracy"] < required:
        say(f"lnsarith: the test accuracy, {result['test_accuracy']:.2%}, is below --require "
            f"{required:.2%}")
        return 1
    return 0


def _before(kept, network, x, y) -> dict:
    """Return the accuracies before anything is learned, in floats and in words, and tell them."""
    from nets.graph.run import answers

    floats = float((answers(kept.graph, x).reshape(len(x), -1).argmax(1) == y).mean())
    found = {"float_accuracy": floats, "before": _accuracy(network, x, y)}
    say(f"before: test {found['before']:.2%}, float32 {floats:.2%}")
    return found


def _epochs(folder: Path, fitting, asked: dict, result: dict, x, y, test_x, test_y) -> None:
    """Train the epochs that are left, add a row of each to the result, keep what each leaves."""
    from nets.graph.training.state import write_state

    rows, epochs = result["epochs"], fitting.settings.epochs
    try:
        while fitting.epoch < epochs:
            start, before = time.perf_counter(), [step.w for step in fitting.network.made.products]
            with np.errstate(all="ignore"):  # what overflows is told below, in one line
                loss, right = fitting.train_epoch(x, y)
            row = {"epoch": fitting.epoch, "loss": loss, "train_accuracy": right,
                   "seconds": time.perf_counter() - start, "moved": _moved(before, fitting),
                   "test_accuracy": _accuracy(fitting.network, test_x, test_y)}
            rows.append(row)
            result["test_accuracy"] = row["test_accuracy"]
            if fitting.epoch < epochs:
                write_state(folder, fitting, {"asked": asked, "result": result})
            say(f"epoch {fitting.epoch}/{epochs}  loss {loss:.4f}  train {right:.2%}  test "
                f"{row['test_accuracy']:.2%}  {row['seconds']:.2f} s")
            if not row["moved"]:
                say("lnsarith: warning: no weight moved, steps are less than words can tell: give "
                    "a larger --lr, or --gradients of a wider range")
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"; {counted(len(rows), 'epoch')} of {epochs} are kept; go on with "
                                "the same command and --resume") from None


def _moved(before: list, fitting) -> float:
    """Return the share of weights that are other words than before; NotFinite for floats that are
    no numbers any more."""
    from nets.network.model import NotFinite

    after = [step.w for step in fitting.network.made.products]
    if not all(np.isfinite(a).all() for a in after):
        raise NotFinite(f"epoch {fitting.epoch}: weights are no finite numbers any more; give a "
                        "smaller --lr")
    return float(sum((a != b).sum() for a, b in zip(before, after)) / sum(a.size for a in after))


def _refuse(args: Namespace, given: dict) -> None:
    """Raise ValueError for what has no meaning with --from."""
    from nets.graph.training.floats import FLOATS
    from nets.settings.setting import about
    from nets.settings.settings import Settings

    fields = Settings.__dataclass_fields__
    wrong = [k for k in given if about(fields[k]).group in NONE or k == "recipe" or (
        about(fields[k]).group == "data" and k != "dataset")]
    if wrong:
        raise ValueError(f"{wrong[0]} has no meaning with --from: the network and what it is given "
                         "are those of its folder")
    if args.formats and any(k in given for k in OWN):
        raise ValueError("--formats has an arithmetic of its own; give it or --arith")
    arith = given.get("arith", "")
    if not args.formats and not arith:
        raise ValueError("--from takes an arithmetic: give --arith lns12, fixed16, float32, ..., "
                         "or --formats FILE.toml")
    if arith == "binary" or arith.startswith("minselect"):
        raise ValueError(f"--from trains in words of lns and fixed point and in floats, not in "
                         f"{arith}: give --arith lns12, fixed16, float32, ...")
    if arith in FLOATS and args.calibrate is not None:
        raise ValueError(f"--calibrate goes with fixed-point words, not with {arith}")


def _words(args: Namespace, given: dict, kept, x):
    """Return the network in the words that args ask for, and the settings."""
    from dataclasses import replace

    from nets.graph.training.floats import FLOATS, in_floats
    from nets.graph.words.choice import read_choice
    from nets.graph.words.network import WordNetwork, reaches
    from nets.settings.settings import Settings, parse_format

    threads, choice = thread_count(args.threads), None
    if args.formats:
        choice = read_choice(Path(args.formats))
        given = {**given, **{k: getattr(choice.settings, k) for k in OWN}}
    if given["arith"] in FLOATS:
        settings = Settings(**{**SUITED, **given})
        return in_floats(kept.graph, settings, args.backend), settings
    logs = given["arith"].startswith("lns")
    suited = {**SUITED, "update": "stochastic", "loss_scale": 10 if logs else 6}
    # Gradients are small, and those of short words, or their steps, no words at all.
    if not logs:
        suited["gradients"] = "fixed16.15"
    elif (f := parse_format(given["arith"])).bits - f.frac < OCTAVES:
        suited["gradients"] = f"lns{f.frac + OCTAVES}.{f.frac}"
    settings = Settings(**{**suited, **given})
    if choice:
        choice = replace(choice, settings=settings)
        return choice.network(kept.graph, threads, args.backend), settings
    reach = None
    if args.calibrate is not None:
        count = integer("calibrate", args.calibrate)
        if count < 1:
            raise ValueError(f"calibrate must be 1 or more, got {count}")
        reach = reaches(kept.graph, x[:count])
    return WordNetwork.of(kept.graph, settings, threads, args.backend, reach), settings


def _accuracy(network, x, y) -> float:
    return float((network.scores(x).argmax(1) == y).mean())


def _write(folder: Path, kept, network, result: dict, asked: dict) -> None:
    """Write the graph of the words' values, and their formats beside it, in the place of what
    the last epoch left."""
    from nets.graph.folder import write_graph
    from nets.graph.training.state import STATE
    from nets.graph.training.written import graph_of_words
    from nets.graph.words.choice import Choice

    graph = graph_of_words(kept.graph, network.made)
    about = {"name": kept.manifest.get("name", kept.folder.name), "classes": kept.classes,
             "shape": list(graph.shape), "tuned": result, "asked": asked}
    about |= {k: kept.manifest[k] for k in ("source", "dataset", "image") if k in kept.manifest}
    beside = {} if result["arith"].startswith("float") else {FORMATS: Choice.of(network).text()}
    write_graph(folder, graph, about, kept.how, beside, STATE)


def _text(result: dict) -> str:
    folder = result["run"]
    words = "" if result["arith"].startswith("float") else f" --formats {Path(folder) / FORMATS}"
    return "\n".join([
        f"{result['from']} in {result['formats'] or result['arith']}, {result['dataset']}: test "
        f"{result['before']:.2%} before, {result['test_accuracy']:.2%} after "
        f"{counted(len(result['epochs']), 'epoch')}; float32 {result['float_accuracy']:.2%}",
        f"lnsarith eval {folder}{words}", folder])
