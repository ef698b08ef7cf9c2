"""A design in Icarus Verilog under cocotb, against its model.

    report = simulate(operator_design(find("lns-add"), Lns(16, 10)))
    report.equal, report.mismatches, report.vectors_per_second

Clocked designs run at full speed first, then with random gaps and waiting, then with a
taker that is ready only once it saw an answer, then with resets in the middle; each phase
has its own words, corners first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fxp.format import check_integer
from verilog.design.design import Design, Words
from verilog.simulate.bench_run import run_cocotb, widths
from verilog.simulate.report import Comparison

__all__ = ["SimReport", "run_phases", "simulate"]

SHORT = 64  # words in the phases `patient` and `reset`, at most
MOST_VECTORS = 1 << 24


@dataclass(frozen=True)
class SimReport(Comparison):
    """What a simulation found.

    A mismatch tells its phase and index too; fault_count counts all faults, of which
    `faults` tells the first. phases gives the answers compared in each. cycles is 0
    without a clock. seconds_start is for building and starting, seconds_run for the
    phases.
    """

    fault_count: int
    phases: dict[str, int]
    cycles: int
    seconds_start: float


def simulate(design: Design, vectors: int = 10_000, seed: int = 0, waves: Path | None = None,
             simulator: str = "icarus", picture: Path | None = None) -> SimReport:
    """Return how a design answers so many vectors; write its waves and a picture.

    waves is a .vcd or .fst file of the whole run. The picture, .png or .svg, shows
    a short run of its own. Raises ToolMissing without Icarus, ToolError where a
    simulation breaks off, FormatError for what cannot be.
    """
    from verilog.simulate.waves import PICTURES, WAVES, draw_run, require_writable

    if simulator != "icarus":
        raise ValueError(f"simulator must be icarus, got {simulator!r}")
    check_integer("vectors", vectors, 1, MOST_VECTORS)
    check_integer("seed", seed, 0, 2**31)
    for path, suffixes in ((waves, WAVES), (picture, PICTURES)):
        if path:
            require_writable(path, suffixes)
    report = run_phases(design, _phases(design, vectors, seed), seed, waves)
    if picture:
        draw_run(design, picture, run_phases, seed)
    return report


def _phases(design: Design, vectors: int, seed: int) -> dict[str, Words]:
    """Return the words of every phase, as many in all as there shall be vectors."""
    if not design.clocked:
        return {"words": design.stimulus(vectors, seed)}
    short = min(SHORT, vectors // 4)
    long = vectors - 2 * short
    counts = {"full speed": (long + 1) // 2, "stalls": long // 2, "patient": short,
              "reset": short}
    return {name: design.stimulus(count, seed + k)
            for k, (name, count) in enumerate(counts.items()) if count}


def run_phases(design: Design, phases: Mapping[str, Words], seed: int = 0,
               waves: Path | None = None) -> SimReport:
    """Return how a design answers the words of each phase.

    The phase of a combinational design is `words`, those of a clocked one are some
    of `full speed`, `stalls`, `patient` and `reset`; each starts with a reset.
    """
    began = time.time()
    answers = {name: design.model(words) for name, words in phases.items()}
    found = run_cocotb(design, phases, answers, seed, Path(waves) if waves else None)
    mismatches = [_mismatch(design, f["phase"], m, phases[f["phase"]], answers[f["phase"]])
                  for f in found for m in f["mismatches"]]
    return SimReport(
        design=design.name, simulator="icarus", vectors=sum(map(_count, phases.values())),
        compared=sum(f["compared"] for f in found), wrong=sum(f["wrong"] for f in found),
        mismatches=tuple(mismatches), fault_count=sum(f["fault_count"] for f in found),
        faults=tuple(f"{f['phase']}: {text}" for f in found for text in f["faults"]),
        phases={f["phase"]: f["compared"] for f in found},
        cycles=sum(f["cycles"] for f in found),
        seconds_start=round(found[0]["began"] - began, 3),
        seconds_run=round(sum(f["seconds"] for f in found), 3), seed=seed)


def _count(words: Words) -> int:
    return len(next(iter(words.values())))


def _mismatch(design: Design, phase: str, found: dict, words: Words, answers: Words) -> dict:
    """Return a mismatch with words where the bench saw patterns."""
    index = found["index"]
    got = {port[2:]: _word(design, port[2:], pattern) for port, pattern in found["got"].items()}
    paired = _count(words) == _count(answers)
    return {"phase": phase, "index": index,
            "inputs": {k: c[index].tolist() for k, c in words.items()} if paired else {},
            "expected": {k: c[index].tolist() for k, c in answers.items()}, "got": got}


def _word(design: Design, port: str, pattern: int | str):
    """Return the word of a pattern, or the words of lanes; text with x stays."""
    if isinstance(pattern, str):
        return pattern
    elements, bits = design.lanes.get(port, (1, widths(design)[f"o_{port}"]))
    mask, sign = (1 << bits) - 1, 1 << (bits - 1)
    found = [(pattern >> (k * bits)) & mask for k in range(elements)]
    if design.outputs[port][0] < 0:
        found = [(word ^ sign) - sign for word in found]
    return found if port in design.lanes else found[0]
