"""What the bench is given and what it found: words, expected answers, the checker."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np

__all__ = ["META", "Checker", "columns"]

FOLDER = Path(os.environ["LNSARITH_BENCH"])
JOB = np.load(FOLDER / "job.npz")
META = json.loads(str(JOB["meta"]))
KEPT = 8  # mismatches and faults that are told in full

_results: list[dict] = []


def columns(phase: str, prefix: str) -> dict[str, list[int]]:
    """Return the patterns of each port of a phase."""
    start = f"{phase}/{prefix}"
    return {name.removeprefix(f"{phase}/"): _integers(JOB[name])
            for name in JOB.files if name.startswith(start)}


def _integers(column: np.ndarray) -> list[int]:
    if column.ndim == 1:
        return column.tolist()
    return [int.from_bytes(row.tobytes(), "little") for row in column]


class Checker:
    """The queue of expected answers: each answer is compared with the next of them."""

    def __init__(self, dut, phase: str):
        self.phase = phase
        answers = columns(phase, "o_")
        self.names = list(answers)
        self.reads = [getattr(dut, name).get for name in answers]
        self.expected = list(zip(*answers.values()))
        self.count = len(self.expected)
        self.mismatches: list[dict] = []
        self.faults: list[str] = []
        self.wrong = self.fault_count = self.got = 0

    def sample(self) -> tuple:
        """Return the outputs now, as integers, or as text where they are not 0 and 1."""
        values = [read() for read in self.reads]
        try:
            return tuple(map(int, values))
        except ValueError:
            return tuple(int(v) if v.is_resolvable else str(v) for v in values)

    def check(self, answer: tuple) -> None:
        """Compare an answer with the next expected one."""
        if self.got >= self.count:
            self.fault(f"an answer too many: {dict(zip(self.names, answer))}")
        elif answer != self.expected[self.got]:
            self.wrong += 1
            if len(self.mismatches) < KEPT:
                self.mismatches.append({"index": self.got, "got": dict(zip(self.names, answer))})
        self.got += 1

    def fault(self, text: str) -> None:
        """Note a fault that is not a wrong answer."""
        self.fault_count += 1
        if len(self.faults) < KEPT:
            self.faults.append(text)

    def finish(self, seconds: float, cycles: int) -> None:
        """Write the result; fail the test if anything was wrong."""
        compared = min(self.got, self.count)
        _results.append({"phase": self.phase, "compared": compared, "wrong": self.wrong,
                         "mismatches": self.mismatches, "faults": self.faults,
                         "fault_count": self.fault_count, "seconds": seconds, "cycles": cycles,
                         "began": time.time() - seconds})
        (FOLDER / "result.json").write_text(json.dumps(_results))
        assert not self.wrong and not self.fault_count, f"{self.wrong} wrong, {self.faults}"
