"""Data sets of labelled images: found on this machine, or downloaded when asked for."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from nets.data import cifar
from nets.data.colour import BACKGROUNDS, coloured
from nets.data.download import SOURCES, DataError, Source, fetch_set, missing
from nets.data.idx import read_packed, upright

__all__ = ["NAMES", "DataError", "Dataset", "catalogue", "get", "load"]

# MNIST on colour backgrounds, made when they are loaded.
COLOURED = {f"mnist-{name}": name for name in BACKGROUNDS}
NAMES = (*SOURCES, "cifar-10", "digits", *COLOURED)
PIXELS = 28 * 28  # of an image of SOURCES
PathName = str | os.PathLike[str] | None
Pair = tuple[np.ndarray, np.ndarray]

# The two use the same file names. The sha256 of the test labels tells them apart,
# however they are packed.
_OWNERS = {
    "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5": "mnist",
    "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9": "fashion-mnist",
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images as uint8, number x height x width, coloured ones x 3; labels as int64 in
    0..classes-1."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: int


def load(name: str, data_dir: PathName = None, progress: bool = True) -> Dataset:
    """Return a data set from data_dir, $LNSARITH_DATA or the user's cache.

    The first of the three that is given counts alone: DataError when it lacks
    the files. Only the user's cache is filled by a download. A set is taken with
    as many images as its files hold, so a part of MNIST is fine.
    """
    _check_name(name)
    if name == "digits":
        return _digits()
    if name in COLOURED:
        return _coloured(name, load("mnist", data_dir, progress))
    home, given = _home(data_dir)
    if name == "cifar-10":
        return _cifar(home, given, progress)
    folder = _folder(name, home)
    if absent := missing(name, folder):
        if given:
            raise DataError(
                f"{name}: no {', '.join(absent)} in {folder}; put them there, "
                f"{_remedy(name, home)}, or use --dataset digits, which needs no files"
            )
        return _download(name, home, progress)
    return _open(name, folder, home)


def get(name: str, data_dir: PathName = None, progress: bool = True) -> dict:
    """Download what is missing or broken in data_dir or where load looks without it.

    Returns the data set's row of the catalogue.
    """
    _check_name(name)
    home, _ = _home(data_dir)
    if name in COLOURED:
        get("mnist", data_dir, progress)
    elif name != "digits":
        try:
            load(name, home)
        except DataError:
            if name == "cifar-10":
                cifar.fetch(home, progress)
            else:
                _download(name, home, progress)
    return _row(name, home)


def catalogue(data_dir: PathName = None) -> list[dict]:
    """Return a row for each data set; found is None where it is not here."""
    home, _ = _home(data_dir)
    return [_row(name, home) for name in NAMES]


def _row(name: str, home: Path) -> dict:
    if name == "digits":
        row = {"shape": [8, 8], "classes": 10, "train": 1442, "test": 355}
        return {"name": name, **row, "download_bytes": 0, "found": "scikit-learn"}
    if name in COLOURED:
        note = "made from mnist, not the original PolyMNIST"
        return {**_row("mnist", home), "name": name, "shape": [28, 28, 3], "note": note}
    if name == "cifar-10":
        row = {"shape": [32, 32, 3], "classes": 10, "train": 50_000, "test": 10_000}
        place = cifar.find(home)
        return {"name": name, **row, "download_bytes": cifar.SIZE, "found": place and str(place)}
    source, folder = SOURCES[name], _folder(name, home)
    train, test = source.counts
    try:
        here = not missing(name, folder) and _owner(name, folder) == name
    except ValueError:
        here = True  # and broken, as load will say
    return {
        "name": name,
        "shape": [28, 28],
        "classes": source.classes,
        "train": train,
        "test": test,
        "download_bytes": source.size,
        "found": str(folder) if here else None,
    }


def _check_name(name: str) -> None:
    if name == "own":  # what nets.data.own calls it
        raise DataError("data of one's own has no name to be found by: --data takes it, where a "
                        "command has that")
    if name not in NAMES:
        raise DataError(f"no data set is called {name!r}; there are {', '.join(NAMES)}")


def _home(data_dir: PathName) -> tuple[Path, bool]:
    """Return the folder of the data sets' folders, and whether the user named it."""
    if named := data_dir or os.environ.get("LNSARITH_DATA"):
        return Path(named).expanduser(), True
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("lnsarith")) / "data", False


def _folder(name: str, home: Path) -> Path:
    """Return home/name, or home itself where more of the files lie there."""
    return min(home / name, home, key=lambda folder: len(missing(name, folder)))


