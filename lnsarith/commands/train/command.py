"""lnsarith train: train a network, keep the run, say how it went."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.options import (
    add_computing,
    add_settings,
    given_settings,
    plain,
    thread_count,
)
from lnsarith.commands.train.export_binary import export, told
from lnsarith.commands.train.training import Model, add_run, carry_out, counted

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = ("--model bnn is short for a perceptron with --arith binary; such networks are "
                     "exported in bits too, into the run's folder export.")
    add_settings(parser)
    group = add_run(parser, "runs/DATASET-...-sSEED, named by what is not usual")
    add_computing(group)


def run(args: Namespace) -> int:
    """Train, and print how it went; 1 if --require is not reached."""
    from nets.settings.suited import default_name, settings_for
    from nets.train.run import Run
    from nets.train.trainer import Trainer

    threads = thread_count(args.threads)

    def trainer(settings, dataset) -> Trainer:
        return Trainer(settings, dataset, threads, args.backend)

    model = Model(Run, settings_for, default_name, trainer, _result, _summary, _title, _begin)
    return carry_out(args, given_settings(args), model)


def _begin(trainer) -> None:
    """Take the weights of the run that --transfer names."""
    from nets.train.transfer import transfer

    if trainer.settings.transfer:
        transfer(trainer, Path(trainer.settings.transfer))


def _result(kept, trainer) -> dict:
    """Return what --json prints."""
    s, records, last = kept.settings, kept.records, kept.records[-1]
    first: dict[str, str] = {}
    for record in records:
        for warning in record["warnings"]:
            text = f"epoch {record['epoch']}: {warning}"
            first.setdefault(warning.partition(":")[0], text)
    seconds = [record["seconds"] for record in records]
    exported = export(kept, trainer) if s.binary else {}
    names = ("dataset", "arith", "delta", "mode", "batch", "lr", "weight_decay", "seed")
    kept_back = ("epoch", "seconds", "warnings", "images_per_second")
    return {
        **{name: getattr(s, name) for name in names},
        "delta": s.delta if s.arith.startswith("lns") else None,
        "network": s.model,
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
        **exported,
    }


def _summary(kept, result: dict) -> str:
    seconds, epochs = result["train_seconds"], result["epochs"]
    val = result["val_accuracy"]
    shown = "" if val is None else f"validation {val:.2%}, "
    return "\n".join(
        [
            _title(kept.settings),
            f"{shown}test {result['test_accuracy']:.2%}",
            f"{counted(epochs, 'epoch')} in {seconds:.1f} s ({seconds / epochs:.2f} s an "
            f"epoch, {result['images_per_second']:,.0f} images/s)",
            f"last batch: {result['saturations']:,} saturations, "
            f"{result['underflows']:,} underflows",
            *(f"warning: {text}" for text in result["warnings"]),
            *(told(result) if kept.settings.binary else ()),
            f"{result['model']}  sha256 {result['model_sha256']}",
        ]
    )


def _title(s) -> str:
    delta = f" {s.delta}" if s.arith.startswith("lns") else ""
    mode = "" if s.mode == "bit-true" else f" ({s.mode})"
    net = f"hidden {plain(s.hidden)}" if s.model == "mlp" else s.model
    bits = f", input {s.binarize_input}" if s.binary else ""
    return (
        f"{s.dataset}, {s.arith}{delta}{mode}, {net}{bits}{_unusual(s)}, "
        f"batch {s.batch}, lr {s.lr}, seed {s.seed}"
    )


def _unusual(s) -> str:
    """Return the activation where it is not the model's usual one, and batch norm."""
    from nets.settings.spindle import activation_kind
    from nets.settings.suited import settings_for

    usual = settings_for({"model": s.model, **({"arith": s.arith} if s.binary else {})})
    active = "" if s.activation == usual.activation else f", {activation_kind(s.activation)}"
    norm = "no" if s.norm == "none" else s.norm
    return active + ("" if s.norm == usual.norm else f", {norm} norm")
