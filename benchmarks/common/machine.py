"""What a number was measured with: machine, date, commit, versions, threads, load."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path

from benchmarks import THREADS

__all__ = ["ROOT", "cores", "describe", "facts", "free_cores"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("numpy", "numba", "llvmlite", "torch", "xlns", "apytypes", "fxpmath")


def facts() -> dict:
    """Return the facts of this process as plain data; versions are null if absent.

    level is what kernels are compiled for, so NUMBA_CPU_NAME decides it too.
    """
    from fxp.compile.machine.target import target

    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--", ".", ":!benchmarks/results")),
        "cpu": _cpu(),
        "cores": cores(),
        "level": target().level,
        "numba_cpu_name": os.environ.get("NUMBA_CPU_NAME"),
        "load": _load(),
        "free_cores": free_cores(),
        "threads": {name: os.environ.get(name) for name in THREADS},
        "versions": {"python": platform.python_version()}
        | {name: _version(name) for name in PACKAGES},
    }


def describe(known: dict) -> str:
    """Return the facts in a few lines for a person."""
    found = {name: v for name, v in known["versions"].items() if v}
    dirty = " (with changes)" if known["dirty"] else ""
    load = "unknown" if known["load"] is None else f"{known['load']:.2f}"
    return "\n".join(
        [
            f"{known['cpu']}, {known['level']}",
            f"{known['cores']} cores, {known['free_cores']} of them free, load {load}",
            f"commit {known['commit']}{dirty}, {known['date']}",
            ", ".join(f"{name} {version}" for name, version in found.items()),
        ]
    )


def cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _load() -> float | None:
    """Return the load of the last minute, None where it is not told."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def free_cores() -> int:
    """Return how many cores others leave to this process at the moment.

    The load average would count this process too, and what ended a minute ago.
    """
    busy = 0
    for _ in range(10):
        time.sleep(0.05)
        try:
            running = Path("/proc/loadavg").read_text().split()[3]
        except OSError:
            return cores()
        busy = max(busy, int(running.partition("/")[0]) - 1)
    return max(cores() - busy, 0)


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _git(*args: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *args], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
