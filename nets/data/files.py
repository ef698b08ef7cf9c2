"""A user's own data: a folder of images (a folder a class), arrays, tables, IDX pairs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fxp.text.numbers import shown
from lnsarith.host.files.arrays import read_npy, read_npz
from lnsarith.host.files.reading import open_plain, read_text
from nets.data.download import DataError
from nets.data.idx import read_packed
from nets.data.images import read_images
from nets.data.own import OWN, of_arrays
from nets.data.sets import Dataset

__all__ = ["Own", "as_bytes", "as_dataset", "load_own", "ranges_of"]

MOST = 1 << 32  # bytes
LABELS = ("label", "class", "target", "y")
XS, YS = ("x", "images", "data", "features"), ("y", "labels", "target")
IDX = re.compile(r"(?:(?P<head>.*?)[-_.]?)?(?P<part>train|t10k|test)?[-_.]?"
                 r"(?P<what>images|labels)[-_.]idx[13](?:-ubyte|[-_.]ubyte)?(?:\.gz)?")


@dataclass(frozen=True, eq=False)
class Own:
    """Inputs (uint8 images or float32 features) with labels 0..classes-1 and what the classes
    are called; `parts` has those for training and for testing where the data tells them apart."""

    x: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    parts: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def test(self) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and labels to judge by: the test part, all of them where there is none."""
        rows = self.parts[1] if self.parts else slice(None)
        return self.x[rows], self.y[rows]

    def called(self, names: Sequence[str] | None) -> Own:
        """Return the data with its labels numbered as these names are; DataError for a class
        that is not among them. Without names, the data as it is."""
        if names is None or list(names) == list(self.names):
            return self
        missing = sorted({self.names[i] for i in np.unique(self.y)} - set(names))
        if missing:
            raise DataError(f"there is no class {missing[0]!r}; there are {', '.join(names)[:200]}")
        numbers = np.array([list(names).index(n) if n in names else -1 for n in self.names])
        return replace(self, y=numbers[self.y], names=tuple(names))


def load_own(path: str, size: tuple[int, int] | None = None, colours: bool | None = None,
             label: str | None = None) -> Own:
    """Return the data at a path: a folder of images or IDX files, an .npz, two .npy with a comma
    between, or a .csv. DataError, with the path, for anything else and what does not fit.

    size (rows, columns) is what images are scaled to, colours whether they keep three channels;
    label is the name of a table's column of labels.
    """
    try:
        found = _load(path, size, colours, label)
        _check(found)
        return found
    except FileNotFoundError as error:
        raise DataError(f"{error.filename or path}: there is no such file or folder") from None
    except DataError:
        raise
    except (ValueError, KeyError, EOFError) as error:
        text = " ".join(str(error).split())
        raise DataError(text if text.startswith(path) else f"{path}: {text}") from error


def as_dataset(own: Own) -> Dataset:
    """Return a data set to train on; of data in one part every fifth input of each class is a
    test input."""
    own = as_bytes(own)
    x, y = own.x, own.y
    if own.parts is None:
        return replace(of_arrays((x, y)), classes=len(own.names))
    train, test = own.parts
    return Dataset(OWN, x[train], y[train], x[test], y[test], len(own.names))


def ranges_of(own: Own) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the least and the greatest feature of each column over the training inputs, over
    all of them where there is one part; None for images."""
    if own.x.dtype == np.uint8:
        return None
    rows = own.parts[0] if own.parts else slice(None)
    return own.x[rows].min(axis=0), own.x[rows].max(axis=0)


def as_bytes(own: Own, ranges: tuple[np.ndarray, np.ndarray] | None = None) -> Own:
    """Return the data with features as bytes, 0..255 being each column's range: those given, or
    the data's own."""
    x, ranges = own.x, ranges or ranges_of(own)
    if ranges is None or x.dtype == np.uint8:
        return own
    low, high = ranges
    if low.shape != x.shape[1:]:
        raise DataError(f"features of {low.shape} are wanted, got {x.shape[1:]}")
    span = np.where(high > low, high - low, 1)
    x = np.clip(np.rint((x - low) / span * 255), 0, 255).astype(np.uint8)
    return replace(own, x=x.reshape(len(x), 1, -1) if x.ndim == 2 else x)


def _load(path: str, size, colours, label) -> Own:
    if "," in path and path.endswith(".npy"):
        x, y = (_array(Path(part)) for part in path.split(",", 1))
        return _labelled(x, y)
    place = Path(path)
    suffix = place.suffix.lower()
    if place.is_dir():
        pairs = [p for p in sorted(place.iterdir()) if IDX.fullmatch(p.name)]
        return _idx(place, pairs) if pairs else Own(*read_images(place, size, colours))
    if suffix == ".npz":
        return _npz(read_npz(place, MOST, packed=True))
    if suffix == ".csv":
        return _table(place, label)
    if suffix == ".npy":
        raise ValueError("arrays need labels: give both files, x.npy,y.npy")
    place.stat()
    raise ValueError("it is no folder, .npz, .csv, nor x.npy,y.npy")


