"""The run that a command line names, opened: its folder, its network with its words."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np

from lnsarith.commands.common.options import thread_count
from lnsarith.commands.common.which import binary_folder, integer_folder
from lnsarith.commands.networks.train.epochs import tell_lost

__all__ = ["open_model", "open_run"]


def open_run(args: Namespace):
    """Return the run in args.run_folder; RunError if it has no model of words."""
    from nets.train.run import Run, RunError

    folder = Path(args.run_folder)
    folder = folder.parent if folder.name == "model.npz" else folder
    if binary_folder(args.run_folder):
        raise RunError(f"{folder} holds a network of bits; give the run it was made from")
    if integer_folder(args.run_folder):
        raise RunError(f"{folder} holds a network of integers; give the run it was made from")
    kept = Run.open(folder)
    if not kept.model_path.exists():
        raise RunError(f"{folder} has no model yet: no epoch of it was finished")
    return kept


def open_model(args: Namespace):
    """Return the run in args.run_folder, its network with its words, its epochs."""
    from nets.train.trainer import build

    kept = open_run(args)
    shape, classes = tuple(kept.data["shape"]), kept.data["classes"]
    threads = thread_count(args.threads)
    rng = np.random.default_rng(0)  # the words are replaced
    network = build(kept.settings, shape, classes, rng, threads, args.backend)
    epoch = kept.load(network)
    tell_lost(kept)
    return kept, network, epoch
