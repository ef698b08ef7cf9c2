"""lnsarith train --from RUN --resume: what was asked for, and going on where it ended."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

import numpy as np

from lnsarith.commands.networks.train.epochs import counted, say

__all__ = ["asked_for", "begun"]

NAMES = {"network": "from another network", "data": "on other data", "calibrate":
         "with another --calibrate", "formats": "with other --formats"}


def asked_for(args: Namespace, kept, settings, parts) -> dict:
    """Return, as plain data, all that decides what a training gives."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(np.ascontiguousarray(part).data)
    network = hashlib.sha256((kept.folder / "model.npz").read_bytes()).hexdigest()
    return {"network": network, "data": sha.hexdigest(), "calibrate": args.calibrate,
            "formats": Path(args.formats).read_text() if args.formats else None,
            "settings": settings.resolved()}


def begun(resume: bool, folder: Path, fitting, asked: dict) -> dict | None:
    """Return the result so far of a training that a folder holds, and have fitting go on from
    there; None for a new one.

    RunError for a folder that holds something else, or began otherwise.
    """
    from lnsarith.host.files.whole import clear_away
    from nets.graph.folder import MANIFEST, read_graph
    from nets.graph.training.state import STATE, read_state, restore
    from nets.network.model import RunError

    clear_away(folder.parent)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        if resume:
            say(f"there is no training in {folder} yet: starting one")
        return None
    here = folder / STATE
    if not resume:
        raise RunError(f"{folder} is not empty; " + (
            "add --resume to go on with what is in it, or choose another --out" if here.exists()
            else "choose another --out"))
    clear_away(folder)
    if here.exists():
        arrays, meta = read_state(folder)
        about = meta["about"]
        _require_same(folder, about["asked"], asked)
        restore(fitting, arrays, meta)
        say(f"going on with {folder} after {counted(fitting.epoch, 'epoch')}")
        return about["result"]
    manifest = read_graph(folder)[1] if (folder / MANIFEST).exists() else {}
    if not {"tuned", "asked"} <= manifest.keys():
        raise RunError(f"{folder} holds no training from another network; choose another --out")
    _require_same(folder, manifest["asked"], asked)
    return manifest["tuned"]


def _require_same(folder: Path, was: dict, asked: dict) -> None:
    """Raise RunError, naming the first difference, for a training that began otherwise."""
    from nets.network.model import RunError

    for key, text in NAMES.items():
        if was.get(key) != asked[key]:
            raise RunError(f"{folder} was begun {text}; choose another --out")
    for name, value in asked["settings"].items():
        if was["settings"].get(name) != value:
            raise RunError(f"{folder} was begun with {name} = {was['settings'].get(name)}, got "
                           f"{value}; give the same, or choose another --out")
