"""What the bench is given and what it found: words, expected answers, the checker."""

from __future__ import annotations

import json
import os
import struct
import time
from pathlib import Path

__all__ = ["META", "Checker", "columns"]

FOLDER = Path(os.environ["LNSARITH_BENCH"])
META = json.loads((FOLDER / "job.json").read_text())
KEPT = 8  # mismatches and faults that are told in full

_results: list[dict] = []


def columns(phase: str, prefix: str) -> dict[str, list[int]]:
    """Return the patterns of each port of a phase."""
    found, begin = {}, 0
    with open(FOLDER / "job.bin", "rb") as file:
        for own, name, count, size in META["columns"]:
            if own == phase and name.startswith(prefix):
                file.seek(begin)
                found[name] = _integers(file.read(count * size), size)
            begin += count * size
    return found


def _integers(data: bytes, size: int) -> list[int]:
    """Return little-endian numbers of so many bytes."""
    if size == 8:
        return list(struct.unpack(f"<{len(data) // 8}Q", data))
    return [int.from_bytes(data[i : i + size], "little") for i in range(0, len(data), size)]


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
