"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from fxp.format import FormatError

__all__ = ["require_writable", "write_whole"]


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
