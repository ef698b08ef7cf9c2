"""A run on disk: config.json, log.jsonl, model.npz, and curves.png for the eye.

Files are written under another name, flushed and renamed, the log before the
model. So whatever stops a run, its model is whole, and what the log has beyond
the model's epochs is dropped when the run goes on. The bytes of a model depend on
the settings and the data alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import numpy as np

from lnsarith.host.files.reading import parse_json, read_text
from lnsarith.host.files.schema import check
from lnsarith.host.files.whole import clear_away, new_folder
from lnsarith.plugins.load import PluginError, demand, kept
from nets.data.sets import Dataset
from nets.network.model import RunError, most_bytes, read_model, restore, write_atomic, write_model
from nets.network.network import Network
from nets.settings.schedule import FALLING
from nets.settings.settings import Settings
from nets.settings.suited import in_full
from nets.train.folder import read_log, require_empty
from nets.train.forms import CONFIG, PRUNED, RUN, WHAT, kind_of

__all__ = [
    "Run",
    "RunError",
    "facts",
]

R = TypeVar("R", bound="Run")
ROOM = 1 << 20  # weights that a network may have before its file is read


class Run:
    """A run folder: its settings, the facts of its data set, a record an epoch.

    kind is that of the folder: see nets.train.forms.
    """

    kind: str = RUN

    def __init__(self, folder: Path, settings: Settings, data: dict):
        self.folder = folder
        self.settings = settings
        self.data = data
        self.records: list[dict] = []
        self.named = True  # its kind: folders of earlier versions have none
        self.lost = 0  # epochs of the model that the log lacks
        self.pruning: dict | None = None  # how and from what a pruned run was made
        self.plugins = kept(settings.resolved())  # what it is trained with
        self._lock: int | None = None

    @classmethod
    def create(cls, folder: Path, settings: Settings, data: dict, kind: str = "") -> Run:
        """Return a new run in a folder that is new or empty."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            require_empty(folder)
        except OSError as error:
            raise RunError(
                f"cannot make {folder}: {error.strerror}; choose another --out"
            ) from error
        run = cls(folder, settings, data)
        run.kind = kind or cls.kind
        run.lock()
        run._write_config()
        return run

    @classmethod
    def create_pruned(cls, folder: Path, settings: Settings, kept: Run, pruning: dict,
                      records: list[dict], network: Network) -> Run:
        """Return a run that a pruned network of another one begins; its folder appears with
        configuration, log and model at once, or not at all."""
        run = cls(folder, settings, kept.data)
        run.kind, run.pruning = PRUNED, pruning
        try:
            if folder.exists():
                require_empty(folder)
            with new_folder(Path(os.path.abspath(folder))) as run.folder:
                run._write_config()
                run.keep(records, network)
        except OSError as error:
            raise RunError(f"cannot make {folder}: {error.strerror}; choose another --out"
                           ) from error
        run.folder = folder
        run.lock()
        return run

    @classmethod
    def open(cls: type[R], folder: Path) -> R:
        """Return the run that a folder holds; RunError if it holds none."""
        clear_away(folder)
        path = folder / "config.json"
        if not path.exists():
            other = kind_of(folder)
            raise RunError(f"{folder} holds {other}, no run: there is no config.json in it"
                           if other else f"{folder} holds no run: there is no config.json in it")
        try:
            config = parse_json(read_text(path))
            if isinstance(config, dict) and config.get("model") == "bnn":
                raise RunError(f"{folder} holds a binary network of an earlier version: train it "
                               "anew")
            check(config, CONFIG)
            data, _ = config.pop("data"), config.pop("versions")
            kind, pruning = config.pop("kind", ""), config.pop("pruning", None)
            plugins = config.pop("plugins", [])
            demand(plugins, str(folder))
            settings = Settings(**{**config, "hidden": tuple(config["hidden"])})
        except RunError:
            raise
        except PluginError as error:
            raise RunError(str(error)) from error
        except ValueError as error:
            raise RunError(
                f"{path} is damaged, or not what this program wrote ({error})"
            ) from error
        run = cls(folder, settings, data)
        run.kind, run.pruning, run.named = kind or cls.kind, pruning, bool(kind)
        run.plugins = plugins
        run.records = read_log(folder / "log.jsonl")
        run._demand_whole()
        return run

    def demand_kind(self, kind: str) -> None:
        """Raise RunError unless the command that goes on with runs of this kind made it."""
        if self.kind != kind and (self.named or kind == PRUNED):
            what, command = WHAT[self.kind]
            raise RunError(f"{self.folder} holds {what}, which {command} goes on with, not "
                           f"{WHAT[kind][0]}; give --out another folder")

    def _demand_whole(self) -> None:
        """Raise RunError for a log without its model, and sizes that the model cannot have."""
        if not self.model_path.exists():
            # Without a kind it may be what an earlier version's prune left half written.
            half = not self.named and self.kind == RUN and len(self.records) > 1
            if half or self.kind == PRUNED:
                raise RunError(f"{self.folder} has a log of {len(self.records)} epochs and no "
                               "model.npz; put a copy of it back, or train anew")
            return
        widths = (math.prod(self.data["shape"]), *self.settings.hidden, self.data["classes"])
        weights = sum(a * b for a, b in zip(widths, widths[1:]))
        size = self.model_path.stat().st_size
        if self.settings.model == "mlp" and weights > max(size, ROOM):
            raise RunError(f"{self.model_path} does not fit config.json: {weights:,} weights are "
                           f"not in {size:,} bytes")

    def go_on(self, given: dict, data: dict) -> None:
        """Prepare for more epochs; RunError if given settings or data differ.

        More epochs than before are fine, unless the learning rate falls over all of them.
        """
        grows = self.settings.schedule not in FALLING
        for name, value in in_full(given).items():
            own = getattr(self.settings, name)
            if value == own or (name == "epochs" and value > own and grows):
                continue
            if name == "epochs" and not grows:
                raise RunError(
                    f"{self.folder} has schedule = {self.settings.schedule} over {own} epochs, "
                    f"got epochs = {value}; leave epochs out, or start another run"
                )
            cure = "start another run with another --out"
            raise RunError(
                f"{self.folder} has {name} = {_shown(own)}, got {_shown(value)}; only "
                f"epochs may change, and grow: leave {name} out, or {cure}"
            )
        if data != self.data:
            raise RunError(
                f"{self.folder} began with other images of {self.settings.dataset} "
                "than those found now; give the same --data-dir, or start another run"
            )
        self.lock()
        if given.get("epochs", self.settings.epochs) != self.settings.epochs:
            self.settings = replace(self.settings, epochs=given["epochs"])
            self._write_config()

    @property
    def model_path(self) -> Path:
        return self.folder / "model.npz"

    @property
    def model_sha256(self) -> str:
        return hashlib.sha256(self.model_path.read_bytes()).hexdigest()

    def load(self, network: Network) -> int:
        """Give a network the saved words and return its epochs, 0 without a model."""
        if not self.model_path.exists():
            self.records = []
            return 0
        model = read_model(self.model_path, most_bytes(network))
        restore(network, model, self.model_path)
        return self.up_to(model.epoch)

    def up_to(self, epoch: int) -> int:
        """Return the model's epoch, and drop the records beyond it; RunError if the settings
        have fewer epochs."""
        if epoch > self.settings.epochs:
            raise RunError(f"{self.model_path} does not fit config.json: it has {epoch} epochs, "
                           f"the settings {self.settings.epochs}")
        self.records = [record for record in self.records if record["epoch"] <= epoch]
        self.lost = epoch - len(self.records)
        return epoch

    def short_log(self) -> str:
        """Return what to tell of epochs that the log has lost, "" if it has them all."""
        if not self.lost:
            return ""
        return (f"{self.folder / 'log.jsonl'} lacks {self.lost} of the model's "
                f"{len(self.records) + self.lost} epochs")

    def demand_last(self) -> None:
        """Raise RunError if the log lacks the model's last epoch, whose numbers are told."""
        if self.lost and (not self.records or
                          self.records[-1]["epoch"] < len(self.records) + self.lost):
            raise RunError(f"{self.short_log()}, the last one among them; put a copy of it back, "
                           "or train anew")

    def save(self, record: dict, network: Network) -> None:
        """Write the log with one epoch more, then the model."""
        self.keep([*self.records, record], network)

    def keep(self, records: list[dict], network: Network) -> None:
        """Write a log, then the model after its last epoch."""
        lines = "".join(json.dumps(r, allow_nan=False) + "\n" for r in records)
        write_atomic(self.folder / "log.jsonl", lines.encode())
        write_model(self.model_path, network, records[-1]["epoch"])
        self.records = records

    def lock(self) -> None:
        """Keep other processes from training here as long as this one lives."""
        with suppress(ImportError):
            import fcntl

            self._lock = os.open(self.folder, os.O_RDONLY)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(f"another process is training in {self.folder}; wait for its "
                               "end, or choose another --out") from None

    def unlock(self) -> None:
        """Let other processes train here."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _write_config(self) -> None:
        names = ("lnsarith", "numpy", "numba", "llvmlite")
        versions = {name: _version(name) for name in names}
        config = {"kind": self.kind, **self.settings.resolved(), "data": self.data,
                  "versions": versions, **({"pruning": self.pruning} if self.pruning else {}),
                  **({"plugins": self.plugins} if self.plugins else {})}
        text = json.dumps(config, indent=2) + "\n"
        write_atomic(self.folder / "config.json", text.encode())


def facts(dataset: Dataset) -> dict:
    """Return what makes a data set the same to a run, as plain data."""
    sha = hashlib.sha256()
    for array in (dataset.train_images, dataset.train_labels):
        sha.update(np.ascontiguousarray(array).data)
    return {
        "shape": list(dataset.train_images.shape[1:]),
        "classes": dataset.classes,
        "train_images": len(dataset.train_images),
        "train_sha256": sha.hexdigest(),
    }


def _shown(value) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
