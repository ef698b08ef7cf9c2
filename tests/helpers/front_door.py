"""The lnsarith command as its users see it: a process, its output, its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIGITS = ("train", "--dataset", "digits", "--no-plot", "--recipe", "icassp2020")


def start(*args, cwd, **kwargs):
    """Return the process of a command."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **kwargs.pop("env", {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-m", "lnsarith", *map(str, args)]
    return subprocess.Popen(command, cwd=cwd, env=env, **{**pipes, **kwargs})


def call(*args, cwd, **kwargs):
    """Return exit code, stdout and stderr of a command."""
    process = start(*args, cwd=cwd, **kwargs)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def answer(*args, cwd, **kwargs):
    """Return the object that a command prints with --json."""
    code, out, err = call(*args, "--json", cwd=cwd, **kwargs)
    assert code == 0, err
    assert out.count("\n") == 1
    return json.loads(out)


def assert_one_line(err, *words):
    assert err.startswith("lnsarith: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err
