"""Processes of this machine that train jobs, one after the other each.

A process ends with the one that began it, however that ended: what it had in hand is lost,
nothing else.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing import connection

from nets.experiments.jobs.job import Job, trained

__all__ = ["Ended", "Take", "attempt", "run_here", "work"]

# A job and what came of it: a result of `nets.experiments.jobs.job.trained`, or why there is none.
Ended = tuple[Job, dict | None, str]
Take = Callable[[], Job | None]
TICK = 5.0  # seconds between two looks at how it goes


def run_here(take: Take, jobs: int, data_dir, tick: Callable[[], None]) -> Iterator[Ended]:
    """Yield each job that take() gives (None: no more) as it ends, so many at a time.

    tick() is called every few seconds. Whoever stops asking ends the processes.
    """
    ended: queue.Queue[Ended | None | BaseException] = queue.Queue()
    workers = [_Worker(data_dir) for _ in range(jobs)]
    lock, stop = threading.Lock(), threading.Event()

    def next_job() -> Job | None:
        with lock:
            return None if stop.is_set() else take()

    def attend(worker: _Worker) -> None:
        try:
            while job := next_job():
                ended.put((job, *worker.run(job)))
            ended.put(None)
        except BaseException as error:  # of take: of the store
            ended.put(error)

    threads = [threading.Thread(target=attend, args=[w], daemon=True) for w in workers]
    for thread in threads:
        thread.start()
    try:
        left = jobs
        while left:
            try:
                found = ended.get(timeout=TICK)
            except queue.Empty:
                tick()
                continue
            if isinstance(found, BaseException):
                raise found
            if found is None:
                left -= 1
            else:
                yield found
    finally:
        stop.set()
        for worker in workers:
            worker.end()


class _Worker:
    """One process, begun with its first job, and begun anew if it dies."""

    def __init__(self, data_dir):
        self.data_dir = data_dir
        self.process: subprocess.Popen | None = None
        self.over = False

    def run(self, job: Job) -> tuple[dict | None, str]:
        """Return what came of a job; it is tried twice if its process dies."""
        code = None
        for _ in range(2):
            if self.process is None:
                self._begin()
            try:
                self.pipe.send(job)
                return self.pipe.recv()
            except (EOFError, OSError):
                code = self._forget()
                if self.over:
                    break
        return None, f"its process died twice (exit code {code}; -9: killed, as for memory)"

    def _begin(self) -> None:
        """Start a process with an end of a pipe, and one of another that only this one keeps
        open: it ends when that closes."""
        ours, theirs = socket.socketpair()
        watched, self.kept = os.pipe()
        given = theirs.fileno(), watched, self.data_dir
        text = (f"import sys; sys.path[:] = {sys.path!r}; "
                f"from nets.experiments.jobs.pool import work; work{given!r}")
        self.process = subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, pass_fds=given[:2])
        theirs.close()
        os.close(watched)
        self.pipe = connection.Connection(ours.detach())

    def _forget(self) -> int | None:
        """Close what belongs to a process that died and return its exit code."""
        process, self.process = self.process, None
        self.pipe.close()
        os.close(self.kept)
        return process.wait() if process else None

    def end(self) -> None:
        self.over = True
        if process := self.process:
            process.kill()
            process.wait()


def work(pipe: int, watched: int, data_dir) -> None:
    """Train the jobs that come through a pipe, until it or what is watched closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it

    def end_with_parent() -> None:
        os.read(watched, 1)
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    jobs = connection.Connection(pipe)
    while True:
        try:
            job = jobs.recv()
        except EOFError:
            return
        jobs.send(attempt(job, data_dir))


def attempt(job: Job, data_dir=None) -> tuple[dict | None, str]:
    """Return the result of a job, or None and why there is none."""
    try:
        return trained(job, data_dir), ""
    except MemoryError as error:
        return None, f"not enough memory: {error}"
    except Exception as error:
        text = " ".join(str(error).split())
        expected = isinstance(error, (ValueError, OSError))
        return None, text if expected and text else f"{type(error).__name__}: {text}"
