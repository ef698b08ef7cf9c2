"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from fxp.format import FormatError

__all__ = ["require_writable", "write_folder_whole", "write_whole"]


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
    """Put the file that write(part) makes at path; an older one stays if that fails."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(path)
    except OSError as error:
        raise FormatError(f"cannot write {path}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def write_folder_whole(folder: Path, files: dict[str, str]) -> None:
    """Put a folder with these texts, by name, in the place of an older one or of none;
    OSError, and the older one stays, if that fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = (Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
                  for _ in range(2))
    try:
        for name, text in files.items():
            (fresh / name).write_text(text)
        fresh.chmod(0o755)
        if folder.exists():
            folder.replace(old / folder.name)
        try:
            fresh.replace(folder)
        except OSError:
            if (old / folder.name).exists():
                (old / folder.name).replace(folder)
            raise
    finally:
        for rest in (fresh, old):
            shutil.rmtree(rest, ignore_errors=True)
