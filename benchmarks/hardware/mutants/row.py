"""The faults of one design, counted."""

from __future__ import annotations

import time

from benchmarks.hardware.mutants.designs import CASES
from benchmarks.hardware.mutants.edits import edited, edits, picked
from benchmarks.hardware.mutants.judge import Verdict, compiles, judged

__all__ = ["row_of"]


def row_of(number: int, count: int, seed: int, vectors: int, seconds: float) -> dict:
    """Return what became of the faults of a design."""
    case, start = CASES[number], time.perf_counter()
    right = case.made()
    whole = case.claimed_whole(right, seconds)
    found: list[tuple[str, Verdict]] = []
    for edit in picked(edits(right, case.modules(right)), 1 << 20, seed + number):
        faulty = edited(right, edit)
        if len(found) < count and compiles(faulty):
            found.append((f"{edit.kind}: {edit}", judged(right, faulty, vectors, seed, seconds)))
    unequal = [(text, v) for text, v in found if not v.equal]
    missed = [f"sim missed {text}" for text, v in unequal if not v.simulated]
    unproved = [f"prove missed {text}" for text, v in unequal if whole and not v.proved]
    return {"row": str(case), "mutants": len(found), "equal": len(found) - len(unequal),
            "simulated": sum(v.simulated for _, v in found),
            "proved": sum(v.proved for _, v in found), "whole": "yes" if whole else "no",
            "missed_sim": len(missed), "missed_prove": len(unproved),
            "told": [*missed, *unproved], "seconds": time.perf_counter() - start}
