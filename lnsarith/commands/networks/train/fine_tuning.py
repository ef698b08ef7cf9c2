"""lnsarith train --from RUN: an imported network, or the twin of a trained one, learns in words."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from pathlib import Path

from lnsarith.commands.common.options import integer, share, thread_count
from lnsarith.commands.networks.train.epochs import counted, say

__all__ = ["add_from", "fine_tune", "refuse_alone"]

FORMATS = "formats.toml"
# What suits weights that are trained already; a recipe of its own, whatever the network.
SUITED = {"val": 0, "batch": 32, "epochs": 3, "lr": "2^-9", "momentum": "0.9", "weight_decay": "0",
          "schedule": "cosine", "schedule_by": "batch", "shuffle": "epoch", "update": "stochastic"}
NONE = ("network", "min-selector", "SPINDLE")  # groups of settings that say nothing here
OWN = ("arith", "delta", "guard")  # settings that a TOML of formats has


def add_from(parser) -> None:
    """Add what trains a network of a folder on."""
    group = parser.add_argument_group(
        "from another network", "The network of a folder learns on, bit-true in the words of "
        "--arith or --formats; the run that comes of it goes with eval, predict and export.")
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
    from nets.graph.run import answers
    from nets.graph.training.fitting import Fitting

    required = share("require", args.require) if args.require is not None else 0.0
    _refuse(args, given)
    args.run_folder = args.from_run
    kept = opened(args)
    args.dataset = given.get("dataset")
    name, x, y, test_x, test_y = parts_for(args, kept)
    network, settings = _words(args, given, kept, x)
    folder = Path(args.out) if args.out else Path("runs") / f"{kept.folder.name}-{settings.arith}"
    _require_free(folder)
    fitting = Fitting(network, settings)
    floats = answers(kept.graph, test_x).reshape(len(test_x), -1).argmax(1)
    result = {"run": str(folder), "from": str(kept.folder), "dataset": name, "arith":
              settings.arith, "formats": args.formats, "seed": settings.seed,
              "float_accuracy": float((floats == test_y).mean()),
              "before": _accuracy(network, test_x, test_y), "epochs": []}
    say(f"before: test {result['before']:.2%}, float32 {result['float_accuracy']:.2%}")
    for epoch in range(settings.epochs):
        begun = time.perf_counter()
        loss, right = fitting.train_epoch(x, y)
        row = {"epoch": epoch + 1, "loss": loss, "train_accuracy": right,
               "seconds": time.perf_counter() - begun,
               "test_accuracy": _accuracy(network, test_x, test_y)}
        result["epochs"].append(row)
        say(f"epoch {epoch + 1}/{settings.epochs}  loss {loss:.4f}  train {right:.2%}  test "
            f"{row['test_accuracy']:.2%}  {row['seconds']:.2f} s")
    result["test_accuracy"] = result["epochs"][-1]["test_accuracy"]
    _write(folder, kept, network, result)
    print(json.dumps(result, allow_nan=False) if args.json else _text(result))
    if result["test_accuracy"] < required:
        say(f"lnsarith: the test accuracy, {result['test_accuracy']:.2%}, is below --require "
            f"{required:.2%}")
        return 1
    return 0


def _refuse(args: Namespace, given: dict) -> None:
    """Raise ValueError for what has no meaning with --from."""
    from nets.settings.setting import about
    from nets.settings.settings import FLOATS, Settings

    fields = Settings.__dataclass_fields__
    wrong = [k for k in given if about(fields[k]).group in NONE or k == "recipe" or (
        about(fields[k]).group == "data" and k != "dataset")]
    if wrong:
        raise ValueError(f"{wrong[0]} has no meaning with --from: the network and what it is given "
                         "are those of its folder")
    if args.resume:
        raise ValueError("--resume has no meaning with --from: give --from the run to go on with")
    if args.formats and any(k in given for k in OWN):
        raise ValueError("--formats has an arithmetic of its own; give it or --arith")
    arith = given.get("arith", "float32")
    if not args.formats and (arith in FLOATS or arith.startswith("minselect")):
        raise ValueError(f"--from trains in words, not in {arith}: give --arith lns12, "
                         "lns16, fixed16, ..., or --formats FILE.toml")


def _words(args: Namespace, given: dict, kept, x):
    """Return the network in the words that args ask for, and the settings."""
    from dataclasses import replace

    from nets.graph.words.choice import read_choice
    from nets.graph.words.network import WordNetwork, reaches
    from nets.settings.settings import Settings

    threads, choice = thread_count(args.threads), None
    if args.formats:
        choice = read_choice(Path(args.formats))
        given = {**given, **{k: getattr(choice.settings, k) for k in OWN}}
    logs = given["arith"].startswith("lns")
    suited = {**SUITED, "loss_scale": 10 if logs else 6}
    if not logs:  # gradients are small, and those of short words no words at all
        suited["gradients"] = "fixed16.15"
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


def _require_free(folder: Path) -> None:
    from nets.network.model import RunError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} is not empty; choose another --out")


def _accuracy(network, x, y) -> float:
    return float((network.scores(x).argmax(1) == y).mean())


def _write(folder: Path, kept, network, result: dict) -> None:
    """Write the graph of the words' values, and their formats beside it."""
    from nets.graph.folder import write_graph
    from nets.graph.training.written import graph_of_words
    from nets.graph.words.choice import Choice
    from nets.network.model import write_atomic

    graph = graph_of_words(kept.graph, network.made)
    about = {"name": kept.manifest.get("name", kept.folder.name), "classes": kept.classes,
             "shape": list(graph.shape), "tuned": result}
    about |= {k: kept.manifest[k] for k in ("source", "dataset", "image") if k in kept.manifest}
    choice = Choice.of(network).text()
    write_graph(folder, graph, about, kept.how)
    write_atomic(folder / FORMATS, choice.encode())


def _text(result: dict) -> str:
    folder = result["run"]
    return "\n".join([
        f"{result['from']} in {result['formats'] or result['arith']}, {result['dataset']}: test "
        f"{result['before']:.2%} before, {result['test_accuracy']:.2%} after "
        f"{counted(len(result['epochs']), 'epoch')}; float32 {result['float_accuracy']:.2%}",
        f"lnsarith eval {folder} --formats {Path(folder) / FORMATS}", folder])
