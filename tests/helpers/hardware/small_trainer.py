"""Trainers of very small networks, and what the engine makes of the same images."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np

from lnsarith.commands.rtl.learning import learning_of
from lnsarith.commands.rtl.training import Training
from nets.data.sets import Dataset
from nets.settings.settings import Settings
from nets.train.trainer import Trainer
from verilog import tools
from verilog.trainer.core import core
from verilog.trainer.package import write_trainer

TINY = {"hidden": (12,), "val": 0, "epochs": 3}


def tiny_images(count=23, classes=4, seed=5):
    """Return 4 x 4 images of a shape for each class under noise, a third of them dark."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    shapes = rng.integers(0, 2, (classes, 4, 4)) * 200
    images = np.clip(shapes[labels] + rng.integers(-60, 56, (count, 4, 4)), 0, 255)
    return Dataset("tiny", images.astype(np.uint8), labels, images[:5].astype(np.uint8), labels[:5],
                   classes)


def training(given, lanes, loop, backend="vector", name="tiny"):
    """Return the engine and the core of the same settings, side by side."""
    trainer = Trainer(Settings(**{**TINY, **given}), tiny_images(), 1, backend)
    return Training(trainer, core(name, learning_of(trainer), lanes, loop))


def folder_of(made, folder):
    """Write the folder of a trainer, its golden words with it."""
    write_trainer(made.core, folder, made.golden(), {})
    return folder


def bench_says(folder, name="tiny"):
    """Return what the bench of a folder prints, and its status."""
    compiled = subprocess.run(
        [tools.program("iverilog"), "-g2001", "-o", "tb.vvp", "-f", "files.f", f"tb_{name}.v"],
        cwd=folder, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    ran = subprocess.run([tools.program("vvp"), "-N", "tb.vvp"], cwd=folder, capture_output=True,
                         text=True, check=False, timeout=100)
    return ran.stdout, ran.returncode


def lint_says(made, folder: Path):
    """Return what Icarus and Verilator complain of in the modules of a core."""
    for file, text in made.files.items():
        (folder / file).write_text(text)
    names = [f"{m.name}.v" for m in made.modules]
    program, environment = tools.verilator()
    said = ""
    for command in ([tools.program("iverilog"), "-g2001", "-Wall", "-s", made.name, "-o", "x.vvp"],
                    [program, "--lint-only", "-Wall", "--top-module", made.name]):
        done = subprocess.run([*command, *names], cwd=folder, env=environment, text=True,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said += "".join(line + "\n" for line in done.stdout.splitlines()
                        if line.strip() and not line.startswith("- "))
    return said


def with_text(made, old, new):
    """Return a core with a text that its modules have once replaced."""
    texts = [m.text for m in made.modules]
    found = sum(text.count(old) for text in texts)
    assert found == 1, f"{old!r} is {found} times in {made.name}"
    modules = tuple(replace(m, text=m.text.replace(old, new)) for m in made.modules)
    return replace(made, modules=modules)
