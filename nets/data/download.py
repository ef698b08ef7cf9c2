"""Where the data sets come from, and a download that goes on where it broke off."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

__all__ = ["SOURCES", "DataError", "Source", "fetch_set", "missing"]

TRIES = 5  # of one mirror, as long as it answers; each goes on after the one before
TIMEOUT = (10, 30)  # seconds until a connection, and from one byte to the next


class DataError(Exception):
    """A data set that is not here, cannot be had, or is not what its name says."""


@dataclass(frozen=True)
class Source:
    """One data set: what it holds, in which files, and where they come from.

    hashes go with files: the sha256 of each, or inside an archive, whose own
    sha256 is archive_hash, the md5 of the unpacked content as far as known.
    """

    files: tuple[str, ...]  # training images and labels, test images and labels
    hashes: tuple[str, ...]
    mirrors: tuple[str, ...]
    size: int
    counts: tuple[int, int]
    classes: int = 10
    first_label: int = 0
    transposed: bool = False
    archive: str = ""
    archive_hash: str = ""


def _files(train: str, test: str) -> tuple[str, ...]:
    kinds = ("images-idx3", "labels-idx1")
    return tuple(f"{part}-{kind}-ubyte.gz" for part in (train, test) for kind in kinds)


# Eight public projects agree on the hash of the archive. For the digits inside no
# hash is confirmed: they rest on the archive's, on their structure and their counts.
_EMNIST: dict[str, Any] = {
    "mirrors": ("https://biometrics.nist.gov/cs_links/EMNIST/",),
    "size": 561_753_746,
    "transposed": True,
    "archive": "gzip.zip",
    "archive_hash": "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
}

SOURCES = {
    "mnist": Source(
        files=_files("train", "t10k"),
        hashes=(
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        size=11_594_722,
        counts=(60_000, 10_000),
    ),
    "fashion-mnist": Source(
        files=_files("train", "t10k"),
        hashes=(
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        size=30_878_645,
        counts=(60_000, 10_000),
    ),
    "emnist-digits": Source(
        files=_files("emnist-digits-train", "emnist-digits-test"),
        hashes=("", "", "", ""),
        counts=(240_000, 40_000),
        **_EMNIST,
    ),
    "emnist-letters": Source(
        files=_files("emnist-letters-train", "emnist-letters-test"),
        hashes=(
            "6b7a6cdb4e8ae8838780bb5aeda8ab2a",
            "",
            "811ee95d607652077616dbaaea581e1d",
            "",
        ),
        counts=(124_800, 20_800),
        classes=26,
        first_label=1,
        **_EMNIST,
    ),
}


@dataclass
class Resumable:
    """A pooch downloader that keeps what came in part and asks only for the rest."""

    part: Path
    progress: bool
    again: bool = False  # whether asking the same server once more can help

    def __call__(self, url, output_file, pooch):
        import requests

        start = self.part.stat().st_size if self.part.exists() else 0
        # Without identity a server may unpack the .gz on its way.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        self.again = False
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            # 416: nothing comes after the part; its hash tells whether it is whole.
            if answer.status_code != 416:
                answer.raise_for_status()
                start = start if answer.status_code == 206 else 0
                self._save(answer, start)
        self.again = start > 0  # the part may have been another file's: start afresh
        os.replace(self.part, output_file)

    def _save(self, answer, start: int) -> None:
        from tqdm import tqdm

        self.again = True
        length = answer.headers.get("Content-Length")
        bar = tqdm(
            desc=self.part.stem,
            initial=start,
            total=start + int(length) if length else None,
            unit="B",
            unit_scale=True,
            disable=None if self.progress else True,  # None: unless on a terminal
        )
        with open(self.part, "ab" if start else "wb") as file, bar:
            for block in answer.raw.stream(1 << 16, decode_content=False):
                file.write(block)
                bar.update(len(block))


def _fetch(mirrors: tuple[str, ...], path: Path, sha256: str, progress: bool) -> None:
    """Have path with that content, from the first mirror that serves it."""
    import pooch
    from urllib3.exceptions import HTTPError

    pooch.get_logger().setLevel("WARNING")  # it would announce every file on stderr
    if path.exists() and pooch.file_hash(path) == sha256:
        return
    part, name = path.parent / ".part", path.name  # all that is unfinished is in part
    get = Resumable(part / f"{name}.part", progress)
    faults = {}
    for mirror in mirrors:
        for _ in range(TRIES):
            try:
                pooch.retrieve(mirror + name, sha256, name, part, downloader=get)
                return os.replace(part / name, path)
            except (OSError, ValueError, HTTPError) as error:
                faults[urlsplit(mirror).netloc] = _reason(error)
            if not get.again:
                break
    raise DataError("; ".join(f"{host}: {fault}" for host, fault in faults.items()))


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError):
        return str(error).split(" for url")[0]
    if isinstance(error, requests.RequestException):
        return "no connection"
    if isinstance(error, OSError):
        return str(error)
    return "wrong sha256" if isinstance(error, ValueError) else "connection broken off"


def missing(name: str, folder: Path) -> list[str]:
    """Return the files of a data set that folder has neither packed nor unpacked."""
    return [
        file
        for file in SOURCES[name].files
        if not any(map(os.path.isfile, (folder / file, folder / file[: -len(".gz")])))
    ]


def fetch_set(name: str, home: Path, progress: bool = True) -> None:
    """Download into home/name the files that it lacks or has with other content."""
    source, folder = SOURCES[name], home / name
    try:
        if source.archive:
            _fetch_archive(name, home, progress)
        else:
            for file, sha256 in zip(source.files, source.hashes, strict=True):
                _fetch(source.mirrors, folder / file, sha256, progress)
            shutil.rmtree(folder / ".part", ignore_errors=True)
    except (DataError, OSError, KeyError, zipfile.BadZipFile) as error:
        files = ", ".join(missing(name, folder) or source.files)
        raise DataError(
            f"{name}: could not download {files} to {folder} ({error}); put them there "
            "by hand, or use --dataset digits, which needs no download"
        ) from error


def _fetch_archive(name: str, home: Path, progress: bool) -> None:
    """Unpack every set that the archive of name holds and home lacks; then drop it."""
    source = SOURCES[name]
    archive = home / ".part" / source.archive
    _fetch(source.mirrors, archive, source.archive_hash, progress)
    for other, its in SOURCES.items():
        if its.archive and (other == name or missing(other, home / other)):
            _unpack(archive, its, home / other)
    shutil.rmtree(archive.parent, ignore_errors=True)


def _unpack(archive: Path, source: Source, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    part = archive.parent / "member.part"
    with zipfile.ZipFile(archive) as packed:
        members = {PurePosixPath(member).name: member for member in packed.namelist()}
        for file, md5 in zip(source.files, source.hashes, strict=True):
            with packed.open(members[file]) as stream, open(part, "wb") as target:
                shutil.copyfileobj(stream, target)
            if md5 and _content_md5(part) != md5:
                raise DataError(f"{archive.name} holds another {file}")
            os.replace(part, folder / file)


def _content_md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with gzip.open(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
