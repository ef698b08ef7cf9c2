"""What the files of a run must look like, and what kinds of folders there are."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lnsarith.host.files.reading import BadFile, read_json
from lnsarith.host.files.schema import Form, floating, listed, mapping, maybe, number, table, text
from nets.data.own import OWN
from nets.data.sets import NAMES
from nets.network.model import RunError
from nets.settings.settings import Settings

__all__ = ["ADDED", "CONFIG", "PRUNED", "RECORD", "RUN", "STUDIED", "STUDY", "WHAT", "kind_of",
           "require_study"]

RUN, PRUNED = "lnsarith run 1", "lnsarith pruned run 1"
STUDY = "lnsarith study 1"
STUDIED = "lnsarith study run 1"
# Of a kind: what a folder of it holds, and which command goes on with it.
WHAT = {
    RUN: ("a run", "lnsarith train --resume"),
    PRUNED: ("a pruned run", "lnsarith prune --resume"),
    STUDIED: ("a run of a study", "lnsarith study activations"),
}

SHARE = floating(0, 1)
DATA = table({"shape": listed(number(1, 1 << 12), 2, 3), "classes": number(1, 1 << 10),
              "train_images": number(0, 1 << 31), "train_sha256": text(most=64)})
PRUNING = table({"run": text(), "model_sha256": text(most=64), "epoch": number(0, 100_000),
                 "share": maybe(SHARE), "pattern": maybe(text()), "scope": text("layer", "global"),
                 "original_accuracy": SHARE, "pruned_accuracy": SHARE})
PLUGINS = listed(table({"file": text(most=4096), "sha256": text(most=64)},
                       {"package": text(most=256)}), most=64)
# Settings that runs of version 0.1 do not have: what they say by default is what was done.
ADDED = ("binarize_input", "threshold", "dropout_input", "schedule_by", "lr_last",
         "logits", "recipe", "loss_scale", "register_bits")


def _config() -> Form:
    """Return the form of config.json, with all settings: what is missing would silently be
    something else."""
    forms: dict[type, Form] = {int: number(), str: text(), tuple: listed(number())}
    fields = {f.name: forms[type(f.default)] for f in dataclasses.fields(Settings)}
    needed = {k: form for k, form in fields.items() if k not in ADDED}
    needed |= {"dataset": text(*NAMES, OWN), "data": DATA, "versions": mapping(maybe(text()))}
    return table(needed, {**{k: fields[k] for k in ADDED}, "kind": text(*WHAT),
                          "pruning": PRUNING, "plugins": PLUGINS})


CONFIG = _config()
# A line of log.jsonl; of a run of version 0.1 some may be missing.
RECORD = table(
    {"epoch": number(1, 100_000), "loss": maybe(floating()), "train_accuracy": SHARE,
     "val_accuracy": maybe(SHARE), "test_accuracy": SHARE, "seconds": floating(0),
     "images_per_second": floating(0), "warnings": listed(text()), "saturations": number(0),
     "underflows": number(0)},
    {"drift": maybe(floating()), "dead_updates": maybe(SHARE), "softmax_saturated": SHARE,
     "gradient_norms": mapping(maybe(floating(0))), "gradient_ratio": maybe(floating(0)),
     "dead_units": maybe(SHARE)})


def require_study(folder: Path, what: str) -> None:
    """Raise RunError for a folder of another command, or a study of something else."""
    other = kind_of(folder)
    if (folder / "config.json").exists() or other not in ("", "a study"):
        raise RunError(f"{folder} holds {other or 'a run'}, no study; choose another --out")
    path = folder / "study.json"
    if path.exists():
        try:
            read_json(path, table({"what": text(what)}, {"kind": text(STUDY)}, open_ended=True))
        except BadFile as error:
            raise RunError(f"{error}; choose another --out") from None


def kind_of(folder: Path) -> str:
    """Return what a folder without a run's config.json holds, in words, "" for nothing known."""
    for name in ("manifest.json", "study.json"):
        try:
            found = read_json(folder / name, lambda value, where: None)
        except (OSError, BadFile):
            continue
        kind = str(found.get("kind", "")) if isinstance(found, dict) else ""
        known = (("lnsarith integer", "a network of integers"), ("lnsarith rtl", "Verilog"),
                 ("lnsarith binary", "an exported binary network"), ("lnsarith study", "a study"),
                 ("lnsarith imported", "an imported network"))
        return next((what for start, what in known if kind.startswith(start)),
                    "Verilog" if name == "manifest.json" else "a study")
    if (folder / "training.npz").exists():  # of nets.graph.training.state
        return "a training that lnsarith train --from RUN --resume goes on with"
    return ""