def _array(path: Path) -> np.ndarray:
    with open_plain(path, MOST) as stream:
        return read_npy(stream, path.stat().st_size)


def _npz(arrays: dict[str, np.ndarray]) -> Own:
    lower = {k.lower(): v for k, v in arrays.items()}
    for x_name in XS:
        for y_name in YS:
            parts = [lower.get(f"{n}_{part}", lower.get(f"{part}_{n}")) for part in
                     ("train", "test") for n in (x_name, y_name)]
            found = [v for v in parts if v is not None]
            if len(found) == 4:
                own = _labelled(*(np.concatenate(found[i::2]) for i in (0, 1)))
                count = len(found[0])
                return replace(own, parts=(np.arange(count), np.arange(count, len(own.y))))
            if x_name in lower and y_name in lower:
                return _labelled(lower[x_name], lower[y_name])
    raise ValueError(f"an .npz has x and y (or x_train, y_train, x_test, y_test), this one has "
                     f"{shown(', '.join(arrays))}")


def _labelled(x: np.ndarray, y: np.ndarray) -> Own:
    y = y.reshape(len(y), -1)
    if y.shape[1] > 1 and set(np.unique(y).tolist()) <= {0, 1}:
        y = y.argmax(axis=1)  # one hot
    labels, names = _classes(y.ravel())
    return Own(x if x.dtype == np.uint8 else x.astype(np.float32), labels, names)


def _classes(y: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return labels as 0..n-1 and names: whole numbers keep their values, others are sorted."""
    try:
        numbers = y.astype(np.float64)
    except ValueError:
        numbers = np.array([np.nan])
    if np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all():
        labels = numbers.astype(np.int64)
        if labels.min(initial=0) < 0 or labels.max(initial=0) >= 1 << 16:
            raise ValueError(f"labels must be 0..{(1 << 16) - 1}, got {labels.min()}.."
                             f"{labels.max()}")
        return labels, tuple(map(str, range(int(labels.max(initial=0)) + 1)))
    names, labels = np.unique(y.astype(str), return_inverse=True)
    return labels.astype(np.int64), tuple(names.tolist())


def _table(path: Path, label: str | None) -> Own:
    rows = [row for row in csv.reader(io.StringIO(read_text(path, MOST))) if row]
    if len(rows) < 2:
        raise ValueError("a table has a line of names and at least one of numbers")
    head = [name.strip() for name in rows[0]]
    named = not all(_is_number(name) for name in head)
    names = head if named else [f"column {i}" for i in range(len(head))]
    place = _label_column(names, label)
    body = rows[1:] if named else rows
    wrong = next((i for i, row in enumerate(body, 1 + named) if len(row) != len(head)), None)
    if wrong is not None:
        raise ValueError(f"line {wrong} has not {len(head)} columns")
    try:
        x = np.array([[float(v) for i, v in enumerate(row) if i != place] for row in body],
                     np.float32)
    except ValueError as error:
        raise ValueError(f"a column other than {names[place]!r} is no number: {error}") from None
    labels, classes = _classes(np.array([row[place].strip() for row in body]))
    return Own(x, labels, classes)


def _label_column(names: list[str], label: str | None) -> int:
    if label is not None:
        if label not in names:
            raise ValueError(f"there is no column {label!r}; there are {', '.join(names)[:200]}")
        return names.index(label)
    lower = [name.lower() for name in names]
    return next((lower.index(n) for n in LABELS if n in lower), len(names) - 1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _idx(folder: Path, paths: list[Path]) -> Own:
    found: dict[str, dict[str, Path]] = {}
    for path in paths:
        match = IDX.fullmatch(path.name)
        assert match is not None
        part = {"t10k": "test"}.get(match["part"] or "", match["part"] or "all")
        found.setdefault(part, {})[match["what"]] = path
    whole = {part: pair for part, pair in found.items() if len(pair) == 2}
    if not whole:
        raise ValueError(f"{paths[0].name} has no file of labels or images beside it")
    arrays = {part: tuple(read_packed(folder, f"{pair[what].name.removesuffix('.gz')}.gz", dims,
                                      MOST) for what, dims in (("images", 3), ("labels", 1)))
              for part, pair in sorted(whole.items(), reverse=True)}  # train before test
    own = _labelled(*(np.concatenate([pair[i] for pair in arrays.values()]) for i in (0, 1)))
    if set(arrays) != {"train", "test"}:
        return own
    count = len(arrays["train"][0])
    return replace(own, parts=(np.arange(count), np.arange(count, len(own.y))))


def _check(own: Own) -> None:
    if own.x.ndim < 2 or not own.x.size:
        raise ValueError(f"inputs are rows of numbers or images, got an array of {own.x.shape}")
    if own.x.dtype.kind == "f" and not np.isfinite(own.x).all():
        raise ValueError("inputs hold NaN or infinity")
    if len(own.x) != len(own.y):
        raise ValueError(f"{len(own.x)} inputs need as many labels, got {len(own.y)}")
