"""lnsarith eval of a binary network: a run by its floats, an export by its bits."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

import numpy as np

from lnsarith.commands.eval import images_for, tell

__all__ = ["run_binary"]


def run_binary(args: Namespace) -> int:
    """Print the accuracy of the network in args.run_folder."""
    from nets.binary.folder import is_export

    folder = Path(args.run_folder)
    folder = folder.parent if folder.name in ("model.npz", "manifest.json") else folder
    return (_exported if is_export(folder) else _trained)(args, folder)


def _exported(args: Namespace, folder: Path) -> int:
    from nets.binary.folder import MANIFEST, read_export
    from nets.binary.train import flat

    network, manifest = read_export(folder)
    dataset = images_for(args, folder, manifest["dataset"], manifest)
    head = {"run": str(folder), "dataset": dataset.name, "epoch": manifest["epoch"]}
    sha = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    tell(args, head, dataset, network.predict(flat(dataset.test_images)), None, sha)
    return 0


def _trained(args: Namespace, folder: Path) -> int:
    from nets.binary.losses import LOSSES
    from nets.binary.network import BinaryNetwork
    from nets.binary.run import BinaryRun, RunError
    from nets.binary.train import flat

    kept = BinaryRun.open(folder)
    if not kept.model_path.exists():
        raise RunError(f"{folder} has no model yet: no epoch of it was finished")
    pixels, classes = int(np.prod(kept.data["shape"])), kept.data["classes"]
    network = BinaryNetwork(kept.settings, pixels, classes, np.random.default_rng(0))
    epoch = kept.load(network)
    dataset = images_for(args, folder, kept.settings.dataset, kept.data)
    logits = network.logits(flat(dataset.test_images))
    loss, _ = LOSSES[kept.settings.loss](logits, dataset.test_labels)
    head = {"run": str(folder), "dataset": dataset.name, "epoch": epoch}
    tell(args, head, dataset, logits.argmax(axis=1), loss, kept.model_sha256)
    return 0
