"""Which kind of network a folder holds, told before it is opened."""

from __future__ import annotations

from pathlib import Path

from lnsarith.host.files.reading import read_json
from lnsarith.host.files.schema import table
from lnsarith.host.files.whole import clear_away

__all__ = ["binary_folder", "imported_folder", "integer_folder"]

ANY = table({}, open_ended=True)


def binary_folder(folder: str) -> bool:
    """Whether a folder holds a binary network that was exported."""
    return _kind(_run(folder)).startswith("lnsarith binary network")


def integer_folder(folder: str) -> bool:
    """Whether a folder holds a network that `quantize` made one of integers."""
    return _kind(_run(folder)).startswith("lnsarith integer network")


def imported_folder(folder: str) -> bool:
    """Whether a folder holds a network that `import` took over."""
    return _kind(_run(folder)).startswith("lnsarith imported network")


def _run(folder: str) -> Path:
    path = Path(folder)
    if not path.exists():
        clear_away(path.parent)  # which brings a folder back that was moved away
    return path.parent if path.name in ("model.npz", "manifest.json") else path


def _kind(folder: Path) -> str:
    return str(_object(folder / "manifest.json").get("kind", ""))


def _object(path: Path) -> dict:
    try:
        return read_json(path, ANY)
    except (OSError, ValueError):
        return {}
