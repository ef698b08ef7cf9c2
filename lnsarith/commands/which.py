"""Which kind of network a folder holds, told before it is opened."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["binary_folder", "integer_folder"]


def binary_folder(folder: str) -> bool:
    """Whether a folder holds a binary network that was exported."""
    return _kind(_run(folder)).startswith("lnsarith binary network")


def integer_folder(folder: str) -> bool:
    """Whether a folder holds a network that `quantize` made one of integers."""
    return _kind(_run(folder)).startswith("lnsarith integer network")


def _run(folder: str) -> Path:
    path = Path(folder)
    return path.parent if path.name in ("model.npz", "manifest.json") else path


def _kind(folder: Path) -> str:
    return str(_object(folder / "manifest.json").get("kind", ""))


def _object(path: Path) -> dict:
    try:
        found = json.loads(_text(path))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    """Return a file's text, none where it cannot be read: others will complain."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""
