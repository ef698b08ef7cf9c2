"""Reading ONNX files that others have written: sizes are known before anything is read, and
nothing outside the file's folder is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from lnsarith.host.files.reading import BadFile, open_plain, read_bytes

__all__ = ["MOST", "attribute", "read_model", "tensor"]

MOST = 1 << 31  # bytes of a file, and of all its tensors together
FLOATS = ("FLOAT16", "FLOAT", "DOUBLE")


def read_model(path: Path):
    """Return the model in a file, an onnx.ModelProto without the weights beside it.

    BadFile for what is none, OSError where there is none.
    """
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(read_bytes(path, MOST))
    except DecodeError as error:
        raise BadFile(f"{path} is no ONNX file, or not whole ({error})") from None
    if not model.graph.node:
        raise BadFile(f"{path} is no ONNX file, or has no node")
    return model


def tensor(t, folder: Path | None, where: str = "") -> np.ndarray:
    """Return the array that a TensorProto holds, itself or in a file beside the model's.

    BadFile for a size that does not fit what is there, a type of less than a byte, a path
    out of the folder, and NaN.
    """
    from onnx import TensorProto, helper, numpy_helper

    name = t.name or where
    try:
        kind = helper.tensor_dtype_to_np_dtype(t.data_type)
        label = TensorProto.DataType.Name(t.data_type)
    except (KeyError, ValueError):
        raise BadFile(f"tensor {name[:60]!r} has no type that is known: {t.data_type}") from None
    if kind.kind not in "biuf" or label.startswith(("FLOAT8", "FLOAT4", "INT4", "UINT4", "INT2",
                                                    "UINT2", "BFLOAT")):
        raise BadFile(f"tensor {name[:60]!r} is of {label.lower()}: such words are not supported, "
                      "floats of 16 to 64 bits and whole numbers of 8 to 64 bits are")
    size = math.prod(t.dims) * kind.itemsize
    if min(t.dims, default=0) < 0 or size > MOST:
        raise BadFile(f"tensor {name[:60]!r} claims {' x '.join(map(str, t.dims))} numbers, more "
                      f"than the {MOST:,} bytes that are read")
    if t.data_location == TensorProto.EXTERNAL:
        found = _beside(t, folder, size, name).view(kind.newbyteorder("<")).reshape(t.dims)
        found = found.astype(kind)
    else:
        try:
            found = numpy_helper.to_array(t)
        except (ValueError, TypeError) as error:
            raise BadFile(f"tensor {name[:60]!r} is damaged: {error}") from None
    if found.dtype.kind == "f" and np.isnan(found).any():
        raise BadFile(f"tensor {name[:60]!r} holds NaN, which is not supported")
    return found


def _beside(t, folder: Path | None, size: int, name: str) -> np.ndarray:
    """Return the bytes of a tensor that lie in a file of the folder."""
    told = {entry.key: entry.value for entry in t.external_data}
    place = told.get("location", "")
    if folder is None or not place:
        raise BadFile(f"tensor {name[:60]!r} lies in a file that is not named")
    home = folder.resolve()
    path = (home / place).resolve()
    if not path.is_relative_to(home) or Path(place).is_absolute():
        raise BadFile(f"tensor {name[:60]!r} lies in {place[:80]!r}, outside the model's folder")
    try:
        first, count = int(told.get("offset", 0)), int(told.get("length", size))
    except ValueError:
        raise BadFile(f"tensor {name[:60]!r} has no place in {place[:80]!r}") from None
    with open_plain(path, 1 << 40) as stream:
        stream.seek(0, 2)
        whole = stream.tell()
        if count != size or first < 0 or first + count > whole:
            raise BadFile(f"tensor {name[:60]!r} takes bytes {first:,}..{first + count:,} of "
                          f"{place[:80]!r}, which has {whole:,}; {size:,} are needed")
        stream.seek(first)
        return np.frombuffer(stream.read(count), np.uint8)


def attribute(a, folder: Path | None):
    """Return the value of an attribute: a number, a text, a list of them, an array."""
    from onnx import AttributeProto, helper

    if a.type == AttributeProto.TENSOR:
        return tensor(a.t, folder, a.name)
    if a.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
        raise BadFile(f"attribute {a.name[:60]!r} holds a graph: control flow is not supported, "
                      "feed-forward networks are")
    value = helper.get_attribute_value(a)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return list(value) if a.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value
