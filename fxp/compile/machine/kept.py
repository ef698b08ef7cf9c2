"""Bytes kept between runs, one file an entry, each under a checksum.

The folder is named by a digest of the sources of all of `fxp`, the compiler's versions and
the processor, so a stale entry cannot be met. What is there and is not what was
written (cut short, another's, not a file) counts as absent and is written anew. What cannot
be written there goes to a folder of the user's own among the temporary files; where that
cannot be either, the bytes serve the process that has them. All is told to the log
`fxp.compile.machine.kept`.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
import sys
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import llvmlite
import numba
import platformdirs

from fxp.compile.machine.target import config, target

__all__ = ["folder", "read", "report_damage", "write"]

SOURCES = Path(__file__).parents[2]  # fxp: what lies above reaches kernels as text or a plan
MARK = b"lnsarith kept 1\n"
OLD = 3600  # seconds
HEAD = len(MARK) + 8 + 32  # the mark, how many bytes follow, their checksum with the name
_log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def folder() -> Path:
    """Return the folder of the entries: in $LNSARITH_CACHE or the user's cache."""
    chosen = os.environ.get("LNSARITH_CACHE")
    base = Path(chosen) if chosen else platformdirs.user_cache_path("lnsarith") / "kernels"
    return base.absolute() / _digest()


def _spare(make: bool = False) -> Path:
    """Return the folder that takes what cannot be written into `folder`.

    Code is read from it, so it has to be the user's own and closed to others: OSError if it
    is not, or not there.
    """
    if not hasattr(os, "getuid"):
        raise OSError("users have no number here")
    base = Path(tempfile.gettempdir()) / f"lnsarith-{os.getuid()}"
    if make:
        base.mkdir(mode=0o700, exist_ok=True)
    what = base.lstat()
    if not stat.S_ISDIR(what.st_mode) or what.st_uid != os.getuid() or what.st_mode & 0o022:
        raise OSError(f"{base} is another's, or open to others")
    return base / folder().name


def _digest() -> str:
    """Return a digest of everything but the plan, or a module's text, that decides machine
    code."""
    sha = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*.py")):
        sha.update(path.read_bytes())
    features = config.CPU_FEATURES
    versions = (sys.version_info[:2], numba.__version__, llvmlite.__version__)
    sha.update(repr((versions, target().level, config.CPU_NAME, features)).encode())
    return sha.hexdigest()[:16]


def read(name: str) -> bytes | None:
    """Return what was written under this name, None if that is not there."""
    data = _read(folder(), name)
    if data is None:
        with suppress(OSError):
            data = _read(_spare(), name)
    return data


def _read(place: Path, name: str) -> bytes | None:
    try:
        data = _read_whole(place / name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        report_damage(name, error.strerror or str(error), place)
        return None
    kept = data[HEAD:]
    if data[:HEAD] != _head(name, kept):
        report_damage(name, "it is not what was written", place)
        return None
    return kept


def report_damage(name: str, why: str, place: Path | None = None) -> None:
    """Log that an entry is of no use and will be made anew."""
    _log.info("%s is damaged, and made anew: %s", (place or folder()) / name, why)


def write(name: str, data: bytes) -> None:
    """Keep bytes under a name, whole or not at all, in the place of older ones."""
    try:
        _write(folder(), name, data)
    except OSError as error:
        why = error.strerror or str(error)
        try:
            _write(_spare(make=True), name, data)
        except OSError:
            _report_unkept(folder(), "serves this process alone", why)
        else:
            _report_unkept(folder(), f"goes to {_spare()}", why)


def _write(place: Path, name: str, data: bytes) -> None:
    place.mkdir(parents=True, exist_ok=True)
    _clear_away(place)
    _put(place / name, _head(name, data) + data)


def _clear_away(folder: Path) -> None:
    """Remove what killed writes left: a write takes a second."""
    for part in folder.glob(".*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > OLD:
                part.unlink()


@lru_cache(maxsize=16)  # it is told once
def _report_unkept(folder: Path, instead: str, why: str) -> None:
    _log.info("compiled code cannot be kept in %s and %s: %s", folder, instead, why)


def _head(name: str, data: bytes) -> bytes:
    digest = hashlib.sha256(name.encode() + b"\n" + data).digest()
    return MARK + len(data).to_bytes(8, "big") + digest


def _read_whole(path: Path) -> bytes:
    """Return the bytes of a plain file as long as its head says; OSError for all else.

    It neither waits for a pipe nor reads what is longer.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        what = os.fstat(handle)
        head = os.read(handle, HEAD) if stat.S_ISREG(what.st_mode) else b""
        size = int.from_bytes(head[len(MARK) : len(MARK) + 8], "big")
        if len(head) != HEAD or what.st_size != HEAD + size:
            raise OSError("it is not a file that was written here")
        with open(handle, "rb", closefd=False) as file:
            return head + file.read(size)
    finally:
        os.close(handle)


def _put(path: Path, data: bytes) -> None:
    handle, part = tempfile.mkstemp(".part", f".{path.name}.{os.getpid()}.", path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
