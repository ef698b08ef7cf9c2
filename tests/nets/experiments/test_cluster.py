"""Jobs on a Dask cluster: a result that went with its worker is found again."""

import time

import pytest
from distributed import LocalCluster

from nets.experiments.jobs.cluster import ClusterError, run_on_cluster
from nets.experiments.jobs.job import job_for
from nets.settings.settings import Settings


@pytest.fixture
def cluster(tmp_path):
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False,
                      dashboard_address=None, local_directory=str(tmp_path)) as made:
        yield made


def jobs(count):
    for seed in range(count):
        yield job_for(Settings(dataset="digits", arith="float32", hidden=(8,), batch=50, epochs=1,
                               val=240, seed=seed))
    while True:
        yield None


def holds(cluster, count):
    """Wait until the workers hold so many results; return the one with the most."""
    end = time.monotonic() + 60
    while sum(len(w.data) for w in cluster.workers.values()) < count:
        assert time.monotonic() < end
        time.sleep(0.02)
    return max(cluster.workers.values(), key=lambda w: len(w.data))


def test_results_that_went_with_their_worker_are_found_again(cluster):
    asked, ticks = jobs(5), []
    ended = run_on_cluster(lambda: next(asked), cluster.scheduler_address, None,
                           lambda: ticks.append(1))
    found = [next(ended)]
    worker = holds(cluster, 4)
    cluster.sync(worker.close, nanny=False)
    found += ended
    assert sorted(job.config["seed"] for job, _, _ in found) == [0, 1, 2, 3, 4]
    assert [error for _, _, error in found] == [""] * 5


@pytest.mark.parametrize("count", [4, 6])  # all are with the scheduler; one is still here
def test_a_scheduler_that_goes_is_told(cluster, monkeypatch, count):
    monkeypatch.setattr("nets.experiments.jobs.cluster.CONNECT", 0.5)
    asked = jobs(count)
    ended = run_on_cluster(lambda: next(asked), cluster.scheduler_address, None, lambda: None)
    next(ended)
    holds(cluster, 4)
    cluster.close()
    with pytest.raises(ClusterError, match="was lost.*; what was done is kept"):
        list(ended)
