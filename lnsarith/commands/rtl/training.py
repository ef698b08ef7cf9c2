"""The engine and a simulated core that train side by side."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from verilog.trainer.core import Core
    from verilog.trainer.package import Golden

__all__ = ["Training", "streamed"]

SHORT = 100  # steps up to which a quick build of the simulation is the faster way
CHUNK = 256  # steps from one look to the next
STEPS = 2  # of the golden words


class Training:
    """A trainer of the engine and its core, which both start from the words it has."""

    def __init__(self, trainer, core: Core):
        self.trainer, self.core = trainer, core
        self.settings, self.ar = trainer.settings, trainer.network.ar
        self.start = self.words()
        self.step, self.epoch = self.ar.step, trainer.epoch

    def tensors(self) -> dict:
        """Return what the core keeps, by name, in the order of its port."""
        layers = [k[:-2] for k in self.trainer.network.parameters() if k.endswith(".w")]
        every = self.trainer.network.kept()
        names = [f"{layer}.{what}" for layer in layers for what in "bw"]
        if self.ar.with_momentum:
            names += [f"{name}.velocity" for name in names]
        return {name: every[name] for name in names}

    def words(self) -> np.ndarray:
        """Return all of it as words in one row."""
        return np.concatenate([self.ar.words(t).astype(np.int64).ravel()
                               for t in self.tensors().values()])

    def put(self, words: np.ndarray) -> None:
        """Give the engine's network these words."""
        at = 0
        for t in self.tensors().values():
            count = t.rows * t.columns
            self.ar.set_words(t, words[at : at + count].reshape(t.rows, t.columns))
            at += count

    def _again(self) -> None:
        """Go back to where the training started."""
        self.put(self.start)
        self.ar.step, self.trainer.epoch = self.step, self.epoch

    def golden(self) -> Golden:
        """Return the words of the first steps, and of one behind them over as few images as
        an epoch's last batch has, if that is shorter."""
        from verilog.trainer.package import Golden

        before, seen = self.words(), []
        for number, (program, pixels, labels) in enumerate(self.trainer.batches()):
            if number == STEPS:
                break
            program.run(pixels, labels)
            seen.append((pixels, labels, self.rate()))
        if rest := len(self.trainer.labels) % self.core.geometry.learning.batch:
            pixels, labels = self.trainer.images[:rest], self.trainer.labels[:rest]
            self.trainer.network.program(rest, True).run(pixels, labels)
            seen.append((pixels, labels, self.rate()))
        after = self.words()
        self._again()
        return Golden(before, after, *streamed(seen, self.core.geometry.learning.rated))

    def simulated(self, steps: int) -> tuple[dict, bytes]:
        """Return what a simulation of so many steps tells (-1: of all epochs), and the model
        file of the core's words."""
        from lnsarith.host.files.whole import scratch
        from nets.network.model import write_model
        from verilog.trainer.simulate import Simulated

        with scratch() as name:
            folder, began = Path(name), time.perf_counter()
            core = Simulated(self.core, folder, short=self._count(steps) < SHORT)
            built = time.perf_counter() - began
            core.load(self.start)
            done, seconds = 0, 0.0
            for seen in self._trained(steps):
                began = time.perf_counter()
                core.train(*streamed(seen, self.core.geometry.learning.rated))
                seconds += time.perf_counter() - began
                done += len(seen)
            own, theirs = core.read(), self.words()
            cycles = core.cycles
            core.close()
            self.put(own)
            write_model(folder / "model.npz", self.trainer.network, self.trainer.epoch)
            model = (folder / "model.npz").read_bytes()
        told = {"steps": done, "epochs": self.trainer.epoch, "differ": int((own != theirs).sum()),
                "cycles": cycles, "cycles_a_step": cycles / done, "useful": self._useful(
                    done, cycles), "seconds": seconds, "build_seconds": built,
                "model_sha256": hashlib.sha256(model).hexdigest()}
        if told["differ"]:
            told["first"] = self._place(int((own != theirs).argmax()))
        return told, model

    def _count(self, steps: int) -> int:
        """Return how many steps these are; -1 stands for all epochs that are left."""
        if steps > 0:
            return steps
        each = -(-len(self.trainer.labels) // self.core.geometry.learning.batch)
        return each * (self.settings.epochs - self.trainer.epoch)

    def _trained(self, steps: int) -> Iterator[list]:
        """Have the engine take so many steps; give their batches, some hundred at a time, with
        the rate of each."""
        chunk: list = []
        done = 0
        while done != steps and (steps > 0 or self.trainer.epoch < self.settings.epochs):
            for program, pixels, labels in self.trainer.batches():
                program.run(pixels, labels)
                chunk.append((pixels, labels, self.rate()))
                done += 1
                if len(chunk) == CHUNK or done == steps:
                    yield chunk
                    chunk = []
                if done == steps:
                    break
        if chunk:
            yield chunk

    def rate(self) -> int:
        """Return the learning rate of the batch as the core takes it, 0 where it is constant."""
        return self.ar.rate_word(self.ar.factor) if self.core.geometry.learning.rated else 0

    def _useful(self, steps: int, cycles: int) -> float:
        """Return the share of lanes times cycles that products of whole batches take."""
        from verilog.trainer.plan.cycles import spent

        asked = sum(p.products for p in spent(self.core.geometry))
        images = len(self.trainer.labels)
        whole = images / -(-images // self.core.geometry.learning.batch)
        return (asked * steps * whole / self.core.geometry.learning.batch
                / (self.core.geometry.lanes * cycles))

    def _place(self, number: int) -> str:
        """Return which word of which parameter has this number."""
        for name, t in self.tensors().items():
            if number < t.rows * t.columns:
                return f"{name}[{number // t.columns}, {number % t.columns}]"
            number -= t.rows * t.columns
        raise IndexError(number)


def streamed(seen: list, rated: bool):
    """Return pixels, labels, which image ends a batch, and each image's rate if there is one."""
    pixels, labels = (np.concatenate([s[i] for s in seen]) for i in (0, 1))
    last = np.concatenate([np.arange(len(s[1])) == len(s[1]) - 1 for s in seen])
    rates = np.concatenate([np.full(len(s[1]), s[2]) for s in seen]) if rated else None
    return pixels, labels, last, rates
