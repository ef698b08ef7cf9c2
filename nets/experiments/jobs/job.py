"""One run of an experiment: what identifies it, and its training in memory."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nets.data.sets import Dataset, load
from nets.experiments.jobs.sources import digest
from nets.network.model import model_bytes
from nets.settings.settings import Settings
from nets.train.trainer import Trainer

__all__ = ["Job", "data_digest", "job_for", "settings_of", "trained"]


@dataclass(frozen=True)
class Job:
    """A run to do: all settings as plain values, and digests of data and sources.

    transfer is the digest of the model that training starts from, "" without one.
    """

    config: dict[str, Any]
    data: str
    sources: str
    transfer: str = ""

    @property
    def key(self) -> str:
        """What the run is known by: a digest of all that decides its result."""
        text = json.dumps([self.config, self.data, self.sources, self.transfer], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    @property
    def named(self) -> str:
        """The few settings that tell it from others, for a line of progress."""
        c = self.config
        parts = [c["dataset"], c["arith"]]
        if c["arith"].startswith("lns"):
            parts += [c["delta"], f"g{c['guard']}" if c["guard"] else "", c["update"]]
        return " ".join(filter(None, [*parts, f"s{c['seed']}"]))


def job_for(settings: Settings, data_dir=None) -> Job:
    """Return the job of settings; DataError where the data set is missing."""
    transfer = ""
    if settings.transfer:
        from nets.train.run import Run

        transfer = Run.open(Path(settings.transfer)).model_sha256
    return Job(settings.resolved(), data_digest(settings.dataset, data_dir), digest(), transfer)


def settings_of(config: dict[str, Any]) -> Settings:
    """Return the settings of a job's configuration; ValueError for what cannot be."""
    return Settings(**{**config, "hidden": tuple(config["hidden"])})


@lru_cache(maxsize=8)
def data_digest(name: str, data_dir=None) -> str:
    """Return a digest of a data set's images and labels, training and test, 16 hex digits."""
    found = _loaded(name, data_dir)
    sha = hashlib.sha256()
    for array in (found.train_images, found.train_labels, found.test_images, found.test_labels):
        sha.update(str(array.shape).encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()[:16]


@lru_cache(maxsize=3)
def _loaded(name: str, data_dir=None) -> Dataset:
    return load(name, data_dir, progress=False)


def trained(job: Job, data_dir=None, report=None) -> dict:
    """Train a job to its end, on one thread, and return what a store keeps of it.

    That is `records` (of each column of `nets.train.trainer.Record` the values by epoch),
    `model_sha256`, `seconds` of the whole run and `train_seconds`, those of training alone. A
    loss that is not finite, or a different data set or program than the job's, raises
    ValueError. report(epoch, accuracy) hears of each epoch.
    """
    start = time.perf_counter()
    settings = settings_of(job.config)
    if digest() != job.sources:
        raise ValueError(f"this process has sources {digest()}, the sweep began with "
                         f"{job.sources}: the two are different versions of the program")
    if data_digest(settings.dataset, data_dir) != job.data:
        raise ValueError(f"the images of {settings.dataset} found here are not those that the "
                         "sweep began with")
    trainer = Trainer(settings, _loaded(settings.dataset, data_dir), threads=1)
    if settings.transfer:
        from nets.train.transfer import transfer

        transfer(trainer, Path(settings.transfer))
    records: list[dict] = []
    while trainer.epoch < settings.epochs:
        records.append(trainer.train_epoch().as_dict())
        if records[-1]["loss"] is None:
            raise ValueError(f"epoch {trainer.epoch}: {'; '.join(records[-1]['warnings'])}")
        if report:
            report(trainer.epoch, records[-1]["test_accuracy"])
    columns = {name: [record[name] for record in records] for name in records[0]}
    sha = hashlib.sha256(model_bytes(trainer.network, trainer.epoch)).hexdigest()
    return {"records": columns, "model_sha256": sha, "train_seconds": sum(columns["seconds"]),
            "seconds": time.perf_counter() - start}
