"""Files and folders that appear whole or not at all.

What is being written lies beside its place as .NAME.HOST-PID-N.lnsarith.part, an older folder
on its way out as .NAME.HOST-PID-N.lnsarith.old. Whoever writes beside them, or reads a folder
that is missing, first clears away what killed processes left: those whose process, of this
host, is gone, and those older than a day. Nothing else is touched.
"""

from __future__ import annotations

import itertools
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fxp.format import FormatError

__all__ = ["clear_away", "is_left_over", "new_folder", "require_writable", "scratch",
           "write_folder_whole", "write_whole"]

OLD = 24 * 3600  # seconds: then a process with the same number is another one
HOST = re.sub(r"\W", "", platform.node(), flags=re.ASCII)[:24] or "host"
_LEFT = re.compile(r"\.(.+)\.(\w+)-(\d+)-\d+\.lnsarith\.(part|old)|lnsarith-(\d+)-\w+", re.ASCII)
_numbers = itertools.count()


def require_writable(path: str | Path) -> None:
    """Raise FormatError unless a file can be written to path."""
    path = Path(path)
    if path.is_dir():
        raise FormatError(f"cannot write {path}: it is a folder")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise FormatError(f"cannot write {path}: {error.strerror}") from None


def write_whole(path: str | Path, write: Callable[[Path], object]) -> None:
    """Put the file that write(part) makes at path; an older one stays if that fails.

    The content is on the disk before the name is. FormatError where it cannot be written.
    """
    path = Path(path)
    clear_away(path.parent)
    part = _beside(path, "part")
    try:
        write(part)
        _flush(part)
        part.replace(path)
    except OSError as error:
        raise FormatError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of an older one, an empty one or
    none at the end; OSError, and the older one stays, if that fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    clear_away(folder.parent)
    fresh, old = _beside(folder, "part"), _beside(folder, "old")
    fresh.mkdir()
    try:
        yield fresh
        for path in fresh.iterdir():
            _flush(path)
        if folder.exists():
            os.utime(folder)  # so that nobody takes it for an old one
            folder.replace(old)
        try:
            fresh.replace(folder)
        except OSError:
            if old.exists():
                old.replace(folder)
            raise
    finally:
        for rest in (fresh, old):
            shutil.rmtree(rest, ignore_errors=True)


def write_folder_whole(folder: Path, files: dict[str, str]) -> None:
    """Put a folder with these texts, by name, in the place of an older one or of none;
    OSError, and the older one stays, if that fails."""
    with new_folder(folder) as fresh:
        for name, text in files.items():
            (fresh / name).write_text(text)


@contextmanager
def scratch() -> Iterator[str]:
    """Give a folder for files that nobody needs in the end, among the system's temporary
    ones."""
    clear_away(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"lnsarith-{os.getpid()}-") as folder:
        yield folder


def clear_away(folder: Path) -> None:
    """Remove from a folder what killed writes left there; an older folder that was moved
    out of the way, with none in its place, is put back."""
    try:
        names = [name for name in os.listdir(folder) if _LEFT.fullmatch(name)]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            _clear(folder / name)


def is_left_over(path: Path) -> bool:
    """Whether a path has the name of something half written."""
    return bool(_LEFT.fullmatch(path.name)) or bool(re.fullmatch(r"\..+\.part", path.name))


def _clear(path: Path) -> None:
    match = _LEFT.fullmatch(path.name)
    assert match is not None
    name, host, pid, kind, scratch_pid = match.groups()
    status = path.lstat()
    at_work = host not in (None, HOST) or _lives(int(pid or scratch_pid))
    if at_work and time.time() - status.st_mtime < OLD or status.st_uid != os.getuid():
        return
    if kind == "old" and not path.with_name(name).exists():
        path.replace(path.with_name(name))
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _lives(pid: int) -> bool:
    """Whether a process has that number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return True


def _beside(path: Path, kind: str) -> Path:
    number = next(_numbers)
    return path.with_name(f".{path.name}.{HOST}-{os.getpid()}-{number}.lnsarith.{kind}")


def _flush(path: Path) -> None:
    """Have a file's content on the disk."""
    if path.is_file():
        with open(path, "rb") as stream:
            os.fsync(stream.fileno())
