"""A sweep: the jobs of a plan that a store lacks, trained and kept one by one."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from nets.experiments.jobs.job import Job
from nets.experiments.jobs.pool import Ended, Take
from nets.experiments.jobs.store import Store

__all__ = ["Progress", "Sweep"]

# Yields what take() gives as it ends, and calls tick() every few seconds.
Runner = Callable[[Take, Callable[[], None]], Iterator[Ended]]
LOOK = 2.0  # seconds between two looks at the runs that another sweep has in hand


@dataclass
class Progress:
    """How far a sweep is; seconds are those of runs, added up."""

    total: int
    already: int = 0
    done: int = 0
    failed: int = 0
    elsewhere: int = 0  # done by another sweep meanwhile
    seconds: float = 0.0
    _by: dict = field(default_factory=lambda: defaultdict(list))

    @property
    def ended(self) -> int:
        return self.already + self.done + self.failed + self.elsewhere

    def count(self, job: Job, result: dict) -> None:
        """Note what a run took."""
        self.seconds += result["seconds"]
        self._by[_kind(job)].append(result["seconds"] / job.config["epochs"])

    def remaining(self, jobs: list[Job], at_once: float) -> float | None:
        """Return the seconds that these jobs will take, so many at once; None before any
        is known."""
        every = [s for seconds in self._by.values() for s in seconds]
        if not every or not at_once:
            return None
        mean = sum(every) / len(every)
        own = {kind: sum(s) / len(s) for kind, s in self._by.items()}
        left = sum(job.config["epochs"] * own.get(_kind(job), mean) for job in jobs)
        return left / at_once


class Sweep:
    """The jobs of one plan over one store. again tries those anew that failed before."""

    def __init__(self, store: Store, name: str, jobs: list[Job], again: bool = False):
        self.store, self.name, self.again = store, name, again
        states = store.states(job.key for job in jobs)
        wanted = [j for j in jobs if states.get(j.key) != "done"
                  and (again or states.get(j.key) != "failed")]
        self.progress = Progress(len(jobs), already=len(jobs) - len(wanted))
        self.failed_before = sum(states.get(j.key) == "failed" for j in jobs) * (not again)
        self._waiting = deque(wanted)
        self._others: deque[Job] = deque()  # which another sweep has in hand
        self._running: dict[str, Job] = {}
        self._begun = time.monotonic()

    def run(self, runner: Runner, report: Callable[[Job, dict | None, str], None]) -> None:
        """Train what is left; report(job, result, error) hears of each run once it is kept."""
        try:
            while self._waiting or self._others:
                for job, result, error in runner(self._take, self.store.renew):
                    self._keep(job, result, error)
                    self.store.renew()  # runs may end so often that nobody waits for a tick
                    report(job, result, error)
                self._look_at_others()
        finally:
            self.store.release()

    def left(self) -> list[Job]:
        """Return the jobs that have not ended."""
        return [*self._running.values(), *self._waiting, *self._others]

    def remaining(self) -> float | None:
        """Return the seconds that are left, from what the runs so far took."""
        elapsed = time.monotonic() - self._begun
        return self.progress.remaining(self.left(), max(1.0, self.progress.seconds / elapsed)
                                       if elapsed else 0)

    def _take(self) -> Job | None:
        while self._waiting:
            job = self._waiting.popleft()
            if self.store.claim(job.key, self.again):
                self._running[job.key] = job
                return job
            self._others.append(job)
        return None

    def _keep(self, job: Job, result: dict | None, error: str) -> None:
        self._running.pop(job.key, None)
        if result is None:
            self.store.fail(job, self.name, error)
            self.progress.failed += 1
            return
        self.store.keep(job, self.name, result)
        self.progress.done += 1
        self.progress.count(job, result)

    def _look_at_others(self) -> None:
        """Count what other sweeps have ended; take up again what they let go."""
        if not self._others:
            return
        states = self.store.states(job.key for job in self._others)
        for _ in range(len(self._others)):
            job = self._others.popleft()
            state = states.get(job.key)
            if state == "done" or (state == "failed" and not self.again):
                self.progress.elsewhere += 1
            else:
                self._waiting.append(job)
        if self._waiting:
            time.sleep(LOOK)


def _kind(job: Job) -> tuple:
    c = job.config
    return c["dataset"], c["model"], tuple(c["hidden"]), c["arith"], c["delta"], c["batch"]
