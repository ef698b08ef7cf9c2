"""A network of any kind, opened for the scores of single inputs."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

from lnsarith.commands.common.which import imported_folder
from lnsarith.commands.networks.eval.exported import is_export, open_export
from lnsarith.commands.networks.eval.imported import wants_words
from lnsarith.commands.networks.eval.model import open_model

__all__ = ["opened"]


def opened(args: Namespace):
    """Return the folder, its data set and the data's facts, and what gives the logits
    of one row of pixels."""
    if is_export(args.run_folder):
        return open_export(args)
    if imported_folder(args.run_folder) or wants_words(args):
        from lnsarith.commands.networks.eval.imported import open_imported

        return open_imported(args)
    kept, network, _ = open_model(args)
    program = network.program(1, False)

    def logits(pixels: np.ndarray) -> np.ndarray:
        program.run(pixels, np.zeros(1, np.int64))
        return network.ar.reals(program.logits)

    return kept.folder, kept.settings.dataset, kept.data, logits
