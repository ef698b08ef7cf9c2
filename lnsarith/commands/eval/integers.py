"""lnsarith eval and predict of a network in integers that `quantize` wrote."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

from lnsarith.commands.eval.answer import images_for, tell

__all__ = ["open_integers", "run_integers"]


def run_integers(args: Namespace) -> int:
    """Print the accuracy of the network in args.run_folder."""
    from nets.network.evaluation import flat
    from nets.network.memh import require_about
    from nets.quantize.folder import MANIFEST, read_integers

    folder = _folder(args)
    network, manifest = read_integers(folder)
    require_about(folder, manifest, {})
    dataset = images_for(args, folder, manifest["dataset"], manifest)
    head = {"run": str(folder), "dataset": dataset.name, "epoch": manifest["epoch"]}
    sha = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    tell(args, head, dataset, network.predict(flat(dataset.test_images)), None, sha)
    return 0


def open_integers(args: Namespace):
    """Return the folder, its data set and the data's facts, and what gives logits."""
    from nets.network.memh import require_about
    from nets.quantize.folder import read_integers

    folder = _folder(args)
    network, manifest = read_integers(folder)
    require_about(folder, manifest, {})
    return folder, manifest["dataset"], manifest, lambda pixels: (
        network.scale * network.scores(pixels))


def _folder(args: Namespace) -> Path:
    folder = Path(args.run_folder)
    return folder.parent if folder.name == "manifest.json" else folder
