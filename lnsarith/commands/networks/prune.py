"""lnsarith prune: make the smallest weights of a trained network zero, and train it on."""

from __future__ import annotations

import json
import shlex
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from lnsarith.commands.common.options import add_computing, add_data, integer, share, thread_count
from lnsarith.commands.networks.eval.model import open_run
from lnsarith.commands.networks.train.epochs import at_work, counted, say, tell_lost, train_epochs

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = ("The new run goes with eval, predict, quantize and prune. Weights that were "
                     "pruned stay zero in every further epoch; a learning rate that falls goes on "
                     "falling over all epochs, old and new. --resume with more --epochs trains "
                     "on.")
    parser.add_argument("run_folder", metavar="RUN", help="a folder that train made")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--share", metavar="SHARE", help="of the weights that go: 0.8 or 80%%")
    how.add_argument("--pattern", metavar="N:M",
                     help="keep N of each M weights that follow one another, such as 2:4")
    parser.add_argument("--scope", metavar="SCOPE", default="layer",
                        help="the share is of each layer (default) or global: of all together")
    parser.add_argument("--epochs", metavar="N", default="0",
                        help="train so many epochs more (default 0)")
    parser.add_argument("--out", metavar="DIR", help="the new run (default RUN-pruned)")
    parser.add_argument("--resume", action="store_true",
                        help="go on with the new run, or start it if there is none")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(parser)
    add_computing(parser)


def run(args: Namespace) -> int:
    """Prune, train on, and print what is left of weights and accuracy."""
    from nets.network.model import write_atomic
    from nets.train.folder import holds_any
    from nets.train.run import RunError

    more, how, found = integer("epochs", args.epochs), _how(args), _masks(args)
    if not 0 <= more <= 100_000:
        raise ValueError(f"epochs must be 0..100000, got {more}")
    kept = open_run(args)
    if kept.settings.binary:
        raise RunError(f"{kept.folder} is of binary arithmetic, whose weights are -1 and 1: none "
                       "can be zero; prune a run of another arithmetic")
    folder = Path(args.out) if args.out else kept.folder.with_name(f"{kept.folder.name}-pruned")
    begin = _went_on if args.resume and holds_any(folder) else _pruned
    new, trainer = begin(args, kept, folder, how, more, found)
    with at_work(new, _command(args)):
        train_epochs(trainer, new)
        result = _result(args, kept, new, trainer.network)
        write_atomic(folder / "pruning.json", (json.dumps(result, indent=2) + "\n").encode())
    print(json.dumps(result) if args.json else _text(result))
    return 0


def _how(args: Namespace) -> dict:
    """Return what decides which weights go, as plain data."""
    return {"share": share("share", args.share) if args.share is not None else None,
            "pattern": args.pattern, "scope": args.scope}


def _command(args: Namespace) -> str:
    given = [(f"--{n}", getattr(args, n)) for n in ("share", "pattern", "scope", "epochs")]
    words = [word for pair in given if pair[1] is not None for word in pair]
    return shlex.join(["lnsarith", "prune", args.run_folder, *words])


def _masks(args: Namespace):
    """Return the function from a network to its masks that the options ask for."""
    from nets.quantize import prune

    if args.pattern:
        kept, of = prune.parse_pattern(args.pattern)
        if args.scope != "layer":
            raise ValueError("scope has a meaning only with --share, not with --pattern")
        return lambda network: prune.masks_by_pattern(network, kept, of)
    part = share("share", args.share)
    if args.scope not in prune.SCOPES:
        raise ValueError(f"scope must be one of {', '.join(prune.SCOPES)}, got {args.scope!r}")
    return lambda network: prune.masks_by_share(network, part, args.scope)


