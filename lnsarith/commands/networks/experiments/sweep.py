"""lnsarith sweep: train all runs that a file asks for, and keep them in a store."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from lnsarith.commands.common.options import add_data, integer, settings_by_name
from lnsarith.commands.networks.train.epochs import counted, say

__all__ = ["STORE", "duration", "options", "run", "swept"]

STORE = "runs/store.sqlite"


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = ("Runs that the store has are not trained again; a sweep that was broken off "
                     "goes on where it was.")
    parser.add_argument("file", metavar="FILE.toml", help="[settings], [grid], [[list]] and "
                        "[random] over all settings, seed among them")
    parser.add_argument("--store", metavar="FILE", help="SQLite file of the runs (default that "
                        f"of the file, else {STORE})")
    add_running(parser)
    parser.add_argument("--resume", action="store_true",
                        help="try runs again that failed before")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be trained")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(parser)


def add_running(parser: ArgumentParser) -> None:
    """Add where runs are trained."""
    parser.add_argument("--jobs", metavar="N", help="processes of this machine (default: one a "
                        "core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="train on the workers of a Dask "
                        "cluster instead, such as tcp://10.0.0.1:8786")


def run(args: Namespace) -> int:
    """Train what the store lacks; 1 if a run failed."""
    from nets.experiments.jobs.plan import read_plan

    plan = read_plan(Path(args.file), settings_by_name)
    path = Path(args.store or plan.store or STORE)
    if plan.skipped:
        say(f"{plan.skipped} combinations contradict themselves and are left out")
    if args.dry_run:
        return _tell(args, plan, path)
    found = swept(args, plan.runs, plan.name, path, args.resume)
    found["skipped"] = plan.skipped
    if args.json:
        print(json.dumps(found))
    else:
        print(f"{path}: {found['done']} trained, {found['already']} were there"
              + (f", {found['elsewhere']} by another sweep" if found["elsewhere"] else "")
              + (f", {found['failed']} failed" if found["failed"] else "")
              + f"; {duration(found['seconds'])}, {duration(found['run_seconds'])} of runs")
        if found["failed_before"]:
            print(f"{found['failed_before']} failed before (lnsarith runs list --where "
                  "state=failed); --resume tries them again")
    return 1 if found["failed"] or found["failed_before"] else 0


def swept(args: Namespace, settings, name: str, path: Path, again: bool = False) -> dict:
    """Train settings that the store at path lacks as args say; return counts and seconds."""
    from nets.experiments.jobs.job import job_for
    from nets.experiments.jobs.store import Store
    from nets.experiments.jobs.sweep import Sweep

    jobs = _jobs(args)
    begin = time.monotonic()
    wanted = {job.key: job for job in (job_for(s, args.data_dir) for s in settings)}
    with Store(path) as store:
        sweep = Sweep(store, name, list(wanted.values()), again)
        p = sweep.progress
        say(f"{path}: {counted(p.total, 'run')}, {p.already} of them there")
        try:
            sweep.run(_runner(args, jobs), partial(_report, sweep))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"; {p.ended} of {p.total} runs are kept in {path}; the same "
                                    "command goes on") from None
    return {"store": str(path), "sweep": name, "runs": p.total, "already": p.already,
            "done": p.done, "elsewhere": p.elsewhere, "failed": p.failed,
            "failed_before": sweep.failed_before, "seconds": time.monotonic() - begin,
            "run_seconds": p.seconds, "keys": list(wanted)}


def _jobs(args: Namespace) -> int:
    from lnsarith.commands.common.options import thread_count

    if args.jobs is not None and args.scheduler:
        raise ValueError("--jobs is of this machine: a cluster has as many as its workers; give "
                         "one of --jobs and --scheduler")
    if args.jobs is None:
        return thread_count(None)
    jobs = integer("jobs", args.jobs)
    if not 1 <= jobs <= 1024:
        raise ValueError(f"jobs must be 1..1024, got {jobs}")
    return jobs


def _runner(args: Namespace, jobs: int):
    if args.scheduler:
        from nets.experiments.jobs.cluster import run_on_cluster

        return lambda take, tick: run_on_cluster(take, args.scheduler, args.data_dir, tick)
    from nets.experiments.jobs.pool import run_here

    return lambda take, tick: run_here(take, jobs, args.data_dir, tick)


def _report(sweep, job, result: dict | None, error: str) -> None:
    p = sweep.progress
    seconds = sweep.remaining()
    left = "" if seconds is None or not sweep.left() else f"; about {duration(seconds)} left"
    what = (f"{100 * result['records']['test_accuracy'][-1]:.2f} % in "
            f"{duration(result['seconds'])}" if result else f"failed: {error}")
    say(f"[{p.ended}/{p.total}] {job.named}: {what}{left}")


def _tell(args: Namespace, plan, path: Path) -> int:
    from nets.settings.suited import default_name

    names = [default_name(s) for s in plan.runs]
    if args.json:
        print(json.dumps({"store": str(path), "sweep": plan.name, "runs": names,
                          "skipped": plan.skipped}))
    else:
        print("\n".join([*names, f"{counted(len(names), 'run')} for {path}"]))
    return 0


def duration(seconds: float) -> str:
    """Return seconds as people say them: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
