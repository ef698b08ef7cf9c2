"""Commands run as processes of their own, with what they took."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.common.machine import ROOT

__all__ = ["Child", "run"]


class Child(NamedTuple):
    """What a process took: seconds from its start to its end, peak memory in MB."""

    seconds: float
    peak_mb: float
    stdout: str


def run(arguments: list[str], cache: Path | None = None) -> Child:
    """Run python with arguments, kernels in the folder cache; CalledProcessError if
    it fails."""
    command = [sys.executable, *arguments]
    environment = {**os.environ, **({"LNSARITH_CACHE": str(cache)} if cache else {})}
    with tempfile.TemporaryFile("w+") as output:
        begin = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command, text)
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return Child(seconds, usage.ru_maxrss * unit / 1e6, text)
