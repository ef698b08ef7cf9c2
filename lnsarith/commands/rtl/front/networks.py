"""The networks of the front: trained once, kept as runs, opened for a core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lnsarith.commands.rtl.front.asked import INTEGER_IMAGES, Asked

if TYPE_CHECKING:
    from nets.data.sets import Dataset

__all__ = ["accuracy_of", "network_folder", "trainer_of"]


def given_of(asked: Asked, dataset: str, epochs: int, seed: int) -> dict:
    """Return the settings of a row's training: one hidden layer of 100 units."""
    return {"dataset": dataset, "hidden": (100,), "epochs": epochs, "seed": seed, **asked.given}


def trainer_of(asked: Asked, data: Dataset, epochs: int, seed: int):
    """Return the engine at its first words."""
    from nets.settings.suited import settings_for
    from nets.train.trainer import Trainer

    return Trainer(settings_for(given_of(asked, data.name, epochs, seed)), data, 1, "vector")


def network_folder(asked: Asked, data: Dataset, epochs: int, seed: int, place: Path,
                   train: bool = True) -> Path:
    """Return the folder of a row's network, trained where it was not, or not to the end; without
    train FormatError tells of it."""
    from fxp.format import FormatError
    from lnsarith.commands.networks.train.epochs import at_work, train_epochs
    from nets.train.run import Run, facts

    form = "-".join(str(v) for v in asked.given.values())
    folder = place / f"{data.name}-{form}-e{epochs}-s{seed}"
    if not train and not (folder / "config.json").exists():
        raise FormatError("not trained yet")
    trainer = trainer_of(asked, data, epochs, seed)
    if (folder / "config.json").exists():
        kept = Run.open(folder)
        kept.go_on(given_of(asked, data.name, epochs, seed), facts(data))
        trainer.epoch = kept.load(trainer.network)
    else:
        kept = Run.create(folder, trainer.settings, facts(data))
    if not train and trainer.epoch < epochs:
        raise FormatError("not trained yet")
    with at_work(kept, "lnsarith rtl front"):
        if trainer.epoch < epochs:
            train_epochs(trainer, kept)
    return _integers(folder, trainer.network, data, kept) if asked.integers else folder


def _integers(folder: Path, network, data: Dataset, kept) -> Path:
    """Return the folder of the network in 8-bit integers."""
    from nets.network.evaluation import flat
    from nets.quantize.folder import GOLDEN, write_integers
    from nets.quantize.network import quantize

    made = folder / "int8"
    if not (made / "manifest.json").exists():
        about = {"run": folder.name, "dataset": data.name, "arith": kept.settings.arith,
                 "shape": kept.data["shape"], "classes": kept.data["classes"],
                 "epoch": kept.records[-1]["epoch"], "per": "channel", "bits": 8,
                 "model_sha256": kept.model_sha256}
        integers = quantize(network, flat(data.train_images[:INTEGER_IMAGES]), "channel", 8, 1.0)
        write_integers(made, integers, about, flat(data.test_images)[:GOLDEN])
    return made


def accuracy_of(asked: Asked, folder: Path, data: Dataset) -> float:
    """Return the share of test images that a network gets right."""
    if not asked.integers:
        from nets.train.run import Run

        return Run.open(folder).records[-1]["test_accuracy"]
    from nets.network.evaluation import flat
    from nets.quantize.folder import read_integers

    network, _ = read_integers(folder)
    return float((network.predict(flat(data.test_images)) == data.test_labels).mean())