def _pruned(args: Namespace, kept, folder: Path, how: dict, more: int, found):
    """Return a new run of the pruned network and its trainer, for so many epochs more."""
    from nets.train.run import Run, RunError
    from nets.train.trainer import evaluate

    trainer = _trainer(args, kept, {})
    kept.unlock()
    if kept.lost:
        raise RunError(f"{kept.short_log()}; put a copy of it back, or train anew")
    trainer.settings = replace(kept.settings, epochs=trainer.epoch + more)
    network = trainer.network
    before = evaluate(network, *trainer.test).accuracy
    network.mask({name: mask | network.masks.get(name, False)
                  for name, mask in found(network).items()})
    network.hold()
    pruned = evaluate(network, *trainer.test).accuracy
    pruning = {"run": kept.folder.name, "model_sha256": kept.model_sha256, **how,
               "epoch": trainer.epoch, "original_accuracy": before, "pruned_accuracy": pruned}
    # The last epoch's accuracies are those that the words now have.
    held = evaluate(network, *trainer.held).accuracy if len(trainer.held[1]) else None
    last = {**kept.records[-1], "test_accuracy": pruned, "val_accuracy": held}
    records = [*kept.records[:-1], last]
    return Run.create_pruned(folder, trainer.settings, kept, pruning, records, network), trainer


def _went_on(args: Namespace, kept, folder: Path, how: dict, more: int, found):
    """Return the run in a folder, which was broken off, and its trainer."""
    from nets.train.forms import PRUNED
    from nets.train.run import Run, RunError

    new = Run.open(folder)
    new.demand_kind(PRUNED)
    pruning = new.pruning or {}
    for name, value in {**how, "model_sha256": kept.model_sha256}.items():
        if pruning.get(name) != value:
            raise RunError(f"{folder} was pruned with {name} = {pruning.get(name)}, got {value}; "
                           "only epochs may change, and grow: prune into another --out")
    trainer = _trainer(args, new, {"epochs": pruning["epoch"] + more})
    tell_lost(new)
    say(f"going on with {folder} after {counted(trainer.epoch, 'epoch')}")
    return new, trainer


def _trainer(args: Namespace, kept, given: dict):
    """Return a trainer with the words of a run, which is then locked."""
    from nets.data.sets import load
    from nets.train.run import facts
    from nets.train.trainer import Trainer

    dataset = load(kept.settings.dataset, args.data_dir)
    kept.go_on(given, facts(dataset))
    trainer = Trainer(kept.settings, dataset, thread_count(args.threads), args.backend)
    trainer.epoch = kept.load(trainer.network)
    return trainer


def _result(args, kept, new, network) -> dict:
    from nets.quantize.prune import sparsity

    zeros = sparsity(network)
    return {
        "run": str(kept.folder), "folder": str(new.folder), "dataset": new.settings.dataset,
        "arith": new.settings.arith, "share": args.share, "scope": args.scope,
        "pattern": args.pattern, "epochs": new.settings.epochs - new.pruning["epoch"],
        "original_accuracy": new.pruning["original_accuracy"],
        "pruned_accuracy": new.pruning["pruned_accuracy"],
        "test_accuracy": new.records[-1]["test_accuracy"],
        "layers": [{"name": name, "zeros": zero, "weights": count, "sparsity": zero / count}
                   for name, (zero, count) in zeros.items()],
        "sparsity": sum(z for z, _ in zeros.values()) / sum(n for _, n in zeros.values()),
        "model_sha256": new.model_sha256,
    }


def _text(r: dict) -> str:
    trained = f", {r['test_accuracy']:.2%} after {counted(r['epochs'], 'epoch')} more"
    return "\n".join([
        f"{r['run']} on {r['dataset']}, {r['arith']}",
        f"test accuracy {r['original_accuracy']:.2%}, {r['pruned_accuracy']:.2%} pruned"
        + (trained if r["epochs"] else ""),
        *(f"{row['name']:>6}: {row['zeros']:,} of {row['weights']:,} weights are zero "
          f"({row['sparsity']:.1%})" for row in r["layers"]),
        f"{r['folder']}: {r['sparsity']:.1%} of the weights are zero",
    ])
