"""A model on disk: the words of every parameter, byte for byte the same each time."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from nets.network import Network

__all__ = ["Model", "NotFinite", "RunError", "read_arrays", "read_model", "restore",
           "write_arrays", "write_atomic", "write_model"]

KIND = "lnsarith model 1"
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
    """Write an npz file without a trace of time, place or compressor.

    An entry `meta` holds JSON: kind, epoch, step, and each parameter's format.
    """
    ar, tensors = network.ar, network.kept()
    formats = {name: str(ar.formats[t.role]) for name, t in tensors.items()}
    meta = {"kind": KIND, "epoch": epoch, "step": ar.step, "formats": formats}
    arrays = {name: ar.words(t) for name, t in tensors.items()}
    masks = {name + MASK: mask.astype(np.uint8) for name, mask in network.masks.items()}
    write_arrays(path, {**arrays, **masks}, meta)


def write_arrays(path: Path, arrays: dict[str, np.ndarray], meta: dict) -> None:
    """Write arrays and plain data, its kind among it, as `read_arrays` takes them."""
    text = np.array(json.dumps(meta, sort_keys=True))
    write_atomic(path, _pack({**arrays, "meta": text}))


def read_model(path: Path) -> Model:
    """Return the model in a file; RunError for what is none, or not whole."""
    return read_arrays(path, KIND, lambda arrays, meta: Model(
        arrays, dict(meta["formats"]), int(meta["epoch"]), int(meta["step"])))


def read_arrays(path: Path, kind: str, made: Callable[[dict, dict], T]) -> T:
    """Return made(arrays, meta) of a file; RunError if it is none of that kind, not
    whole, or made complains."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {
                name.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in archive.namelist()
            }
        meta = json.loads(arrays.pop("meta", np.array("{}")).item())
        if meta.get("kind") != kind:
            raise ValueError(f"kind should be {kind!r}, is {meta.get('kind')!r}")
        return made(arrays, meta)
    except PermissionError:
        raise
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
    for name, t in tensors.items():
        ar.set_words(t, model.words[name])
    network.mask(_masks(network, model, path))
    ar.step = model.step


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
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


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
