"""The cores that get faults: small networks of drawn weights, small trainers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.hardware.mutants.cores.rules import CORE, TRAINER, Rule

__all__ = ["SUBJECTS", "Subject"]


@dataclass(frozen=True)
class Subject:
    """A core: what its network is, lanes, registers in the loop, images at once (None: as
    chosen), and the rules of its faults. skipped leaves out kinds of faults that another
    subject has already."""

    name: str
    given: dict
    lanes: int
    loop: int
    images: int | None = None
    trains: bool = False
    classes: int = 4
    shape: tuple[int, int] = (3, 3)
    files: str = ""  # a pattern of the files that get faults, all without one
    rules: tuple[Rule, ...] = field(init=False, default=())

    def __post_init__(self):
        object.__setattr__(self, "rules", TRAINER if self.trains else CORE)

    def folder(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the modules by file, and what else is in the core's folder."""
        with tempfile.TemporaryDirectory() as name:
            place = Path(name) / "core"
            modules = (_trainer if self.trains else _network)(self, place)
            texts = {f.name: f.read_text() for f in place.iterdir()
                     if f.suffix in (".v", ".hex")}
        own = [f"{m}.v" for m in modules]
        return {f: texts[f] for f in own}, {f: t for f, t in texts.items() if f not in own}


def _network(subject: Subject, place: Path) -> list[str]:
    """Write the folder of a core with drawn weights; return its modules."""
    from lnsarith.commands.rtl.core.bits import bit_answers
    from lnsarith.commands.rtl.core.source import engine_answers, parts_of
    from nets.settings.suited import settings_for
    from nets.train.trainer import build
    from verilog.core.inference.core import inference_core
    from verilog.core.inference.schedule import choose_schedule
    from verilog.core.package import load_words, write_core

    settings = settings_for({"dataset": "digits", **subject.given})
    network = build(settings, subject.shape, subject.classes, np.random.default_rng(0))
    arithmetic, layers, words = parts_of(settings, network)
    s = choose_schedule([x.shape for x in layers], subject.lanes, subject.loop, subject.images,
                        (arithmetic.sums.row_bits, arithmetic.number.bits),
                        1 if arithmetic.sums.start else 0, arithmetic.packed,
                        tuple(x.numbers for x in layers if x.numbers))
    core = inference_core("core", arithmetic, layers, s)
    pixels = _images(4 * s.batch + 2, s.pixels)
    answers = (bit_answers if settings.binary else engine_answers)(network)
    write_core(core, place, {"settings": {}, "epoch": 0, "model_sha256": ""}, pixels,
               answers(pixels), load_words(core, words))
    return [m.name for m in core.modules]


def _trainer(subject: Subject, place: Path) -> list[str]:
    """Write the folder of a trainer; return its modules."""
    from lnsarith.commands.rtl.learning import learning_of
    from lnsarith.commands.rtl.training import Training
    from nets.data.sets import Dataset
    from nets.settings.settings import Settings
    from nets.train.trainer import Trainer
    from verilog.trainer.core import core
    from verilog.trainer.package import write_trainer

    pixels = _images(23, 16).reshape(23, 4, 4)
    labels = np.random.default_rng(5).integers(0, subject.classes, 23)
    data = Dataset("drawn", pixels, labels, pixels[:5], labels[:5], subject.classes)
    trainer = Trainer(Settings(**{"val": 0, "epochs": 3, **subject.given}), data, 1, "vector")
    made = core("core", learning_of(trainer), subject.lanes, subject.loop)
    write_trainer(made, place, Training(trainer, made).golden(), {})
    return [m.name for m in made.modules]


def _images(count: int, pixels: int) -> np.ndarray:
    """Return images, a third of their pixels zero."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (count, pixels), dtype=np.uint8)
    return np.where(rng.random(values.shape) < 0.3, 0, values).astype(np.uint8)


DRAWN = {"init_std": "0.5"}
SUBJECTS = (
    Subject("core of lns9.4, four registers in the loop",
            {**DRAWN, "arith": "lns9.4", "hidden": (6, 3)}, 4, 4, 4),
    Subject("core of fixed12, more sums than steps",
            {**DRAWN, "arith": "fixed12", "hidden": (2, 13)}, 8, 2, 8),
    Subject("core of bits", {"arith": "binary", "hidden": (37, 9)}, 4, 2, shape=(3, 4)),
    Subject("trainer of lns12, two layers, stochastic",
            {**DRAWN, "arith": "lns12", "hidden": (6, 5), "batch": 7, "decay": "level", "guard": 1,
             "update": "stochastic", "weight_decay": "0.9", "lr": "2^-3"}, 3, 2, trains=True),
)
