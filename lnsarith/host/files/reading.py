"""Reading files that others may have written, or damaged: plain files of a known size alone.

Every complaint is one line, a BadFile that begins with the file's path.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from fxp.format import FormatError
from fxp.text.numbers import real, whole
from lnsarith.host.files.schema import Form, check

__all__ = ["MOST_TEXT", "BadFile", "open_plain", "parse_json", "read_bytes", "read_json",
           "read_text", "read_toml"]

MOST_TEXT = 1 << 24  # bytes of JSON, TOML and logs: far more than any of them has


class BadFile(ValueError):
    """A file that is not what it should be."""


def open_plain(path: str | Path, most: int | None = None) -> BinaryIO:
    """Return a file, opened for reading. BadFile for a device, a pipe or one of more than
    `most` bytes, none of which is read; OSError where there is none, or a folder."""
    _demand_plain(path, os.stat(path), most)  # before it is opened: a pipe would wait
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        _demand_plain(path, os.fstat(descriptor), most)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(path: str | Path, most: int) -> bytes:
    """Return what a plain file of at most so many bytes holds."""
    with open_plain(path, most) as stream:
        return stream.read(os.fstat(stream.fileno()).st_size)  # takes room for what it is told


def read_text(path: str | Path, most: int = MOST_TEXT) -> str:
    """Return the UTF-8 text of a plain file."""
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is no text in UTF-8: byte {error.start} does not fit") from None


def read_json(path: str | Path, form: Form) -> Any:
    """Return the JSON of a file, which has that form."""
    text = read_text(path)
    try:
        return check(parse_json(text), form)
    except ValueError as error:
        raise BadFile(f"{path}: {error}") from None


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; ValueError for what is none, and for names that come
    twice in an object, numbers that are not finite, and integers beyond 64 bits."""
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_REAL,
                           parse_float=_REAL, parse_int=partial(_Number.read, whole))
        return _demand_numbers(found, "it")
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON ({error})") from None
    except RecursionError:
        raise ValueError("it is no JSON of ours: it is nested too deeply") from None


def read_toml(path: str | Path) -> dict[str, Any]:
    """Return the table in a file of TOML."""
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    text = read_text(path)
    try:
        return _demand_numbers(tomllib.loads(text, parse_float=_REAL), "it")
    except RecursionError:
        raise BadFile(f"{path} is not TOML: it is nested too deeply") from None
    except FormatError as error:
        raise BadFile(f"{path}: {error}") from None
    except ValueError as error:
        raise BadFile(f"{path} is not TOML: {error}") from None


def _demand_plain(path: str | Path, status: os.stat_result, most: int | None) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise BadFile(f"{path} is no plain file")
    if most is not None and status.st_size > most:
        raise BadFile(f"{path} has {status.st_size:,} bytes, more than the {most:,} that it can "
                      "need")


class _Number(NamedTuple):
    """A number that is none of ours, to be refused where the name of its place is known."""

    reader: Callable[[str, str], Any]
    digits: str

    @classmethod
    def read(cls, reader: Callable[[str, str], Any], digits: str) -> Any:
        """Return the number that digits mean, or what will refuse them."""
        try:
            return reader("it", digits)
        except FormatError:
            return cls(reader, digits)


_REAL = partial(_Number.read, real)


def _demand_numbers(value: Any, name: str) -> Any:
    """Return a value; FormatError, with the name of its place, if a number in it is none of
    ours."""
    if isinstance(value, _Number):
        value.reader(name, value.digits)
    elif isinstance(value, dict):
        for key, element in value.items():
            _demand_numbers(element, key[:40])
    elif isinstance(value, list):
        for element in value:
            _demand_numbers(element, name)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:40]!r} comes twice in it")
    return found
