"""One side of a duel: a process that makes pieces of work, and runs them when told to.

A line on stdin is JSON: {"make": KIND, ...} answers with the work's number, {"run": NUMBER}
with seconds, {"words": NUMBER} with a digest of the words that the last run wrote. Nothing is
imported but names that the builds to be compared have in common.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np

AT_LEAST = 0.3  # seconds that products are repeated for


class Product:
    """A matrix product of random words of both signs, none of them zero."""

    def __init__(self, arith: str, size: list[int], reach: int, delta: str | None = None):
        import lnsarith as la

        rng = np.random.default_rng(0)
        kind = la.LnsArray if arith.startswith("lns") else la.FixedArray
        options: dict = {}
        if delta:
            from lnsarith.delta.methods import parse

            options["delta"] = parse(delta)
        rows, depth, columns = size
        self.x, self.y = (kind.from_float(_numbers(rng, reach, *shape), arith, **options)
                          for shape in ((rows, depth), (depth, columns)))

    def run(self) -> float:
        """Return the least processor time of a call."""
        times: list[float] = []
        end = time.perf_counter() + AT_LEAST
        while len(times) < 2 or time.perf_counter() < end:
            with _taken(times, time.process_time):
                self.z = self.x @ self.y
        return min(times)

    def words(self) -> np.ndarray:
        return self.z.words


class Epoch:
    """Training on the first images, in batches; from the second run on nothing is compiled."""

    def __init__(self, settings: dict, images: int, data_dir: str | None, threads: int = 1):
        from nets.data.sets import load
        from nets.settings.suited import settings_for
        from nets.train.trainer import Trainer

        dataset = load(settings.get("dataset", "mnist"), data_dir)
        trainer = Trainer(settings_for(settings), dataset, threads)
        size = trainer.settings.batch
        self.network = trainer.network
        self.program = trainer.network.program(size, True)
        self.batches = [(trainer.images[i : i + size], trainer.labels[i : i + size])
                        for i in range(0, images - size + 1, size)]
        self.clock = time.process_time if threads == 1 else time.perf_counter
        self.program.run(*self.batches[0])

    def run(self) -> float:
        times: list[float] = []
        with _taken(times, self.clock):
            for pixels, labels in self.batches:
                self.network.ar.step += 1
                self.program.run(pixels, labels)
        return times[0]

    def words(self) -> np.ndarray:
        ar = self.network.ar
        every = [np.asarray(ar.words(t)) for t in self.network.parameters().values()]
        return np.concatenate([w.reshape(-1) for w in every])


class Torch:
    """The same in PyTorch's float32."""

    def __init__(self, model: str, batch: int, images: int, data_dir: str | None):
        from benchmarks.common.peers.torch import Training
        from nets.data.sets import load

        dataset = load("mnist", data_dir)
        pixels = dataset.train_images[:images].reshape(images, -1)
        self.training = Training(pixels, dataset.train_labels[:images], batch, model)

    def run(self) -> float:
        times: list[float] = []
        with _taken(times, time.process_time):
            self.training.epoch()
        return times[0]

    def words(self) -> np.ndarray:
        return np.zeros(0)


class Start:
    """A process from its start to the end of the first batches, kernels kept before or not."""

    def __init__(self, kept: bool, data_dir: str | None):
        self.kept = kept
        self.command = [sys.executable, "-m", "benchmarks.startup", "--first-step"]
        self.command += ["--data-dir", data_dir] if data_dir else []

    def run(self) -> float:
        """Return the processor time of the process and what it starts."""
        times: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(1 + self.kept):
                environment = {**os.environ, "LNSARITH_CACHE": folder}
                with _taken(times, _time_of_children):
                    subprocess.run(self.command, env=environment, check=True,
                                   stdout=subprocess.DEVNULL)
        return times[-1]

    def words(self) -> np.ndarray:
        return np.zeros(0)


KINDS = {"product": Product, "epoch": Epoch, "torch": Torch, "start": Start}


def _numbers(rng: np.random.Generator, reach: int, *shape: int) -> np.ndarray:
    """Return numbers whose sizes lie between 2**-5 and 2**reach, evenly in the logarithm."""
    return np.exp2(rng.uniform(-5, reach, shape)) * rng.choice([-1, 1], shape)


def _time_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


@contextlib.contextmanager
def _taken(times: list[float], clock: Callable[[], float]) -> Iterator[None]:
    begin = clock()
    yield
    times.append(clock() - begin)


def main() -> None:
    """Answer the lines on stdin until there are no more."""
    works: list = []
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a build prints is no answer
    for line in sys.stdin:
        order = json.loads(line)
        if "make" in order:
            works.append(KINDS[order.pop("make")](**order))
            answer: object = len(works) - 1
        elif "run" in order:
            answer = works[order["run"]].run()
        else:
            words = np.ascontiguousarray(works[order["words"]].words())
            answer = hashlib.sha256(words.astype(np.int64).tobytes()).hexdigest()
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
