"""A run on disk: config.json, log.jsonl, model.npz, and curves.png for the eye.

Files are written under another name, flushed and renamed, the log before the
model. So whatever stops a run, its model is whole, and what the log has beyond
the model's epochs is dropped when the run goes on. The bytes of a model depend on
the settings and the data alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from nets.data import Dataset
from nets.model import RunError, read_model, restore, write_atomic, write_model
from nets.network import Network
from nets.schedule import FALLING
from nets.settings import Settings
from nets.suited import in_full

__all__ = [
    "Run",
    "RunError",
    "facts",
    "holds_something",
    "read_log",
]

R = TypeVar("R", bound="Run")


class Run:
    """A run folder: its settings, the facts of its data set, a record an epoch.

    A subclass for another model names the class of its settings, which have `hidden`.
    """

    settings_class: ClassVar[Any] = Settings

    def __init__(self, folder: Path, settings: Settings, data: dict):
        self.folder = folder
        self.settings = settings
        self.data = data
        self.records: list[dict] = []
        self._lock: int | None = None

    @classmethod
    def create(cls, folder: Path, settings: Settings, data: dict) -> Run:
        """Return a new run in a folder that is new or empty."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if holds_something(folder):
                raise RunError(
                    f"{folder} is not empty; add --resume to go on with a run in it, "
                    "or choose another --out"
                )
        except OSError as error:
            raise RunError(
                f"cannot make {folder}: {error.strerror}; choose another --out"
            ) from error
        run = cls(folder, settings, data)
        run.lock()
        run._write_config()
        return run

    @classmethod
    def open(cls: type[R], folder: Path) -> R:
        """Return the run that a folder holds; RunError if it holds none."""
        path = folder / "config.json"
        if not path.is_file():
            raise RunError(f"{folder} holds no run: there is no config.json in it")
        try:
            config = json.loads(path.read_text("utf-8"))
            data, _ = dict(config.pop("data")), config.pop("versions")
            settings = cls.settings_class(**{**config, "hidden": tuple(config["hidden"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(
                f"{path} is damaged, or not what this program wrote ({error})"
            ) from error
        run = cls(folder, settings, data)
        run.records = read_log(folder / "log.jsonl")
        return run

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
        model = read_model(self.model_path)
        restore(network, model, self.model_path)
        self.records = self.records[: model.epoch]
        return model.epoch

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
        config = {**self.settings.resolved(), "data": self.data, "versions": versions}
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


def holds_something(folder: Path) -> bool:
    """Whether a folder holds more than what a killed process left half written."""
    return any(not path.name.endswith(".part") for path in folder.iterdir())


def read_log(path: Path) -> list[dict]:
    """Return the records of a log; RunError if it is not what this program wrote."""
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise RunError(f"{path} is not what this program wrote: {error}") from error


def _shown(value) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
