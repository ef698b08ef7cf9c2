"""The workers of a Dask cluster, which train jobs; `dask.distributed` is an extra."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Iterator

from nets.experiments.jobs.job import Job
from nets.experiments.jobs.pool import Ended, Take, attempt

__all__ = ["ClusterError", "run_on_cluster"]

CONNECT = 10  # seconds
TICK = 5.0


class ClusterError(OSError):
    """A scheduler that cannot be reached, or was lost."""


def run_on_cluster(take: Take, address: str, data_dir, tick: Callable[[], None]
                   ) -> Iterator[Ended]:
    """Yield each job that take() gives (None: no more) as it ends on the scheduler's workers.

    A job whose worker dies is begun on another one. Raises ClusterError.
    """
    client = _client(address)
    try:
        yield from _run(client, address, take, data_dir, tick)
    finally:
        client.close(timeout=2)


def _client(address: str):
    from distributed import Client

    for name in ("distributed", "distributed.core", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        what = " ".join(str(error).split())
        raise ClusterError(f"no Dask scheduler answers at {address} ({what[:200]})") from None


def _run(client, address: str, take: Take, data_dir, tick) -> Iterator[Ended]:
    from distributed import as_completed

    done = as_completed(loop=client.loop)
    jobs: dict[str, Job] = {}
    more = True
    while more or jobs:
        while more and len(jobs) < _room(client, address):
            job = take()
            if job is None:
                more = False
                break
            jobs[job.key] = job
            done.add(client.submit(_on_worker, job, data_dir, key=f"lnsarith-{job.key}"))
        if not jobs:
            return
        future = _next(done)
        if future is None:
            tick()
            continue
        ended = _outcome(future, address)
        if ended is None:
            done.add(future)
            tick()
            continue
        yield (jobs.pop(future.key.removeprefix("lnsarith-")), *ended)


def _next(done):
    """Return a future that has ended, None if none does in a while."""
    end = time.monotonic() + TICK
    while time.monotonic() < end:
        if done.has_ready():
            return done.next()
        time.sleep(0.02)
    return None


def _room(client, address: str) -> int:
    """Return how many jobs to have with the scheduler: enough for no worker to wait."""
    try:
        threads = sum(client.nthreads().values())
    except Exception as error:
        raise ClusterError(f"the scheduler {address} was lost ({type(error).__name__}); what was "
                           "done is kept") from None
    return 1 + 2 * max(1, threads)


def _outcome(future, address: str) -> tuple[dict | None, str] | None:
    """Return what came of a job, None if it is to be waited for again.

    A result stays with the worker that found it: if that dies before it was asked, the future
    is "lost" until the scheduler has had the job done by another worker.
    """
    from distributed import CancelledError, TimeoutError

    try:
        if future.status == "finished":
            return future.result(timeout=TICK)
        if future.status in ("lost", "pending"):
            return None
    except TimeoutError:
        return None
    except (CancelledError, Exception):
        pass  # what its status tells
    if future.status != "error":
        raise ClusterError(f"the scheduler {address} was lost; what was done is kept")
    error = future.exception()
    return None, f"{type(error).__name__}: {' '.join(str(error).split())}"


def _on_worker(job: Job, data_dir) -> tuple[dict | None, str]:
    result, error = attempt(job, data_dir)
    if result is not None:
        result["host"] = platform.node()
    return result, error
