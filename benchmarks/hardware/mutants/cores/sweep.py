"""All faults of a core, each judged by the bench of its folder."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.hardware.mutants.cores.judge import answer, clocks_of, seen
from benchmarks.hardware.mutants.cores.known import why_equal
from benchmarks.hardware.mutants.cores.rules import KINDS, faults_of
from benchmarks.hardware.mutants.cores.subjects import Subject

__all__ = ["row_of", "swept"]

BENCH = "tb_core.v"


def swept(subject: Subject, step: int = 1, say: Callable[[str], object] = lambda text: None,
          jobs: int = 1) -> list[dict]:
    """Return what became of each of the faults (every step-th of a kind): kind, file, what,
    how it was seen ("" if not), and why it changes nothing, where that is known."""
    texts, others = subject.folder()
    every = [f for kind in KINDS for f in [
        f for f in faults_of(texts, "core", subject.rules) if f[0] == kind][::step]]

    def judged(fault: tuple[str, str, str, str]) -> dict:
        kind, file, what, text = fault
        why = why_equal(subject, file, what)
        how = seen({**texts, file: text}, others, BENCH, clocks)
        if not how and not why:
            say(f"  not seen: {kind}: {file}: {what}")
        return {"kind": kind, "file": file, "what": what, "seen": how, "why": why}

    if how := seen(texts, others, BENCH):
        raise AssertionError(f"{subject.name} is found wrong without a fault, {how}")
    clocks = clocks_of(answer(texts, others, BENCH, None))
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(judged, every))


def row_of(subject: Subject, kind: str, found: list[dict]) -> dict:
    """Return the counts of one kind."""
    own = [f for f in found if f["kind"] == kind]
    caught = [f for f in own if f["seen"]]
    return {"row": kind, "core": subject.name, "mutants": len(own), "caught": len(caught),
            "random": sum("random" in f["seen"] for f in own),
            "equal": sum(bool(f["why"]) and not f["seen"] for f in own),
            "missed": sum(not f["seen"] and not f["why"] for f in own)}
