"""NumPy's files, .npy and .npz, whose sizes are known before anything is read."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lnsarith.host.files.reading import open_plain

__all__ = ["read_npy", "read_npz"]

FORMAT = np.lib.format
HEADERS = {(1, 0): FORMAT.read_array_header_1_0, (2, 0): FORMAT.read_array_header_2_0}
MEMBERS = 10_000


def read_npy(stream: BinaryIO, size: int) -> np.ndarray:
    """Return the array in a stream of so many bytes; ValueError unless they are just what
    its header says. Objects are refused."""
    version = FORMAT.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"NumPy files of version {version} are not read")
    shape, fortran, dtype = HEADERS[version](stream)
    rest = size - stream.tell()
    if dtype.kind not in "biufU" or math.prod(shape) * dtype.itemsize != rest or min(
            shape, default=0) < 0:
        raise ValueError(f"its header says {dtype} of shape {shape}, and {rest:,} bytes follow")
    data = stream.read(rest)
    if len(data) != rest:
        raise ValueError(f"{rest:,} bytes should follow its header, {len(data):,} do")
    return np.ndarray(shape, dtype, data, order="F" if fortran else "C").copy()


def read_npz(path: Path, most: int, packed: bool = False) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name, all of them together in at most so many bytes.

    Compressed ones are refused unless `packed`, so that no array takes more memory than
    it takes of the file. ValueError or zipfile.BadZipFile for a damaged file, BadFile for
    what is no plain one.
    """
    with open_plain(path, most) as stream, zipfile.ZipFile(stream) as archive:
        entries = archive.infolist()
        sizes = sum(entry.file_size for entry in entries)
        if len({entry.filename for entry in entries}) < len(entries) or len(entries) > MEMBERS:
            raise ValueError("two of its arrays have one name, or there are too many")
        if not packed and any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("its arrays are compressed, those of this program are not")
        if sizes > (most if packed else path.stat().st_size):
            raise ValueError(f"its arrays would take {sizes:,} bytes")
        return {entry.filename.removesuffix(".npy"): _member(archive, entry) for entry in entries}


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(entry) as stream:
        array = read_npy(stream, entry.file_size)  # type: ignore[arg-type]
        stream.read(1)  # at the end the checksum is compared
    return array
