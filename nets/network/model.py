"""A model on disk: the words of every parameter, byte for byte the same each time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from fxp.format import FormatError
from fxp.text.numbers import shown
from lnsarith.host.files.arrays import read_npz
from lnsarith.host.files.reading import BadFile, parse_json
from lnsarith.host.files.schema import check, mapping, number, table, text
from lnsarith.host.files.whole import write_whole
from nets.network.network import Network

__all__ = ["Model", "NotFinite", "RunError", "model_bytes", "most_bytes", "read_arrays",
           "read_model", "restore", "write_arrays", "write_atomic", "write_model"]

KIND = "lnsarith model 1"
META = table({"kind": text(), "epoch": number(0, 100_000), "step": number(0)}, open_ended=True)
MOST = 1 << 32  # bytes of a model's file
MASK = ".mask"  # of a parameter: 1 where pruning keeps it zero

T = TypeVar("T")


class RunError(ValueError):
    """A run folder that cannot be written, read, or gone on with."""


class NotFinite(RunError):
    """A training whose loss is no finite number any more."""


@dataclass(frozen=True)
class Model:
    """The words and format names of parameters after so many epochs and batches."""

    words: dict[str, np.ndarray]
    formats: dict[str, str]
    epoch: int
    step: int


def write_model(path: Path, network: Network, epoch: int) -> None:
    """Write an npz file of `model_bytes`."""
    write_atomic(path, model_bytes(network, epoch))


def model_bytes(network: Network, epoch: int) -> bytes:
    """Return an npz file without a trace of time, place or compressor.

    An entry `meta` holds JSON: kind, epoch, step, and each parameter's format.
    """
    ar, tensors = network.ar, network.kept()
    formats = {name: str(ar.formats[t.role]) for name, t in tensors.items()}
    meta = {"kind": KIND, "epoch": epoch, "step": ar.step, "formats": formats}
    arrays = {name: ar.words(t) for name, t in tensors.items()}
    masks = {name + MASK: mask.astype(np.uint8) for name, mask in network.masks.items()}
    return _packed({**arrays, **masks}, meta)


def write_arrays(path: Path, arrays: dict[str, np.ndarray], meta: dict) -> None:
    """Write arrays and plain data, its kind among it, as `read_arrays` takes them."""
    write_atomic(path, _packed(arrays, meta))


def _packed(arrays: dict[str, np.ndarray], meta: dict) -> bytes:
    return _pack({**arrays, "meta": np.array(json.dumps(meta, sort_keys=True))})


def most_bytes(network: Network) -> int:
    """Return what a model of a network takes on disk at most."""
    sizes = (network.ar.words(t) for t in network.kept().values())
    return (1 << 16) + sum(words.nbytes + words.size + 2048 for words in sizes)


def read_model(path: Path, most: int = MOST) -> Model:
    """Return the model in a file of at most so many bytes; RunError for what is none, or
    not whole."""

    def made(arrays: dict, meta: dict) -> Model:
        check(meta.get("formats"), mapping(text(most=64)), "formats")
        return Model(arrays, meta["formats"], meta["epoch"], meta["step"])

    return read_arrays(path, KIND, made, most)


def read_arrays(path: Path, kind: str, made: Callable[[dict, dict], T], most: int = MOST) -> T:
    """Return made(arrays, meta) of a file of at most so many bytes; RunError if it is none
    of that kind, not whole, or made complains. meta has kind, epoch and step."""
    try:
        arrays = read_npz(path, most)
        meta = parse_json(arrays.pop("meta", np.array("{}")).item())
        if not isinstance(meta, dict) or meta.get("kind") != kind:
            found = meta.get("kind") if isinstance(meta, dict) else meta
            raise ValueError(f"kind should be {kind!r}, is {shown(found)}")
        return made(arrays, check(meta, META))
    except PermissionError:
        raise
    except BadFile as error:
        raise RunError(f"{error}; delete it to train anew, or put a copy back") from error
    except Exception as error:  # broken files raise a dozen kinds
        raise RunError(
            f"{path} is no model of this program, or damaged ({error}); delete it to "
            "train anew, or put a copy back"
        ) from error


def restore(network: Network, model: Model, path: Path) -> None:
    """Put a model's words into a network; RunError, naming path, if they do not fit."""
    ar, tensors = network.ar, network.kept()
    for name, t in tensors.items():
        wanted = _describe(ar.words(t), str(ar.formats[t.role]))
        found = "missing"
        if name in model.words:
            found = _describe(model.words[name], model.formats.get(name, "unknown"))
        if wanted != found:
            raise RunError(
                f"{path} does not fit config.json: {name} should be {wanted}, "
                f"is {found}"
            )
    _demand_known(network, model, path)
    for name, t in tensors.items():
        ar.set_words(t, model.words[name])
    network.mask(_masks(network, model, path))
    ar.step = model.step


def _demand_known(network: Network, model: Model, path: Path) -> None:
    """Raise RunError for arrays that the network has no use for, and words outside their
    formats."""
    ar, tensors = network.ar, network.kept()
    for name, words in model.words.items():
        f = ar.formats[tensors[name].role] if name in tensors else None
        if f is None and not name.endswith(MASK):
            raise RunError(f"{path} does not fit config.json: it has {name[:60]!r} too")
        low, high = getattr(f, "words", (None, None))
        if low is not None and words.size and (words.min() < low or words.max() > high):
            raise RunError(f"{path} does not fit config.json: words of {name} must be "
                           f"{low}..{high}, got {words.min()}..{words.max()}")


def _masks(network: Network, model: Model, path: Path) -> dict[str, np.ndarray]:
    """Return the masks among a model's words; RunError if they do not fit."""
    masks = {name.removesuffix(MASK): words.astype(bool)
             for name, words in model.words.items() if name.endswith(MASK)}
    for name, mask in masks.items():
        t = network.parameters().get(name)
        if t is None or mask.shape != (t.rows, t.columns):
            wanted = f"{t.rows} x {t.columns}" if t else "missing"
            raise RunError(f"{path} does not fit config.json: {name}{MASK} should be {wanted}, "
                           f"is {' x '.join(map(str, mask.shape))}")
    return masks


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        write_whole(path, lambda part: part.write_bytes(content))
    except FormatError as error:
        raise RunError(str(error)) from error


def _pack(arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            array, part = arrays[name], io.BytesIO()
            array = array.astype(array.dtype.newbyteorder("<"), order="C")
            np.lib.format.write_array(part, array, (1, 0), allow_pickle=False)
            archive.writestr(entry, part.getvalue())
    return file.getvalue()


def _describe(words: np.ndarray, f: str) -> str:
    shape = " x ".join(map(str, words.shape))
    return f"{shape} words of {f} ({words.dtype.name})"
