"""lnsarith eval and predict of a binary network: a run by floats, an export by bits."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

import numpy as np

from lnsarith.commands.eval import images_for, tell
from lnsarith.commands.training import tell_lost

__all__ = ["open_binary", "run_binary"]


def run_binary(args: Namespace) -> int:
    """Print the accuracy of the network in args.run_folder."""
    from nets.binary.folder import is_export

    folder = _folder(args)
    (_exported if is_export(folder) else _trained)(args, folder)
    return 0


def open_binary(args: Namespace):
    """Return the folder, its data set and the data's facts, and what gives logits.

    The bits' scores are scaled as the logits that they stand for.
    """
    from lnsarith.schema import floating
    from nets.binary.folder import is_export, read_export
    from nets.memh import require_about

    folder = _folder(args)
    if not is_export(folder):
        kept, network, _ = _opened_run(folder)
        return folder, kept.settings.dataset, kept.data, network.logits
    packed, manifest = read_export(folder)
    require_about(folder, manifest, {"logit_scale": floating()})
    scale = manifest["logit_scale"]
    return folder, manifest["dataset"], manifest, lambda pixels: scale * packed.scores(pixels)


def _exported(args: Namespace, folder: Path) -> None:
    from nets.binary.folder import MANIFEST, read_export
    from nets.evaluation import flat
    from nets.memh import require_about

    network, manifest = read_export(folder)
    require_about(folder, manifest, {})
    dataset = images_for(args, folder, manifest["dataset"], manifest)
    head = {"run": str(folder), "dataset": dataset.name, "epoch": manifest["epoch"]}
    sha = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    tell(args, head, dataset, network.predict(flat(dataset.test_images)), None, sha)


def _trained(args: Namespace, folder: Path) -> None:
    from nets.binary.losses import LOSSES
    from nets.evaluation import flat

    kept, network, epoch = _opened_run(folder)
    dataset = images_for(args, folder, kept.settings.dataset, kept.data)
    logits = network.logits(flat(dataset.test_images))
    loss, _ = LOSSES[kept.settings.loss](logits, dataset.test_labels)
    head = {"run": str(folder), "dataset": dataset.name, "epoch": epoch}
    tell(args, head, dataset, logits.argmax(axis=1), loss, kept.model_sha256)


def _opened_run(folder: Path):
    """Return the run, its network as it was saved, and its epochs."""
    from nets.binary.network import BinaryNetwork
    from nets.binary.run import BinaryRun
    from nets.model import RunError

    kept = BinaryRun.open(folder)
    if not kept.model_path.exists():
        raise RunError(f"{folder} has no model yet: no epoch of it was finished")
    pixels, classes = int(np.prod(kept.data["shape"])), kept.data["classes"]
    network = BinaryNetwork(kept.settings, pixels, classes, np.random.default_rng(0))
    epoch = kept.load(network)
    tell_lost(kept)
    return kept, network, epoch


def _folder(args: Namespace) -> Path:
    folder = Path(args.run_folder)
    return folder.parent if folder.name in ("model.npz", "manifest.json") else folder
