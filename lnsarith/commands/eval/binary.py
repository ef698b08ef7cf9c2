"""lnsarith eval and predict of an exported binary network: by its bits."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

from lnsarith.commands.eval.answer import images_for, tell

__all__ = ["open_binary", "run_binary"]


def run_binary(args: Namespace) -> int:
    """Print the accuracy of the network in args.run_folder."""
    from nets.binary.folder import MANIFEST, read_export
    from nets.network.evaluation import flat
    from nets.network.memh import require_about

    folder = _folder(args)
    network, manifest = read_export(folder)
    require_about(folder, manifest, {})
    dataset = images_for(args, folder, manifest["dataset"], manifest)
    head = {"run": str(folder), "dataset": dataset.name, "epoch": manifest["epoch"]}
    sha = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    tell(args, head, dataset, network.predict(flat(dataset.test_images)), None, sha)
    return 0


def open_binary(args: Namespace):
    """Return the folder, its data set and the data's facts, and what gives logits.

    The bits' scores are scaled as the logits that they stand for.
    """
    from lnsarith.files.schema import floating
    from nets.binary.folder import read_export
    from nets.network.memh import require_about

    folder = _folder(args)
    packed, manifest = read_export(folder)
    require_about(folder, manifest, {"logit_scale": floating()})
    scale = manifest["logit_scale"]
    return folder, manifest["dataset"], manifest, lambda pixels: scale * packed.scores(pixels)


def _folder(args: Namespace) -> Path:
    folder = Path(args.run_folder)
    return folder.parent if folder.name in ("model.npz", "manifest.json") else folder
