"""lnsarith prune: make the smallest weights of a trained network zero, and train it on."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from lnsarith.commands.eval import open_run
from lnsarith.commands.options import add_computing, add_data, integer, share, thread_count
from lnsarith.commands.training import at_work, epoch_count, train_epochs

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = ("The new run goes with eval, predict, quantize and train --resume. Weights "
                     "that were pruned stay zero in every further epoch; a learning rate that "
                     "falls goes on falling over all epochs, old and new.")
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
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(parser)
    add_computing(parser)


def run(args: Namespace) -> int:
    """Prune, train on, and print what is left of weights and accuracy."""
    from nets.model import write_atomic
    from nets.run import Run
    from nets.train import evaluate

    more, found = integer("epochs", args.epochs), _masks(args)
    if not 0 <= more <= 100_000:
        raise ValueError(f"epochs must be 0..100000, got {more}")
    kept, trainer = _opened(args, more)
    network = trainer.network
    before = evaluate(network, *trainer.test).accuracy
    network.mask({name: mask | network.masks.get(name, False)
                  for name, mask in found(network).items()})
    network.hold()
    pruned = evaluate(network, *trainer.test).accuracy
    folder = Path(args.out) if args.out else kept.folder.with_name(f"{kept.folder.name}-pruned")
    new = Run.create(folder, trainer.settings, kept.data)
    with at_work(new):
        # The last epoch's accuracies are those that the words now have.
        held = evaluate(network, *trainer.held).accuracy if len(trainer.held[1]) else None
        last = {**kept.records[-1], "test_accuracy": pruned, "val_accuracy": held}
        new.keep([*kept.records[:-1], last], network)
        train_epochs(trainer, new)
        result = _result(args, kept, new, network, before, pruned)
        write_atomic(folder / "pruning.json", (json.dumps(result, indent=2) + "\n").encode())
    print(json.dumps(result) if args.json else _text(result))
    return 0


def _masks(args: Namespace):
    """Return the function from a network to its masks that the options ask for."""
    from nets import prune

    if args.pattern:
        kept, of = prune.parse_pattern(args.pattern)
        if args.scope != "layer":
            raise ValueError("scope has a meaning only with --share, not with --pattern")
        return lambda network: prune.masks_by_pattern(network, kept, of)
    part = share("share", args.share)
    if args.scope not in prune.SCOPES:
        raise ValueError(f"scope must be one of {', '.join(prune.SCOPES)}, got {args.scope!r}")
    return lambda network: prune.masks_by_share(network, part, args.scope)


def _opened(args: Namespace, more: int):
    """Return the run and a trainer, with its words, for so many epochs more."""
    from nets.data import load
    from nets.run import RunError, facts
    from nets.train import Trainer

    kept = open_run(args)
    if kept.settings.binary:
        raise RunError(f"{kept.folder} is of binary arithmetic, whose weights are -1 and 1: none "
                       "can be zero; prune a run of another arithmetic")
    dataset = load(kept.settings.dataset, args.data_dir)
    kept.go_on({}, facts(dataset))
    kept.unlock()
    trainer = Trainer(kept.settings, dataset, thread_count(args.threads), args.backend)
    trainer.epoch = kept.load(trainer.network)
    trainer.settings = replace(kept.settings, epochs=trainer.epoch + more)
    if len(kept.records) != trainer.epoch:
        raise RunError(f"{kept.folder} has a log of {len(kept.records)} epochs for a model of "
                       f"{trainer.epoch}; put a copy of log.jsonl back, or train anew")
    return kept, trainer


def _result(args, kept, new, network, before: float, pruned: float) -> dict:
    from nets.prune import sparsity

    zeros = sparsity(network)
    return {
        "run": str(kept.folder), "folder": str(new.folder), "dataset": new.settings.dataset,
        "arith": new.settings.arith, "share": args.share, "scope": args.scope,
        "pattern": args.pattern, "epochs": len(new.records) - len(kept.records),
        "original_accuracy": before, "pruned_accuracy": pruned,
        "test_accuracy": new.records[-1]["test_accuracy"],
        "layers": [{"name": name, "zeros": zero, "weights": count, "sparsity": zero / count}
                   for name, (zero, count) in zeros.items()],
        "sparsity": sum(z for z, _ in zeros.values()) / sum(n for _, n in zeros.values()),
        "model_sha256": new.model_sha256,
    }


def _text(r: dict) -> str:
    trained = f", {r['test_accuracy']:.2%} after {epoch_count(r['epochs'])} more"
    return "\n".join([
        f"{r['run']} on {r['dataset']}, {r['arith']}",
        f"test accuracy {r['original_accuracy']:.2%}, {r['pruned_accuracy']:.2%} pruned"
        + (trained if r["epochs"] else ""),
        *(f"{row['name']:>6}: {row['zeros']:,} of {row['weights']:,} weights are zero "
          f"({row['sparsity']:.1%})" for row in r["layers"]),
        f"{r['folder']}: {r['sparsity']:.1%} of the weights are zero",
    ])
