"""What `import lnsarith` offers beside arrays: operators, their bench, training, runs."""

from __future__ import annotations

import hashlib
import math
import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fxp.run.execute import BACKENDS
from lnsarith.catalogue.bench.report import Report
from lnsarith.catalogue.bench.report import check as check_operator
from lnsarith.catalogue.operator import FAMILIES, Operator
from lnsarith.catalogue.operators import OPERATORS, find, operator_for
from lnsarith.plugins.load import Plugin, load_installed, load_plugin

if TYPE_CHECKING:
    from lnsarith.commands.networks.onnx.python import ImportedRun
    from nets.data.sets import Dataset
    from nets.network.evaluation import Evaluation

__all__ = ["Plugin", "Run", "check", "find", "from_sklearn", "load", "load_plugin", "operators",
           "train"]


def operators(family: str | None = None) -> tuple[Operator, ...]:
    """Return every operator, or those of the family fixed or lns."""
    if family not in (None, *FAMILIES):
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {family!r}")
    return tuple(row for row in OPERATORS.values() if family in (None, row.family))


def check(operator: str, f=None, *, samples: int | None = None, exhaustive: bool = False,
          seed: int = 0, **options) -> Report:
    """Return how an operator (add, lns-add, ...) errs against real arithmetic.

    f is a format or its name, by default one that suits the operator; options are the
    operator's, such as delta="lut:r=1/4". See `lnsarith.catalogue.bench.report.check`.
    """
    row, form = operator_for(operator, f)
    return check_operator(row, form, options, samples, exhaustive, seed)


class Run:
    """A trained network in its folder.

    shape and classes are those of the images and labels; dataset is the name of the data
    set, "own" of arrays.
    """

    def __init__(self, folder: Path, dataset: str, data: dict, settings: dict | None,
                 log: list[dict] | None, judge: Callable[[np.ndarray, np.ndarray], Evaluation]):
        self.folder, self.dataset, self._settings, self._log = folder, dataset, settings, log
        self.shape, self.classes = tuple(data["shape"]), int(data["classes"])
        self._judge = judge

    def __repr__(self) -> str:
        return f"lnsarith.load({str(self.folder)!r})"

    @property
    def settings(self) -> dict:
        """Those of the command by name; ValueError for an export, which has none."""
        return self._of_training(self._settings, "settings")

    @property
    def log(self) -> list[dict]:
        """A record for each epoch; ValueError for an export, which has none."""
        return self._of_training(self._log, "log")

    def _of_training(self, found, name: str):
        if found is None:
            raise ValueError(f"{self.folder} is an export, which has no {name}; load the run "
                             "that it was made from")
        return found

    @property
    def model_sha256(self) -> str:
        """The sha256 of the model's file, or of the manifest where texts are the model."""
        model = self.folder / "model.npz"
        path = model if model.exists() else self.folder / "manifest.json"
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def predict(self, images) -> np.ndarray:
        """Return the class of each image: uint8, a number of images of `shape`."""
        pixels = self._pixels(images)
        if not len(pixels):
            return np.zeros(0, np.int64)
        return self._judge(pixels, np.zeros(len(pixels), np.int64)).predicted

    def evaluate(self, images=None, labels=None, *, dataset: str | None = None,
                 data_dir=None) -> Evaluation:
        """Return how the network does on images and labels, or without them on the test
        images of a data set, by default that of the run: accuracy, correct, loss (None
        where there is none) and predicted."""
        from nets.data.own import OWN

        if images is None:
            if (dataset or self.dataset) == OWN:
                raise ValueError(f"{self.folder} was trained on arrays; give evaluate images "
                                 "and labels, or the name of a data set")
            found = _dataset(dataset or self.dataset, data_dir)
            images, labels = found.test_images, found.test_labels
        elif labels is None or dataset:
            raise TypeError("evaluate takes images and labels, or dataset=, the name of a data "
                            "set")
        pixels, truth = self._pixels(images), np.asarray(labels)
        if not len(pixels):
            raise ValueError("there is nothing to evaluate on no images")
        if truth.shape != (len(pixels),) or truth.dtype.kind not in "iu":
            raise ValueError(f"{len(pixels)} images need {len(pixels)} integers as labels, got "
                             f"{truth.dtype} of shape {truth.shape}")
        if not 0 <= truth.min() <= truth.max() < self.classes:
            raise ValueError(f"labels must be 0..{self.classes - 1}, got {truth.min()}.."
                             f"{truth.max()}")
        return self._judge(pixels, truth.astype(np.int64))

    def _pixels(self, images) -> np.ndarray:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.shape[1:] != self.shape:
            wanted, found = (" x ".join(map(str, s)) for s in (("n", *self.shape), images.shape))
            raise ValueError(f"the network takes images of {wanted} (uint8), got {found} "
                             f"({images.dtype})")
        return np.ascontiguousarray(images).reshape(len(images), math.prod(self.shape))


def from_sklearn(model, out=None, name: str = "mlp") -> ImportedRun:
    """Return a fitted MLPClassifier of scikit-learn as an imported network, written into the
    folder `out`, by default runs/NAME: it runs in float32 and in words of any arithmetic.

    Its features are the model's own; class i is model.classes_[i]. Raises TypeError for another
    model, ValueError for one that is not fitted, or a folder that is not empty.
    """
    from lnsarith.commands.networks.onnx import python

    return python.from_sklearn(model, out or _free_folder(name), name)


