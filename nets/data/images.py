"""Folders of images: a folder a class, or a folder train and a folder test of such."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnsarith.host.files.reading import open_plain

__all__ = ["SUFFIXES", "read_images"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
MOST_BYTES, MOST_PIXELS, MOST_ALL = 1 << 28, 1 << 24, 1 << 32
PARTS = ("train", "test")


def read_images(folder: Path, size: tuple[int, int] | None, colours: bool | None):
    """Return images (uint8, n x h x w or n x h x w x 3), labels, the names of the classes, and
    which are for training and for testing, None where the folder does not say.

    Without a size all images must have one; without colours they are grey if all are grey.
    ValueError for a folder without classes and for what is no image.
    """
    if all((folder / part).is_dir() for part in PARTS):
        names = _names([folder / part for part in PARTS])
        parts = [_files(folder / part, names) for part in PARTS]
    else:
        names = _names([folder])
        parts = [_files(folder, names)]
    files = [pair for part in parts for pair in part]
    if not files:
        raise ValueError("there is no image in it: a folder of images has a folder a class, with "
                         f"{', '.join(SUFFIXES[:3])} and others in it")
    images = [_read(path, size, colours) for path, _ in files]
    if colours is None and any(image.ndim == 3 for image in images):
        images = [image if image.ndim == 3 else np.repeat(image[..., None], 3, 2)
                  for image in images]
    for (path, _), image in zip(files, images):
        if image.shape != images[0].shape:
            raise ValueError(f"{path.name} is of {image.shape[0]} x {image.shape[1]}, "
                             f"{files[0][0].name} of {images[0].shape[0]} x {images[0].shape[1]}; "
                             "say what to scale them to (--size 32,32)")
        if image.nbytes * len(files) > MOST_ALL:
            raise ValueError(f"{len(files):,} images of {image.shape} take more than "
                             f"{MOST_ALL:,} bytes")
    labels = np.array([label for _, label in files], np.int64)
    count = len(parts[0])
    split = (np.arange(count), np.arange(count, len(files))) if len(parts) == 2 else None
    return np.stack(images), labels, names, split


def _names(folders: list[Path]) -> tuple[str, ...]:
    """Return the names of the folders in these; numbers are ordered as such."""
    found = {p.name for folder in folders for p in folder.iterdir()
             if p.is_dir() and not p.name.startswith(".")}
    if all(name.isdigit() for name in found) and found:
        if max(map(int, found)) >= 1 << 16:
            raise ValueError(f"classes are numbered from 0, got {max(found, key=int)}")
        return tuple(map(str, range(max(map(int, found)) + 1)))
    return tuple(sorted(found))


def _files(folder: Path, names: tuple[str, ...]) -> list[tuple[Path, int]]:
    return [(path, label) for label, name in enumerate(names) if (folder / name).is_dir()
            for path in sorted((folder / name).iterdir()) if path.suffix.lower() in SUFFIXES]


def _read(path: Path, size: tuple[int, int] | None, colours: bool | None) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with open_plain(path, MOST_BYTES) as stream, Image.open(stream) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
            upright = ImageOps.exif_transpose(image)
            grey = upright.mode in ("L", "1", "I", "I;16", "F") if colours is None else not colours
            plain = upright.convert("L" if grey else "RGB")
            if size and plain.size != size[::-1]:
                plain = plain.resize(size[::-1], Image.Resampling.BILINEAR)
            return np.asarray(plain, np.uint8)
    except OSError as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from None
    except Exception as error:  # Pillow raises a dozen kinds for damaged files
        raise ValueError(f"{path} cannot be read as an image: {error}") from None