def _remedy(name: str, home: Path) -> str:
    return f"run `lnsarith data get {name} --data-dir {shlex.quote(str(home))}`"


def _download(name: str, home: Path, progress: bool) -> Dataset:
    fetch_set(name, home, progress)
    data = _open(name, home / name, home)
    counts = len(data.train_labels), len(data.test_labels)
    if counts != SOURCES[name].counts:
        raise DataError(
            f"{name}: {home / name} must hold {SOURCES[name].counts} training and test "
            f"images, got {counts}; delete the folder and download again"
        )
    return data


def _cifar(home: Path, given: bool, progress: bool) -> Dataset:
    """Return CIFAR-10 from home, downloaded there unless the user named the place."""
    place = cifar.find(home)
    if place is None and given:
        raise DataError(
            f"cifar-10: neither {' nor '.join(cifar.ARCHIVES)} in {home}; put one there, "
            f"{_remedy('cifar-10', home)}, or use --dataset digits, which needs no files"
        )
    place = place or cifar.fetch(home, progress)
    try:
        return Dataset("cifar-10", *cifar.read(place), classes=10)
    except ValueError as error:
        raise DataError(
            f"cifar-10 in {place.parent}: {error}; to fetch it anew, {_remedy('cifar-10', home)}"
        ) from error


def _open(name: str, folder: Path, home: Path) -> Dataset:
    """Return the data set whose files folder holds; DataError where they are amiss."""
    source = SOURCES[name]
    try:
        train = _pair(folder, source.files[:2], source)
        test = _pair(folder, source.files[2:], source)
        if train[0].shape[1:] != test[0].shape[1:]:
            raise ValueError("training and test images differ in size")
        if (owner := _owner(name, folder)) != name:
            raise ValueError(f"this is {owner}, use --dataset {owner}")
    except ValueError as error:
        raise DataError(
            f"{name} in {folder}: {error}; to fetch it anew, {_remedy(name, home)}"
        ) from error
    return Dataset(name, *train, *test, source.classes)


def _owner(name: str, folder: Path) -> str:
    """Return which data set the test labels in folder belong to, name if unknown."""
    labels = read_packed(folder, SOURCES[name].files[3], 1, max(SOURCES[name].counts))
    return _OWNERS.get(hashlib.sha256(labels.tobytes()).hexdigest(), name)


def _pair(folder: Path, files: tuple[str, ...], source: Source) -> Pair:
    most = max(source.counts)
    images = read_packed(folder, files[0], 3, most * PIXELS)
    labels = read_packed(folder, files[1], 1, most)
    if len(images) != len(labels) or not len(labels):
        raise ValueError(
            f"{len(images)} images in {files[0]}, {len(labels)} labels in {files[1]}"
        )
    first, last = source.first_label, source.first_label + source.classes - 1
    low, high = labels.min(), labels.max()
    if low < first or last < high:
        raise ValueError(f"{files[1]} must hold {first}..{last}, holds {low}..{high}")
    if source.transposed:
        images = upright(images)
    return images, labels.astype(np.int64) - first


def _coloured(name: str, base: Dataset) -> Dataset:
    train, test = ((coloured(COLOURED[name], images, labels, part), labels)
                   for part, (images, labels) in enumerate((
                       (base.train_images, base.train_labels),
                       (base.test_images, base.test_labels))))
    return Dataset(name, *train, *test, base.classes)


def _digits() -> Dataset:
    """Return scikit-learn's digits; of each class every fifth image is a test image."""
    rows = _digits_table()
    images = ((rows[:, :64].reshape(-1, 8, 8) * 255 + 8) // 16).astype(np.uint8)
    labels = rows[:, 64]
    test = np.zeros(len(labels), bool)
    for label in range(10):
        test[np.flatnonzero(labels == label)[4::5]] = True
    train = ~test
    return Dataset(
        "digits", images[train], labels[train], images[test], labels[test], classes=10
    )


@lru_cache(maxsize=1)
def _digits_table() -> np.ndarray:
    """Return a row for each digit: 64 pixels of 0..16 and the label.

    The file within scikit-learn is read where it lies: to import the package takes as long as
    all else that a training of the digits loads.
    """
    found = importlib.util.find_spec("sklearn")
    for place in found and found.submodule_search_locations or ():
        path = Path(place, "datasets", "data", "digits.csv.gz")
        if path.is_file():
            return np.loadtxt(path, dtype=np.int64, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target]).astype(np.int64)
