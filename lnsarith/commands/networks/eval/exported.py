"""lnsarith eval and predict of an exported network: a binary one by its bits, or one in
integers that `quantize` wrote."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

from lnsarith.commands.common.which import binary_folder, integer_folder
from lnsarith.commands.networks.eval.answer import images_for, tell

__all__ = ["is_export", "open_export", "run_export"]


def is_export(folder: str) -> bool:
    """Whether a folder holds an exported network."""
    return binary_folder(folder) or integer_folder(folder)


def run_export(args: Namespace) -> int:
    """Print the accuracy of the network in args.run_folder."""
    from nets.network.evaluation import flat

    folder, network, manifest, _ = _opened(args)
    dataset = images_for(args, folder, manifest["dataset"], manifest)
    head = {"run": str(folder), "dataset": dataset.name, "epoch": manifest["epoch"]}
    sha = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    tell(args, head, dataset, network.predict(flat(dataset.test_images)), None, sha)
    return 0


def open_export(args: Namespace):
    """Return the folder, its data set and the data's facts, and what gives logits.

    The scores, which are integers, are scaled as the logits that they stand for.
    """
    folder, network, manifest, scale = _opened(args)
    return folder, manifest["dataset"], manifest, lambda pixels: scale * network.scores(pixels)


def _opened(args: Namespace):
    """Return the folder, the network in it, its manifest, and the scale of its scores."""
    from lnsarith.host.files.schema import floating
    from nets.network.memh import require_about

    folder = Path(args.run_folder)
    folder = folder.parent if folder.name in ("model.npz", "manifest.json") else folder
    if binary_folder(str(folder)):
        from nets.binary.folder import read_export

        packed, manifest = read_export(folder)
        require_about(folder, manifest, {"logit_scale": floating()})
        return folder, packed, manifest, manifest["logit_scale"]
    from nets.quantize.folder import read_integers

    network, manifest = read_integers(folder)
    require_about(folder, manifest, {})
    return folder, network, manifest, network.scale
