"""A trained network, opened for a core: circuits, words, and the engine's answers."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from verilog.core.inference.arithmetic import Arithmetic, Layer

__all__ = ["Source", "engine_answers", "open_source", "parts_of"]


@dataclass(frozen=True)
class Source:
    """A network as a core takes it.

    words are those of the load port, of each layer steps x outputs; answers gives of images
    (uint8, a row each) their scores' words and class, int64, a row each. data has shape and
    classes of the images that it was trained on.
    """

    folder: str
    dataset: str
    data: dict
    label: str
    about: dict
    arithmetic: Arithmetic
    layers: list[Layer]
    words: list[np.ndarray]
    answers: Callable[[np.ndarray], np.ndarray]


def open_source(run_folder: str) -> Source:
    """Return the network of a folder that train or quantize made; RunError or FormatError
    for what no core can be made of."""
    from lnsarith.commands.common.which import integer_folder
    from lnsarith.commands.networks.eval.model import open_model

    if integer_folder(run_folder):
        from lnsarith.commands.rtl.core.integers import integer_parts

        return Source(*integer_parts(run_folder))
    kept, network, epoch = open_model(Namespace(run_folder=run_folder, threads="1",
                                                backend="vector"))
    from lnsarith.commands.rtl.core.bits import bit_answers
    from lnsarith.delta.methods import brief

    settings = kept.settings
    about = {"epoch": epoch, "model_sha256": kept.model_sha256}
    arithmetic, layers, words = parts_of(settings, network)
    answers = (bit_answers if settings.binary else engine_answers)(network)
    method = f"_{brief(settings.delta)}" if settings.arith.startswith("lns") else ""
    return Source(str(kept.folder), settings.dataset, kept.data, settings.arith + method,
                  {**about, "settings": dict(arithmetic.settings)}, arithmetic, layers, words,
                  answers)


def parts_of(settings, network):
    """Return the arithmetic, the layers and the words of the load port of a network's core;
    FormatError, which names it, for what no core can do yet."""
    if settings.selects and not settings.arith.endswith("float"):
        from lnsarith.commands.rtl.core.selectors import selector_parts

        return selector_parts(settings, network)
    if settings.binary:
        from lnsarith.commands.rtl.core.bits import bit_parts

        return bit_parts(settings, network)
    from lnsarith.commands.rtl.core.words import core_parts, port_words

    return (*core_parts(settings, network), port_words(network))


def engine_answers(network) -> Callable[[np.ndarray], np.ndarray]:
    """Return what answers images with a network's words."""

    def answers(images: np.ndarray) -> np.ndarray:
        found = []
        for low in range(0, len(images), 500):
            part = images[low : low + 500]
            program = network.program(len(part), False)
            program.run(part, np.zeros(len(part), np.int64))
            logits = network.ar.words(program.logits).astype(np.int64)
            classes = network.ar.reals(program.logits).argmax(axis=1)
            found.append(np.hstack([logits, classes[:, None]]))
        return np.concatenate(found)

    return answers
