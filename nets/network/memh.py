"""Folders of texts for $readmemh, with a manifest of sha256 sums, written whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from fxp.text.numbers import shown
from lnsarith.host.files.reading import BadFile, open_plain, read_bytes, read_json
from lnsarith.host.files.schema import Form, check, listed, mapping, number, table, text
from lnsarith.host.files.whole import clear_away, write_folder_whole
from nets.network.model import RunError

__all__ = ["MANIFEST", "file_name", "is_folder", "read_folder", "read_rows", "read_words",
           "require_about", "words_text", "write_folder"]

MANIFEST = "manifest.json"
SUM = "manifest_sha256"  # of the manifest without it
MOST = 1 << 30  # bytes of a file
HEX = np.full(256, 255, np.uint8)
HEX[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
# What eval and predict need of what is kept with a network.
ABOUT = {"dataset": text(most=100), "shape": listed(number(1, 1 << 12), 2, 3),
         "classes": number(1, 1 << 10), "epoch": number(0, 100_000)}

T = TypeVar("T")


def file_name(value, where: str) -> None:
    """Refuse what is no plain name of a text beside the manifest."""
    if not isinstance(value, str) or not re.fullmatch(r"\w{1,64}\.hex", value, re.ASCII):
        raise ValueError(f"{where} must be a file's name such as table.hex, got {shown(value)}")


def sums(value, where: str) -> None:
    """Refuse all but sha256 sums by files' names."""
    mapping(text(most=64))(value, where)
    for name in value:
        file_name(name, where)


ANY = table({}, open_ended=True)
GOLDEN = table({"images": number(0, 1 << 16), "files": listed(file_name, 0, 1000)})


def is_folder(folder: Path, kind: str) -> bool:
    """Whether a folder holds a manifest of that kind, of its first version or a later one."""
    try:
        return read_json(folder / MANIFEST, ANY).get("kind") in (kind, _first(kind))
    except (OSError, BadFile):
        return False


def write_folder(folder: Path, manifest: dict, files: dict[str, str]) -> dict:
    """Write texts and the manifest, completed by their sha256 sums and its own; return it.

    The folder appears whole or not at all, and replaces one of the same kind; RunError
    for any other that is not empty.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists() and not is_folder(folder, manifest["kind"]):
        if not folder.is_dir() or any(folder.iterdir()):
            raise RunError(f"{folder} exists and is no exported network; choose another folder")
    every = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    manifest = {**manifest, "sha256": every}
    manifest[SUM] = _own_sum(manifest)
    try:
        write_folder_whole(folder, {**files, MANIFEST: json.dumps(manifest, indent=2) + "\n"})
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror or error}") from error
    return manifest


def read_folder(folder: Path, kind: str, forms: dict[str, Form],
                made: Callable[[dict], tuple[T, dict[str, str]]]) -> tuple[T, dict]:
    """Return what is made of a manifest, and the manifest.

    made gives the network and its golden vectors' texts, computed anew. RunError, with a
    cure, if the manifest lacks the forms, a file is not the one that was written, a golden
    vector is another, or made complains. The first version had no sum of the manifest.
    """
    needed = {"kind": text(kind, _first(kind)), "sha256": sums, "golden": GOLDEN, **forms}
    try:
        if not folder.exists():
            clear_away(folder.parent)
        manifest = read_json(folder / MANIFEST, ANY)
        check(manifest, table({"kind": needed["kind"]}, open_ended=True))
        check(manifest, table(needed, open_ended=True))
        if manifest["kind"] == kind and _own_sum(manifest) != manifest.get(SUM):
            raise ValueError(f"{MANIFEST} is not what was written: its {SUM} is another")
        for name, wanted in manifest["sha256"].items():
            if (found := _file_sum(folder / name)) != wanted:
                raise ValueError(f"{name} has sha256 {found[:12]}.., should be {wanted[:12]}..")
        network, golden = made(manifest)
        _replay(folder, manifest, golden)
        return network, manifest
    except PermissionError:
        raise
    except FileNotFoundError as error:
        raise RunError(f"{folder} lacks {Path(str(error.filename)).name}; export it anew"
                       ) from error
    except (OSError, ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise RunError(f"{folder} is no exported network, or damaged ({error}); export it anew"
                       ) from error


def require_about(folder: Path, manifest: dict, others: dict[str, Form]) -> None:
    """Raise RunError unless a manifest tells of the data set what eval and predict need."""
    try:
        check(manifest, table({**ABOUT, **others}, open_ended=True))
    except ValueError as error:
        raise RunError(f"{folder / MANIFEST}: {error}; export it anew") from None


def words_text(words: np.ndarray, bits: int) -> str:
    """Return integers as hexadecimal words of so many bits, two's complement, one a line."""
    digits, mask = -(-bits // 4), (1 << bits) - 1
    return "".join(f"{word & mask:0{digits}x}\n" for word in words.ravel().tolist())


def read_words(path: Path, signed: int, count: int) -> np.ndarray:
    """Return the words of a file, so many, as int64: two's complement of `signed` bits
    unless that is 0. ValueError for another file."""
    digits = read_rows(path, count, -(-signed // 4) if signed else None, 15)
    words = np.zeros(count, np.int64)
    for column in digits.T:
        words = words << 4 | column
    if signed and (words >> signed).any():
        raise ValueError(f"{path.name} must hold words of {signed} bits, holds {words.max():x}")
    return np.where(words >> (signed - 1) & 1, words - (1 << signed), words) if signed else words


def read_rows(path: Path, count: int, wide: int | None, most: int) -> np.ndarray:
    """Return the hexadecimal digits of a file of so many lines, of just one width: `wide`,
    or what the file has, up to `most`; ValueError for another file."""
    data = np.frombuffer(read_bytes(path, count * ((wide or most) + 1)), np.uint8)
    digits = data.size // count - 1 if count else 0
    if data.size != count * (digits + 1) or digits != (digits if wide is None else wide):
        raise ValueError(f"{path.name} should have {count} lines of {wide or 'so many'} digits, "
                         f"has {data.size} bytes")
    rows = data.reshape(count, digits + 1)
    values = HEX[rows[:, :-1]]
    if (rows[:, -1] != ord("\n")).any() or (values == 255).any():
        raise ValueError(f"{path.name} should have {count} lines of {digits} hexadecimal digits")
    return values


def _replay(folder: Path, manifest: dict, golden: dict[str, str]) -> None:
    """Raise ValueError unless the golden vectors are those that the network gives."""
    if sorted(manifest["golden"]["files"]) != sorted(golden):
        raise ValueError("the list of its golden vectors is another")
    for name, wanted in golden.items():
        if read_bytes(folder / name, MOST) != wanted.encode():
            raise ValueError(f"it does not give the golden vectors in {name}")


def _first(kind: str) -> str:
    return kind[:-1] + "1"


def _own_sum(manifest: dict) -> str:
    rest = {key: value for key, value in manifest.items() if key != SUM}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _file_sum(path: Path) -> str:
    sha = hashlib.sha256()
    with open_plain(path, MOST) as stream:
        while block := stream.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()
