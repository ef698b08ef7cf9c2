"""A graph between two epochs of its training, in a file: words, velocities, and what the random
words of updates are counted by."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnsarith.host.files.schema import check, listed, mapping, number, table
from nets.graph.training.fitting import Fitting
from nets.network.model import RunError, read_arrays, write_arrays

__all__ = ["STATE", "read_state", "restore", "write_state"]

KIND = "lnsarith graph in training 1"
STATE = "training.npz"
PLAIN = mapping(lambda value, where: None)
META = table({"salted": listed(number(0)), "about": table({"asked": PLAIN, "result": PLAIN})},
             open_ended=True)


def write_state(folder: Path, fitting: Fitting, about: dict) -> None:
    """Write what goes on from here into a folder, which is made; about is what was
    asked for and the result so far, plain data."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = fitting.tensors()
    write_arrays(folder / STATE, {name: ar.words(t) for name, (ar, t) in tensors.items()},
                 {"kind": KIND, "epoch": fitting.epoch, "step": fitting.step, "about": about,
                  "salted": [ar.salted for ar in _arithmetics(fitting)]})


def read_state(folder: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return the words of a folder's state by name, and its plain data: epoch, step, about."""
    return read_arrays(folder / STATE, KIND, lambda arrays, meta: (arrays, check(meta, META)))


def restore(fitting: Fitting, arrays: dict[str, np.ndarray], meta: dict) -> None:
    """Have a training go on from a state; RunError for that of another network."""
    tensors, counted = fitting.tensors(), _arithmetics(fitting)
    shapes = {name: ar.words(t).shape for name, (ar, t) in tensors.items()}
    if shapes != {name: v.shape for name, v in arrays.items()} or (
            len(counted) != len(meta["salted"])):
        raise RunError(f"{STATE} is not of this network in these words; choose another --out")
    for name, (ar, t) in tensors.items():
        low, high = getattr(ar.formats[t.role], "words", (-np.inf, np.inf))
        if not (low <= arrays[name].min(initial=0) <= arrays[name].max(initial=0) <= high):
            raise RunError(f"{STATE} is damaged: words of {name} must be {low}..{high}")
        ar.set_words(t, arrays[name])
    for ar, count in zip(counted, meta["salted"]):
        ar.salted = count
    fitting.epoch, fitting.step = meta["epoch"], meta["step"]
    fitting.changed()


def _arithmetics(fitting: Fitting) -> list:
    """Return each arithmetic once, in the order of what it changes."""
    return list({id(ar): ar for ar, _ in fitting.tensors().values()}.values())
