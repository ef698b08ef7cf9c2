"""The network that a lab runs: a folder of quantize, a run of train, or one trained here."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lnsarith.commands.which import binary_folder, integer_folder

if TYPE_CHECKING:
    from verilog.soc.network import LabNetwork

__all__ = ["Opened", "open_network"]

EPOCHS = "4"  # of the network that is trained where none is given


@dataclass(frozen=True)
class Opened:
    """A network with the first test images, and what the engine says of them: scores, the
    words of the last layer, and classes. kind is int8 or the arithmetic's name."""

    folder: str
    dataset: str
    kind: str
    data: LabNetwork
    scores: list[list[int]]
    classes: list[int]

    @property
    def layers(self) -> list[str]:
        return [layer.name for layer in self.data.layers]

    @property
    def products(self) -> list[int]:
        return [layer.products for layer in self.data.layers]


def open_network(args: Namespace, count: int) -> Opened:
    """Return the network of args.run_folder on the first test images; without a folder one
    that is trained on digits in args.arith. RunError or FormatError for what cannot be."""
    from nets.network.model import RunError

    if args.run_folder is None:
        return _trained(args, count)
    if args.arith:
        raise ValueError("a run has an arithmetic of its own: leave out --arith")
    if binary_folder(args.run_folder):
        raise RunError(f"{args.run_folder} holds a network of bits, which no lab takes; "
                       "lnsarith rtl sim xnor-unit --run does")
    if integer_folder(args.run_folder):
        return _integers(args, count)
    return _words(args, count)


def _trained(args: Namespace, count: int) -> Opened:
    """Return a small network that is trained on digits, and quantised for int8."""
    from lnsarith.cli import main
    from lnsarith.files.whole import scratch

    labs = set(args.labs)
    arith = args.arith or ("lns12" if labs == {"5"} else "int8")
    with scratch() as name:
        run, own = f"{name}/digits-{arith}", arith if arith != "int8" else "float32"
        commands = [["train", "--dataset", "digits", "--arith", own, "--hidden", "32",
                     "--epochs", EPOCHS, "--no-plot", "--out", run]]
        if arith == "int8":
            commands.append(["quantize", run, "--out", f"{run}/int8"])
        _quietly(main, commands)
        found = Namespace(**{**vars(args), "arith": None, "run_folder": (
            f"{run}/int8" if arith == "int8" else run)})
        opened = open_network(found, count)
    return Opened(f"digits, 32 hidden units, {EPOCHS} epochs", opened.dataset, opened.kind,
                  opened.data, opened.scores, opened.classes)


def _quietly(main, commands: list[list[str]]) -> None:
    """Run commands without their answers; ValueError if one fails."""
    import contextlib
    import io

    for command in commands:
        said = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            code = main(command)
        if code:
            raise ValueError(said.getvalue().strip().splitlines()[-1].removeprefix("lnsarith: "))


def _integers(args: Namespace, count: int) -> Opened:
    from lnsarith.commands.lab.integers import integer_network
    from nets.data.sets import load
    from nets.network.evaluation import flat
    from nets.network.memh import require_about
    from nets.quantize.folder import read_integers

    folder = Path(args.run_folder)
    folder = folder.parent if folder.name == "manifest.json" else folder
    network, manifest = read_integers(folder)
    require_about(folder, manifest, {})
    pixels = _images(flat(load(manifest["dataset"], args.data_dir).test_images), count)
    scores = network.scores(pixels)
    return Opened(str(folder), manifest["dataset"], "int8", integer_network(network, pixels),
                  scores.tolist(), network.predict(pixels).tolist())


def _words(args: Namespace, count: int) -> Opened:
    from lnsarith.commands.eval.model import open_model
    from lnsarith.commands.lab.words import word_network
    from nets.data.sets import load
    from nets.network.evaluation import evaluate, flat

    kept, network, _ = open_model(Namespace(run_folder=args.run_folder, threads="1",
                                            backend="vector"))
    data = load(kept.settings.dataset, args.data_dir)
    pixels = _images(flat(data.test_images), count)
    made, scores = word_network(network, pixels)
    classes = evaluate(network, pixels, data.test_labels[:count]).predicted
    return Opened(str(kept.folder), kept.settings.dataset, kept.settings.arith, made,
                  scores.tolist(), classes.tolist())


def _images(images: np.ndarray, count: int) -> np.ndarray:
    if count > len(images):
        raise ValueError(f"images must be 1..{len(images)}, got {count}")
    return images[:count]
