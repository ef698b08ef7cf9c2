"""CIFAR-10 in its binary version: five files of training records and one of test records.

A record is a label and 3,072 bytes, red, green and blue one after the other, each by
rows. The files lie in a folder, or in the archive that they are published in.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import shutil
import tarfile
import zlib
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from lnsarith.host.files.reading import BadFile, open_plain, read_bytes
from nets.data.download import DataError, Resumable

__all__ = ["ARCHIVES", "COUNTS", "SIZE", "fetch", "find", "read"]

COUNTS = (50_000, 10_000)
FILES = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
FOLDER = "cifar-10-batches-bin"
ARCHIVES = ("cifar-10-binary.tar.gz", f"{FOLDER}.tar.gz", f"{FOLDER}.tar.xz", f"{FOLDER}.tar")
URL = "https://www.cs.toronto.edu/~kriz/"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # of the published archive
SIZE = 170_052_171
RECORD = 1 + 3 * 32 * 32
LARGEST = 10_000 * RECORD  # bytes of a file
# Of the first training file: what it holds is CIFAR-10 and no other set of its kind.
FIRST = "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"


def find(home: Path) -> Path | None:
    """Return the folder or archive below home that holds the set, None without one."""
    for folder in (home / "cifar-10", home):
        for inner in (folder / FOLDER, folder):
            if all((inner / file).is_file() for file in FILES):
                return inner
        for name in ARCHIVES:
            if (folder / name).is_file():
                return folder / name
    return None


def read(place: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training images and labels, test images and labels; ValueError if damaged.

    Images are uint8, number x 32 x 32 x 3.
    """
    try:
        contents = _from_archive(place) if place.is_file() else {
            file: read_bytes(place / file, LARGEST) for file in FILES}
    except BadFile as error:
        raise ValueError(str(error).removeprefix(f"{place}{os.sep}")) from None
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError,
            ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{place.name} is damaged ({reason})") from error
    for file, content in contents.items():
        if not content or len(content) % RECORD:
            raise ValueError(f"{file} must hold records of {RECORD} bytes, holds {len(content)}")
    if len(contents[FILES[0]]) == 10_000 * RECORD and (
            hashlib.sha256(contents[FILES[0]]).hexdigest() != FIRST):
        raise ValueError(f"{FILES[0]} is not that of CIFAR-10")
    train = b"".join(contents[file] for file in FILES[:-1])
    return *_split(train, "training records"), *_split(contents[FILES[-1]], FILES[-1])


def fetch(home: Path, progress: bool) -> Path:
    """Download the archive into home/cifar-10 and return its path."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    folder = home / "cifar-10"
    part = folder / ".part"
    try:
        pooch.retrieve(URL + ARCHIVES[0], f"md5:{MD5}", ARCHIVES[0], part,
                       downloader=Resumable(part / f"{ARCHIVES[0]}.part", progress))
        os.replace(part / ARCHIVES[0], folder / ARCHIVES[0])
        shutil.rmtree(part, ignore_errors=True)
    except (OSError, ValueError) as error:
        raise DataError(
            f"cifar-10: could not download {ARCHIVES[0]} to {folder} ({error}); put it there "
            "by hand, or use --dataset digits, which needs no download") from error
    return folder / ARCHIVES[0]


def _from_archive(path: Path) -> dict[str, bytes]:
    """Return the files of an archive, which is read no further than they can take."""
    found: dict[str, bytes] = {}
    with open_plain(path) as plain, _unpacked(path, plain) as stream:
        with tarfile.open(fileobj=_Limited(stream), mode="r|") as archive:  # type: ignore
            for member in archive:
                name = Path(member.name).name
                if name not in FILES or not member.isreg():
                    continue
                if member.size > LARGEST or name in found:
                    raise ValueError(f"{name} has {member.size:,} bytes there, or comes twice")
                found[name] = archive.extractfile(member).read()  # type: ignore[union-attr]
    if lacking := [file for file in FILES if file not in found]:
        raise ValueError(f"there is no {', no '.join(lacking)} in it, as a plain file")
    return {file: found[file] for file in FILES}


def _unpacked(path: Path, plain):
    if path.suffix == ".tar":
        return nullcontext(plain)
    return gzip.open(plain) if path.suffix == ".gz" else lzma.open(plain)


class _Limited:
    """A stream to read, up to what the set and its archive's headers can take."""

    def __init__(self, stream):
        self._stream, self._left = stream, len(FILES) * LARGEST + (1 << 20)

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise ValueError("it holds more than CIFAR-10")
        return block


def _split(content: bytes, what: str) -> tuple[np.ndarray, np.ndarray]:
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() > 9:
        raise ValueError(f"labels of {what} must be 0..9, got {labels.max()}")
    images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels
