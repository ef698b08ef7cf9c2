"""Times of calls, taken so that what else the machine does hits both sides alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

__all__ = ["Pair", "alternate", "compare", "seconds_of"]


class Pair(NamedTuple):
    """Median seconds of both sides, and the median over rounds of theirs / ours."""

    ours: float
    theirs: float
    speedup: float


def seconds_of(call: Callable[[], object], at_least: float = 0.2) -> float:
    """Return the median time of a call, repeated for so many seconds or once."""
    times: list[float] = []
    end = time.perf_counter() + at_least
    while not times or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return median(times)


def alternate(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> Pair:
    """Return the figures of two functions that return seconds, taken in turn."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    mine, others = zip(*pairs, strict=True)
    return Pair(median(mine), median(others), median(b / a for a, b in pairs))


def compare(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    at_least: float = 0.2,
) -> Pair:
    """Return the figures of two calls, each first made once to warm up."""
    ours(), theirs()
    return alternate(
        lambda: seconds_of(ours, at_least), lambda: seconds_of(theirs, at_least), rounds
    )
