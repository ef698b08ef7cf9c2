"""Folders of texts for $readmemh, with a manifest of sha256 sums, written whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from lnsarith.files import write_folder_whole
from nets.model import RunError

__all__ = ["MANIFEST", "is_folder", "read_folder", "read_words", "words_text", "write_folder"]

MANIFEST = "manifest.json"

T = TypeVar("T")


def is_folder(folder: Path, kind: str) -> bool:
    """Whether a folder holds a manifest of that kind."""
    try:
        return json.loads((folder / MANIFEST).read_text("utf-8")).get("kind") == kind
    except (OSError, ValueError, AttributeError):
        return False


def write_folder(folder: Path, manifest: dict, files: dict[str, str]) -> dict:
    """Write texts and the manifest, completed by their sha256 sums; return it.

    The folder appears whole or not at all, and replaces one of the same kind; RunError
    for any other that is not empty.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists() and not is_folder(folder, manifest["kind"]):
        if not folder.is_dir() or any(folder.iterdir()):
            raise RunError(f"{folder} exists and is no exported network; choose another folder")
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    manifest = {**manifest, "sha256": sums}
    try:
        write_folder_whole(folder, {**files, MANIFEST: json.dumps(manifest, indent=2) + "\n"})
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror or error}") from error
    return manifest


def read_folder(folder: Path, kind: str, made: Callable[[dict], T]) -> tuple[T, dict]:
    """Return made(manifest) and the manifest; RunError, with a cure, if the files are not
    those that were written, or made complains."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        if manifest.get("kind") != kind:
            raise ValueError(f"kind should be {kind!r}, is {manifest.get('kind')!r}")
        for name, wanted in manifest["sha256"].items():
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            if found != wanted:
                raise ValueError(f"{name} has sha256 {found[:12]}.., should be {wanted[:12]}..")
        return made(manifest), manifest
    except PermissionError:
        raise
    except FileNotFoundError as error:
        raise RunError(f"{folder} lacks {Path(str(error.filename)).name}; export it anew"
                       ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{folder} is no exported network, or damaged ({error}); export it anew"
                       ) from error


def words_text(words: np.ndarray, bits: int) -> str:
    """Return integers as hexadecimal words of so many bits, two's complement, one a line."""
    digits, mask = -(-bits // 4), (1 << bits) - 1
    return "".join(f"{word & mask:0{digits}x}\n" for word in words.ravel().tolist())


def read_words(path: Path, signed: int) -> np.ndarray:
    """Return the words of a file as int64, two's complement of so many bits unless 0."""
    words = np.array([int(line, 16) for line in path.read_text("ascii").split()], np.int64)
    return np.where(words >> (signed - 1) & 1, words - (1 << signed), words) if signed else words
