"""IDX files, the format of MNIST and its relatives: packed or not, checked to the byte."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from lnsarith.host.files.reading import BadFile, open_plain

__all__ = ["read_idx", "read_packed", "upright"]


def read_packed(folder: Path, file: str, dims: int, most: int) -> np.ndarray:
    """Return the array in a file of a folder, packed or not, of at most so many bytes;
    ValueError if damaged, or larger."""
    path = folder / file
    packed = path.is_file()
    if not packed:
        path = path.with_suffix("")
    try:
        with open_plain(path) as plain, gzip.open(plain) if packed else plain as stream:
            return read_idx(stream, dims, most)
    except BadFile:
        raise ValueError(f"{path.name} is no plain file") from None
    except (OSError, EOFError, ValueError, MemoryError, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged ({error})") from error


def read_idx(stream, dims: int, most: int) -> np.ndarray:
    """Return the bytes of an IDX stream as an array with that many dimensions and at most so
    many bytes, which its header tells; no more than that is read."""
    magic, head = bytes([0, 0, 8, dims]), stream.read(4 + 4 * dims)
    if len(head) < 4 + 4 * dims:
        raise ValueError(f"it holds {len(head)} bytes, not even a header")
    if head[:4] != magic:
        raise ValueError(f"it must start with {magic.hex()}, not {head[:4].hex()}")
    shape = np.frombuffer(head, ">u4")[1:].tolist()
    if math.prod(shape) > most:
        raise ValueError(f"its header says {' x '.join(map(str, shape))} bytes, the data set has "
                         f"at most {most:,}")
    array = np.empty(shape, np.uint8)
    flat, filled = array.reshape(-1), 0
    while block := stream.read(1 << 20):  # a whole read would double the memory
        end = filled + len(block)
        if end > flat.size:
            raise ValueError(f"it must hold {flat.size} bytes, holds more")
        flat[filled:end] = np.frombuffer(block, np.uint8)
        filled = end
    if filled < flat.size:
        raise ValueError(f"it must hold {flat.size} bytes, holds {filled}")
    return array


def upright(images: np.ndarray) -> np.ndarray:
    """Transpose each image in place, block by block: EMNIST's digits take 188 MB."""
    count, height, width = images.shape
    turned = images.reshape(count, width, height)
    for start in range(0, count, 4096):
        block = images[start : start + 4096].transpose(0, 2, 1).copy()
        turned[start : start + 4096] = block
    return turned
