"""What train says of a run that has ended."""

from __future__ import annotations

from lnsarith.commands.common.options import plain
from lnsarith.commands.networks.train.epochs import counted
from lnsarith.commands.networks.train.export_binary import export, told

__all__ = ["result_of", "summary", "title"]


def result_of(kept, trainer) -> dict:
    """Return what --json prints."""
    s, records, last = kept.settings, kept.records, kept.records[-1]
    first: dict[str, str] = {}
    for record in records:
        for warning in record["warnings"]:
            text = f"epoch {record['epoch']}: {warning}"
            first.setdefault(warning.partition(":")[0], text)
    seconds = [record["seconds"] for record in records]
    exported = export(kept, trainer) if s.binary else {}
    names = ("dataset", "arith", "delta", "mode", "recipe", "batch", "lr", "weight_decay", "seed")
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


def summary(kept, result: dict) -> str:
    """Return the same for people."""
    seconds, epochs = result["train_seconds"], result["epochs"]
    val = result["val_accuracy"]
    shown = "" if val is None else f"validation {val:.2%}, "
    return "\n".join(
        [
            title(kept.settings),
            f"{shown}test {result['test_accuracy']:.2%}",
            f"{counted(epochs, 'epoch')} in {seconds:.1f} s ({seconds / epochs:.2f} s an "
            f"epoch, {result['images_per_second']:,.0f} images/s)",
            f"last batch: {result['saturations']:,} saturations, "
            f"{result['underflows']:,} words are zero",
            *(f"warning: {text}" for text in result["warnings"]),
            *(told(result) if kept.settings.binary else ()),
            f"{result['model']}  sha256 {result['model_sha256']}",
        ]
    )


def title(s) -> str:
    """Return what was trained, of its settings."""
    from lnsarith.delta.methods import brief
    from nets.settings.recipes import best_of

    delta = f" {brief(s.delta)}" if s.arith.startswith("lns") else ""
    mode = "" if s.mode == "bit-true" else f" ({s.mode})"
    net = f"hidden {plain(s.hidden)}" if s.model == "mlp" else s.model
    bits = f", input {s.binarize_input}" if s.binary else ""
    recipe = f", recipe {s.recipe}" if best_of(s.arith) else ""
    return (
        f"{s.dataset}, {s.arith}{delta}{mode}{recipe}, {net}{bits}{_unusual(s)}, "
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
