"""Which model a command line or a folder is about, told before its options are read."""

from __future__ import annotations

import re
from pathlib import Path

from lnsarith.files import clear_away
from lnsarith.reading import read_json, read_text
from lnsarith.schema import table

__all__ = ["binary_folder", "binary_meant", "integer_folder"]

ANY = table({}, open_ended=True)


def binary_meant(argv: list[str]) -> bool:
    """Whether `train` is to train a binary network: by --model, by the file that
    --config names, or by the run in --out that --resume goes on with."""
    named = _value(argv, "--model")
    if named is not None:
        return named == "bnn"
    config = _value(argv, "--config")
    if config and re.search(r"""^\s*model\s*=\s*["']bnn["']""", _text(Path(config)), re.M):
        return True
    out = _value(argv, "--out")
    return bool("--resume" in argv and out and _model(Path(out)) == "bnn")


def binary_folder(folder: str) -> bool:
    """Whether a folder holds the run of a binary network, or one that was exported."""
    path = _run(folder)
    return _model(path) == "bnn" or _kind(path).startswith("lnsarith binary network")


def integer_folder(folder: str) -> bool:
    """Whether a folder holds a network that `quantize` made one of integers."""
    return _kind(_run(folder)).startswith("lnsarith integer network")


def _run(folder: str) -> Path:
    path = Path(folder)
    if not path.exists():
        clear_away(path.parent)  # which brings a folder back that was moved away
    return path.parent if path.name in ("model.npz", "manifest.json") else path


def _kind(folder: Path) -> str:
    return str(_object(folder / "manifest.json").get("kind", ""))


def _model(folder: Path):
    return _object(folder / "config.json").get("model")


def _object(path: Path) -> dict:
    try:
        return read_json(path, ANY)
    except (OSError, ValueError):
        return {}


def _text(path: Path) -> str:
    """Return a file's text, none where it cannot be read: others will complain."""
    try:
        return read_text(path)
    except (OSError, ValueError):
        return ""


def _value(argv: list[str], option: str) -> str | None:
    """Return what an option is given, the last one counting."""
    found = None
    for i, word in enumerate(argv):
        if word.startswith(option + "="):
            found = word.partition("=")[2]
        elif word == option and i + 1 < len(argv):
            found = argv[i + 1]
    return found
