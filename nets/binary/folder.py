"""A packed network as a folder of texts for $readmemh, with a manifest and golden vectors.

    manifest.json           kind, input, layers, golden vectors, sha256 of every file
    layerN_rows.hex         a row of bits a line, unit after unit, the last input first
    layerN_thresholds.hex   the threshold of each unit, of a hidden layer
    layerN_every.hex        of a layer with pooling, 1 for each unit that needs every bit of a
                            pooling window, 0 for one that needs any
    layerN_biases.hex       the bias of each class, of the last layer, two's complement
    golden_input.hex        bits of images, plane after plane, the most significant first
    golden_layerN.hex       the bits with which a hidden layer answers, pooled; those of a
                            convolution by row, column, unit
    golden_counts.hex       the last layer's counts of equal bits, the last class first
    golden_classes.hex      the class of each image

A row of a convolution has a window's bits by row, column, channel; around an image with
padding `same` lie bits 0, which stand for -1.

These texts are the network: reading them back is how it is run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fxp.run.popcount import words_of
from lnsarith.host.files.schema import listed, maybe, number, table, text
from nets.binary.packed import BitInput, PackedLayer, PackedNetwork
from nets.layers.window import Window
from nets.network.memh import (
    MANIFEST,
    file_name,
    read_folder,
    read_rows,
    read_words,
    words_text,
    write_folder,
)

__all__ = ["KIND", "MANIFEST", "read_export", "write_export"]

KIND = "lnsarith binary network 2"
SIZE = number(1, 64)
ROW = table({"name": text(most=100), "inputs": number(1, 1 << 20), "units": number(1, 1 << 16),
             "planes": number(1, 8), "count_bits": number(1, 62), "rows": file_name},
            {"thresholds": file_name, "biases": file_name, "bias_bits": number(1, 60),
             "fraction": number(0, 60), "shape": listed(number(1, 1 << 12), 3, 3),
             "window": SIZE, "stride": SIZE, "padding": text("valid", "same"), "pool": SIZE,
             "every": file_name})
FORMS = {"input": table({"pixels": number(1, 1 << 20), "planes": number(1, 8),
                         "threshold": maybe(number(0, 254))}),
         "layers": listed(ROW, 1, 1000)}
GOLDEN = 64


def write_export(folder: Path, network: PackedNetwork, about: dict,
                 images: np.ndarray) -> dict:
    """Write a packed network into a folder and return its manifest.

    about is plain data to be kept with it; images, uint8 rows x pixels, become golden
    vectors. The folder appears whole or not at all, and replaces one that this
    function wrote; RunError for any other that is not empty.
    """
    files = {**_layer_files(network), **_golden_files(network, images)}
    return write_folder(folder, _manifest(network, about, files, len(images)), files)


def read_export(folder: Path) -> tuple[PackedNetwork, dict]:
    """Return the network in a folder and its manifest; RunError if it is not whole."""

    def made(manifest: dict) -> tuple[PackedNetwork, dict[str, str]]:
        entry = BitInput(manifest["input"]["pixels"], manifest["input"]["threshold"])
        kinds = ["biases" in row for row in manifest["layers"]]
        if kinds != [False] * (len(kinds) - 1) + [True]:
            raise ValueError("layers must have thresholds, the last one alone biases")
        network = PackedNetwork(entry, [_read_layer(folder, row) for row in manifest["layers"]])
        images = _golden_images(folder, network, manifest["golden"]["images"])
        return network, _golden_files(network, images)

    return read_folder(folder, KIND, FORMS, made)


def _manifest(network: PackedNetwork, about: dict, files: dict[str, str], golden: int) -> dict:
    entry = network.entry
    return {
        "kind": KIND, **about,
        "input": {"pixels": entry.pixels, "planes": entry.planes, "threshold": entry.threshold},
        "layers": [_described(i, layer) for i, layer in enumerate(network.layers)],
        "golden": {"images": golden,
                   "files": [name for name in files if name.startswith("golden")]},
    }


def _described(i: int, layer: PackedLayer) -> dict:
    row = {"name": layer.name, "inputs": layer.inputs, "units": layer.units,
           "planes": layer.planes, "count_bits": (layer.span + 1).bit_length(),
           "rows": f"layer{i}_rows.hex"}
    if layer.window:
        w = layer.window
        row |= {"shape": list(w.shape), "window": w.size, "stride": w.stride,
                "padding": w.padding}
    if layer.pool:
        row |= {"pool": layer.pool.size, "every": f"layer{i}_every.hex"}
    if layer.thresholds is not None:
        return {**row, "thresholds": f"layer{i}_thresholds.hex"}
    return {**row, "biases": f"layer{i}_biases.hex", "bias_bits": _bias_bits(layer),
            "fraction": layer.fraction}


def _bias_bits(layer: PackedLayer) -> int:
    assert layer.biases is not None
    return 1 + max(int(b if b >= 0 else ~b).bit_length() for b in layer.biases)


def _layer_files(network: PackedNetwork) -> dict[str, str]:
    files = {}
    for i, layer in enumerate(network.layers):
        files[f"layer{i}_rows.hex"] = _rows_text(layer.rows, layer.depth)
        if layer.every is not None:
            files[f"layer{i}_every.hex"] = words_text(layer.every.astype(np.int64), 1)
        if layer.thresholds is not None:
            bits = (layer.span + 1).bit_length()
            files[f"layer{i}_thresholds.hex"] = words_text(layer.thresholds, bits)
        elif layer.biases is not None:
            files[f"layer{i}_biases.hex"] = words_text(layer.biases, _bias_bits(layer))
    return files


def _golden_files(network: PackedNetwork, images: np.ndarray) -> dict[str, str]:
    if not len(images):
        return {}
    first, *bits, counts = network.answers(images)
    planes, pixels = network.entry.planes, network.entry.pixels
    last = network.layers[-1]
    width = (last.span + 1).bit_length()
    words = [sum(count << (width * k) for k, count in enumerate(row)) for row in counts.tolist()]
    digits = -(-width * last.units // 4)
    files = {"golden_input.hex": _rows_text(first.reshape(-1, words_of(pixels)), pixels)}
    assert len(first) * planes == files["golden_input.hex"].count("\n")
    for i, (layer, array) in enumerate(zip(network.layers, bits)):
        files[f"golden_layer{i}.hex"] = _rows_text(array, layer.outputs)
    files["golden_counts.hex"] = "".join(f"{word:0{digits}x}\n" for word in words)
    files["golden_classes.hex"] = words_text(network.predict(images), 8)
    return files


def _rows_text(rows: np.ndarray, bits: int) -> str:
    """Return rows of uint64 words as one number a line, the highest bit first."""
    digits = -(-bits // 4)
    numbers = (row.tobytes()[::-1].hex() for row in rows.astype("<u8"))
    return "".join(f"{number[len(number) - digits:]}\n" for number in numbers)


def _read_layer(folder: Path, row: dict) -> PackedLayer:
    name, inputs, units = row["name"], row["inputs"], row["units"]
    window, pool = _windows(row)
    try:
        rows = _read_rows(folder / row["rows"], units, window.depth if window else inputs)
        every = read_words(folder / row["every"], 0, units).astype(bool) if pool else None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    layer = {"name": name, "inputs": inputs, "rows": rows, "planes": row["planes"],
             "window": window, "pool": pool, "every": every}
    if "thresholds" in row:
        return PackedLayer(**layer, thresholds=read_words(folder / row["thresholds"], 0, units))
    biases = read_words(folder / row["biases"], row["bias_bits"], units)
    return PackedLayer(**layer, biases=biases, fraction=row["fraction"])


def _windows(row: dict) -> tuple[Window | None, Window | None]:
    """Return the windows of a convolution and of its pooling."""
    if "window" not in row:
        return None, None
    window = Window(row["name"], tuple(row["shape"]), row["window"], row["stride"], row["padding"])
    if "pool" not in row:
        return window, None
    return window, Window(row["name"], (*window.out, row["units"]), row["pool"], row["pool"])


def _read_rows(path: Path, count: int, bits: int) -> np.ndarray:
    """Return rows of so many bits, the highest first, as uint64 words, the lowest first."""
    digits = read_rows(path, count, -(-bits // 4), 0)[:, ::-1]
    even = np.zeros((count, 16 * words_of(bits)), np.uint8)
    even[:, : digits.shape[1]] = digits
    return (even[:, ::2] | even[:, 1::2] << 4).view("<u8").astype(np.uint64)


def _golden_images(folder: Path, network: PackedNetwork, count: int) -> np.ndarray:
    """Return images of which the input makes the bits of the golden vectors."""
    entry = network.entry
    if not count:
        return np.empty((0, entry.pixels), np.uint8)
    rows = _read_rows(folder / "golden_input.hex", count * entry.planes, entry.pixels)
    bits = np.unpackbits(rows.astype("<u8").view(np.uint8), axis=1, bitorder="little")
    planes = bits[:, : entry.pixels].reshape(count, entry.planes, entry.pixels)
    return np.packbits(planes, axis=1)[:, 0] if entry.planes == 8 else planes[:, 0] * np.uint8(255)
