"""Worker threads that are kept between calls and take parts of a job.

A worker looks at the board without the interpreter (`fxp.compile.team`), so that parts of a
few microseconds are worth it; without work for some hundred microseconds it sleeps. Nobody
waits for one that sleeps: what is not taken, the thread that calls does itself.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache

import numpy as np

from fxp.compile.loading import team

__all__ = ["PARTS", "in_threads", "parts_of", "processors", "run_parts"]

PARTS = 3  # of a job for each thread: they do not all take equally long


def parts_of(size: int, work: float, worth: float, threads: int, each: int = PARTS
             ) -> list[tuple[int, int]]:
    """Return the ranges that 0..size is shared out in: one for one thread, else up to `each`
    for every thread, but none of less than `worth` of the work."""
    count = max(1, min(each * threads, size, int(work / worth))) if threads > 1 else 1
    edges = [size * i // count for i in range(count + 1)]
    return list(zip(edges, edges[1:]))


def run_parts(parts: np.ndarray, threads: int) -> None:
    """Run parts, rows of the addresses of machine code and of its arguments, contiguous."""
    _team().run(parts, threads)


def in_threads(calls: Sequence[Callable[[], object]]) -> Callable[[], None]:
    """Return one call of several, each in a thread of its own: of what lets go of the
    interpreter for long, as NumPy does, and writes nothing that another one reads or writes."""
    first, *others = calls

    def run() -> None:
        waiting = [_pool().submit(call) for call in others]
        try:
            first()
        finally:
            wait(waiting)
        for other in waiting:
            other.result()

    return run


class _Team:
    """As many workers as were asked for, but no more than there are processors beside one."""

    def __init__(self):
        self.new_board = team().Board
        self.board = self.new_board()
        self.leads = threading.Lock()
        self.awake = threading.Event()
        self.workers = 0

    def run(self, parts: np.ndarray, threads: int) -> None:
        if not self.leads.acquire(blocking=False):  # another thread has the workers
            self.new_board().lead(parts.ctypes.data, len(parts))
            return
        try:
            while self.workers < min(threads, processors()) - 1:
                threading.Thread(target=self._work, daemon=True).start()
                self.workers += 1
            self.awake.set()
            self.board.lead(parts.ctypes.data, len(parts))
        finally:  # also when interrupted: arrays must outlive the parts that write to them
            while not self.board.ended():
                time.sleep(0)  # a worker that waits for a processor is at a part
            self.leads.release()

    def _work(self) -> None:
        while True:
            self.board.follow()
            self.awake.clear()
            self.awake.wait()


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (
        os.cpu_count() or 1)


@lru_cache(maxsize=1)
def _team() -> _Team:
    return _Team()


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(processors())


if hasattr(os, "register_at_fork"):  # a child process has none of the threads
    os.register_at_fork(after_in_child=_team.cache_clear)
    os.register_at_fork(after_in_child=_pool.cache_clear)
