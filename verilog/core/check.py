"""A core in Verilator against the words of the engine that trained its network."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lnsarith.host.files.whole import scratch
from verilog.core.inference.core import Core
from verilog.core.model import Model, build_model

__all__ = ["Verdict", "check_core"]


@dataclass(frozen=True)
class Verdict:
    """What a simulation found; first_wrong tells image, logit, word and the engine's.

    clocks_image is the share of an image in the clocks between the first answer and the
    last, or of the whole run if that is a batch.
    """

    images: int
    words: int
    wrong_words: int
    wrong_classes: int
    stuck: bool
    odd: int
    clocks: int
    clocks_image: float
    seconds_build: float
    seconds_run: float
    first_wrong: tuple[int, int, int, int] | None

    @property
    def equal(self) -> bool:
        """Whether every word and class was the engine's, and nothing else came."""
        return not (self.wrong_words or self.wrong_classes or self.stuck or self.odd)

    def as_dict(self) -> dict:
        return {**asdict(self), "equal": self.equal}


def check_core(core: Core, pixels: np.ndarray, words: np.ndarray, gaps: int = 0, seed: int = 1,
               threads: int = 1, random_start: bool = False) -> Verdict:
    """Return how a core answers images (uint8, a row each); words are the engine's, of each
    image its logits and class.

    The images are shared out among so many instances. gaps of 256 is how often a pixel or
    an answer has to wait.
    """
    start = time.perf_counter()
    with scratch() as name:
        library = build_model(core, Path(name), random_start)
        built = time.perf_counter()
        batch = core.schedule.batch
        size = -(-len(pixels) // (threads * batch)) * batch
        parts = [pixels[k : k + size] for k in range(0, len(pixels), size)]

        def run(k: int):
            model = Model(library, words.shape[1] - 1, seed + k if random_start else 0)
            try:
                return model.run(parts[k], gaps, seed + k)
            finally:
                model.close()

        with ThreadPoolExecutor(len(parts)) as pool:
            found = list(pool.map(run, range(len(parts))))
        done = time.perf_counter()
    return _verdict(core, words, found, parts, built - start, done - built)


def _verdict(core: Core, words, found, parts, build: float, run: float) -> Verdict:
    mask = (1 << core.ports["answer"]) - 1
    got = np.concatenate([a.words for a in found]).astype(np.int64)
    classes = np.concatenate([a.classes for a in found])
    wanted = words[:, :-1] & mask
    wrong = got != wanted
    first = None
    if wrong.any():
        image, logit = np.argwhere(wrong)[0].tolist()
        first = image, logit, int(got[image, logit]), int(wanted[image, logit])
    clocks = sum(int(a.clocks[-1]) for a in found)
    batch = core.schedule.batch
    a, images = found[0], len(parts[0])
    whole = (images - 1) // batch * batch
    share = (int(a.clocks[whole]) - int(a.clocks[0])) / whole if whole else clocks / images
    return Verdict(len(words), wanted.size, int(wrong.sum()),
                   int((classes != words[:, -1]).sum()), any(a.stuck for a in found),
                   sum(a.odd for a in found), clocks, round(share, 2), round(build, 2),
                   round(run, 2), first)