def load(folder, *, threads: int | None = None, backend: str = "vector") -> Run | ImportedRun:
    """Return the run in a folder of lnsarith train, prune, quantize or import, or an export.

    An export has no settings and no log, and runs in one way, whatever the threads and the
    backend. Raises ValueError (`nets.train.run.RunError`) for a folder that holds none, or
    damaged files.
    """
    from lnsarith.commands.common.which import imported_folder
    from lnsarith.commands.networks.eval.exported import is_export, open_export

    if backend not in BACKENDS:
        raise ValueError(f"backend must be {' or '.join(BACKENDS)}, got {backend!r}")
    path = Path(os.fspath(folder))
    path = path.parent if path.name in ("model.npz", "manifest.json") else path
    if imported_folder(str(path)):
        from lnsarith.commands.networks.onnx.python import ImportedRun

        return ImportedRun(path)
    if is_export(str(path)):
        return _of_logits(path, *open_export(Namespace(run_folder=str(path)))[1:])
    from lnsarith.commands.networks.eval.model import open_model

    kept, network, _ = open_model(Namespace(
        run_folder=str(path), threads=_text(threads), backend=backend))
    return _of_network(kept, network)


def train(*, dataset="mnist", out=None, resume: bool = False, data_dir=None,
          threads: int | None = None, backend: str = "vector",
          on_epoch: Callable[[dict], Any] | None = None, **settings) -> Run:
    """Train a network and return its run, the model's bytes being those of the command.

    settings are those of `lnsarith train` by name: arith="lns12", hidden=(64, 32), lr=0.01,
    ... dataset is a data set's name, or arrays: (images, labels, test images, test labels),
    images as uint8 n x h x w or n x h x w x 3; without the last two, of each class every fifth
    image is a test image. Without recipe= and other choices of arithmetic the recipe is best where
    the format has one, see `lnsarith recipes`. The run is written into the folder `out`, by default
    runs/DATASET-..., and with resume gone on with. on_epoch gets the record of each
    epoch after it is written. Nothing is printed. Raises TypeError for a name that is no
    setting, else ValueError, or DataError, where the command would complain.
    """
    from lnsarith.commands.common.options import settings_by_name, thread_count
    from lnsarith.commands.networks.train.export_binary import export
    from nets.data.own import OWN
    from nets.settings.suited import default_name, settings_for, with_recipe
    from nets.train.run import Run as Folder
    from nets.train.run import facts
    from nets.train.trainer import Trainer

    if resume and not out:
        raise TypeError("resume goes on with the run in a folder: give out= as well")
    given = settings_by_name(settings)
    data = _dataset(dataset, data_dir)
    if data.name == OWN:
        given.setdefault("val", len(data.train_labels) // 6)
    given["dataset"] = data.name
    chosen = with_recipe(given)
    folder = Path(out) if out else _free_folder(default_name(settings_for(chosen)))
    kept = Folder.open(folder) if resume and (folder / "config.json").exists() else None
    if kept:
        kept.go_on(given, facts(data))
    trainer = Trainer(kept.settings if kept else settings_for(chosen), data,
                      thread_count(_text(threads)), backend)
    if kept:
        trainer.epoch = kept.load(trainer.network)
    if not trainer.epoch and trainer.settings.transfer:
        from nets.train.transfer import transfer

        transfer(trainer, Path(trainer.settings.transfer))
    kept = kept or Folder.create(folder, trainer.settings, facts(data))
    try:
        _train_epochs(trainer, kept, on_epoch)
        if kept.settings.binary:
            export(kept, trainer)
    finally:
        kept.unlock()
    return _of_network(kept, trainer.network)


def _train_epochs(trainer, kept, on_epoch: Callable[[dict], Any] | None) -> None:
    from nets.network.model import NotFinite

    while trainer.epoch < kept.settings.epochs:
        record = trainer.train_epoch()
        if record.loss is None:
            raise NotFinite(f"epoch {record.epoch}: {'; '.join(record.warnings)}")
        kept.save(record.as_dict(), trainer.network)
        if on_epoch:
            on_epoch(kept.records[-1])


def _dataset(given, data_dir) -> Dataset:
    """Return a data set by its name, or of arrays."""
    from nets.data import sets as data
    from nets.data.own import of_arrays

    if isinstance(given, str):
        return data.load(given, data_dir, progress=False)
    return of_arrays(given)


def _free_folder(name: str) -> Path:
    """Return runs/name, or the first of runs/name-2, ... that is not there."""
    folder, n = Path("runs") / name, 1
    while folder.exists():
        n += 1
        folder = folder.with_name(f"{name}-{n}")
    return folder


def _of_network(kept, network) -> Run:
    from nets.network.evaluation import evaluate

    return Run(kept.folder, kept.settings.dataset, kept.data, kept.settings.resolved(),
               kept.records, lambda images, labels: evaluate(network, images, labels))


def _of_logits(folder: Path, dataset: str, data: dict, logits: Callable) -> Run:
    """Return the run of a network that `evaluate` does not run: integers, bits."""
    from nets.network.evaluation import Evaluation

    def judge(images: np.ndarray, labels: np.ndarray) -> Evaluation:
        values = logits(images)
        predicted = values.argmax(axis=1)
        return Evaluation(int((predicted == labels).sum()), None, float(values.mean()), predicted)

    return Run(folder, dataset, data, None, None, judge)


def _text(threads: int | None) -> str | None:
    return None if threads is None else str(threads)


load_installed()
