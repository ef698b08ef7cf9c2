"""Limits of processor time: what a solver finds must not hang on what else the machine does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Limit", "interrupted"]

PAUSE = 0.02  # seconds between two looks at a thread's clock


class Limit:
    """Tells, when called, whether the thread that calls has worked so many seconds since."""

    def __init__(self, seconds: float):
        self._end = time.thread_time() + seconds

    @property
    def left(self) -> float:
        """Seconds of work that are left, 0 or less where none are."""
        return self._end - time.thread_time()

    def __call__(self) -> bool:
        return self.left <= 0


@contextmanager
def interrupted(seconds: float, interrupt: Callable[[], None]) -> Iterator[None]:
    """Call interrupt, from another thread and until the block ends, once the block has worked
    for so many seconds."""
    clock = time.pthread_getcpuclockid(threading.get_ident())
    end = time.clock_gettime(clock) + seconds
    done = threading.Event()

    def watch() -> None:
        while not done.wait(PAUSE):
            if time.clock_gettime(clock) >= end:
                interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
