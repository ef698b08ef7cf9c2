"""An integer network as a folder of texts for $readmemh, with a manifest and golden vectors.

    manifest.json             kind, input, layers, golden vectors, sha256 of every file
    table.hex                 the word of each of the 256 values of a pixel
    layerN_weights.hex        channel after channel of the output, in each the inputs in order
                              (of a window by row, column, channel), two's complement
    layerN_biases.hex         a word of 32 bits for each channel
    layerN_multipliers.hex    for each channel that of sums from zero on, then, for each,
    layerN_negatives.hex      that of negative ones
    layerN_shifts.hex
    golden_input.hex          pixels of images, image after image
    golden_layerN.hex         the words with which a layer answers, two's complement
    golden_classes.hex        the class of each image

These texts are the network: reading them back is how it is run. What the numbers mean is
told in `nets.quantize.integer`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnsarith.host.files.schema import floating, listed, number, table, text
from nets.layers.window import Window
from nets.network.memh import (
    MANIFEST,
    file_name,
    is_folder,
    read_folder,
    read_words,
    words_text,
    write_folder,
)
from nets.quantize.integer import (
    IntegerAverage,
    IntegerExtreme,
    IntegerNetwork,
    IntegerProduct,
    IntegerStep,
    Rescale,
)

__all__ = ["GOLDEN", "KIND", "MANIFEST", "is_integers", "read_integers", "write_integers"]

KIND = "lnsarith integer network 2"
WORD = number(-(1 << 31), (1 << 31) - 1)
WINDOW = table({"shape": listed(number(1, 1 << 12), 3, 3), "size": number(1, 64),
                "stride": number(1, 64), "padding": text("valid", "same")})
RESCALED = {"outputs": table({"zero": WORD, "low": WORD, "high": WORD}),
            "multipliers": file_name, "negatives": file_name, "shifts": file_name}
PRODUCT = {**RESCALED, "depth": number(1, 1 << 22), "channels": number(1, 1 << 16),
           "weight_bits": number(8, 16), "weights": file_name, "biases": file_name,
           "inputs": table({"zero": WORD, "low": WORD, "high": WORD})}
ROWS = {"dense": PRODUCT, "conv": {**PRODUCT, "window": WINDOW},
        "average-pool": {**RESCALED, "window": WINDOW, "inputs": table({"zero": WORD})},
        "max-pool": {"window": WINDOW, "least": listed(number(0, 1 << 16))}}


def _row(value, where: str) -> None:
    """Refuse what is no layer's row of the manifest."""
    table({"kind": text(*ROWS)}, open_ended=True)(value, where)
    table({"name": text(most=100), "kind": text(), **ROWS[value["kind"]]})(value, where)


FORMS = {"layers": listed(_row, 1, 1000), "score_scale": floating(), "classes": number(1, 1 << 16),
         "input": table({"pixels": number(1, 1 << 20), "table": file_name, "bits": number(8, 16)})}
GOLDEN = 8  # images


def is_integers(folder: Path) -> bool:
    """Whether a folder holds the manifest of an integer network."""
    return is_folder(folder, KIND)


def write_integers(folder: Path, network: IntegerNetwork, about: dict,
                   images: np.ndarray) -> dict:
    """Write a network into a folder and return its manifest.

    about is plain data to be kept with it; images, uint8 rows x pixels, become golden
    vectors. RunError for a folder that holds something else.
    """
    files = {"table.hex": words_text(network.table, _bits(network.table))}
    layers = []
    for i, step in enumerate(network.steps):
        row, texts = _described(step, f"layer{i}_")
        layers.append(row)
        files.update(texts)
    files.update(_golden(network, images))
    entry = {"pixels": network.pixels, "table": "table.hex", "bits": _bits(network.table)}
    golden = {"images": len(images), "files": [n for n in files if n.startswith("golden")]}
    manifest = {"kind": KIND, **about, "score_scale": network.scale, "input": entry,
                "layers": layers, "golden": golden}
    return write_folder(folder, manifest, files)


def read_integers(folder: Path) -> tuple[IntegerNetwork, dict]:
    """Return the network in a folder and its manifest; RunError if it is not whole."""

    def made(manifest: dict) -> tuple[IntegerNetwork, dict[str, str]]:
        entry = manifest["input"]
        words = read_words(folder / entry["table"], entry["bits"], 256)
        steps = [_read(folder, row) for row in manifest["layers"]]
        network = IntegerNetwork(words, steps, float(manifest["score_scale"]))
        if network.pixels != entry["pixels"] or network.classes != manifest["classes"]:
            raise ValueError(f"the layers take {network.pixels} pixels and give "
                             f"{network.classes} classes, the manifest says "
                             f"{entry['pixels']} and {manifest['classes']}")
        count = manifest["golden"]["images"]
        images = np.empty((0, network.pixels), np.uint8)
        if count:
            images = read_words(folder / "golden_input.hex", 0, count * network.pixels)
        return network, _golden(network, images.astype(np.uint8).reshape(count, -1))

    return read_folder(folder, KIND, FORMS, made)


def _described(step: IntegerStep, prefix: str) -> tuple[dict, dict[str, str]]:
    """Return a layer's row of the manifest and its texts by file name."""
    row: dict = {"name": step.name, "kind": _kind(step)}
    if step.window is not None:
        w = step.window
        row["window"] = {"shape": list(w.shape), "size": w.size, "stride": w.stride,
                         "padding": w.padding}
    if isinstance(step, IntegerExtreme):
        return {**row, "least": np.flatnonzero(step.least).tolist()}, {}
    texts = {}
    if isinstance(step, IntegerProduct):
        depth, channels = step.weights.shape
        bits = _bits(step.weights)
        row.update(depth=depth, channels=channels, weight_bits=bits)
        row["inputs"] = dict(zip(("zero", "low", "high"), step.inputs))
        texts = {"weights": words_text(step.weights.T, bits), "biases": words_text(step.biases, 32)}
    else:
        row["inputs"] = {"zero": step.zero}
    r = step.rescale
    row["outputs"] = {"zero": r.zero, "low": r.low, "high": r.high}
    texts.update(multipliers=words_text(r.positive, 32), negatives=words_text(r.negative, 32),
                 shifts=words_text(r.shift, 8))
    names = {key: f"{prefix}{key}.hex" for key in texts}
    return {**row, **names}, {names[key]: text for key, text in texts.items()}


def _kind(step: IntegerStep) -> str:
    if isinstance(step, IntegerProduct):
        return "conv" if step.window else "dense"
    return "average-pool" if isinstance(step, IntegerAverage) else "max-pool"


def _read(folder: Path, row: dict) -> IntegerStep:
    name, kind, window = row["name"], row["kind"], None
    if kind != "dense":
        w = row["window"]
        height, width, channels = w["shape"]
        window = Window(name, (height, width, channels), w["size"], w["stride"], w["padding"])
    if kind == "max-pool" and window:
        least = np.zeros(window.shape[2], bool)
        least[row["least"]] = True
        return IntegerExtreme(name, window, least)
    out, inputs = row["outputs"], row["inputs"]
    channels = row["channels"] if window is None else _channels(row, window)
    positive, negative, shift = (_each(folder / row[key], channels, digits) for key, digits in
                                 (("multipliers", 8), ("negatives", 8), ("shifts", 2)))
    rescale = Rescale(positive, negative, shift, out["zero"], out["low"], out["high"])
    if kind == "average-pool" and window:
        return IntegerAverage(name, window, inputs["zero"], rescale)
    depth = row["depth"]
    weights = read_words(folder / row["weights"], row["weight_bits"], depth * channels)
    return IntegerProduct(name, weights.reshape(channels, depth).T.copy(),
                          read_words(folder / row["biases"], 32, channels), window,
                          (inputs["zero"], inputs["low"], inputs["high"]), rescale)


def _each(path: Path, channels: int, digits: int) -> np.ndarray:
    """Return the words of a file that has one for each channel, or one for all."""
    return read_words(path, 0, 1 if path.stat().st_size == digits + 1 else channels)


def _channels(row: dict, window: Window) -> int:
    return row["channels"] if row["kind"] == "conv" else window.shape[2]


def _golden(network: IntegerNetwork, images: np.ndarray) -> dict[str, str]:
    if not len(images):
        return {}
    _, *answers = network.answers(images)
    bits = [_bits(words) for words in answers]
    files = {"golden_input.hex": words_text(images, 8)}
    for i, (words, width) in enumerate(zip(answers, bits)):
        files[f"golden_layer{i}.hex"] = words_text(words, width)
    files["golden_classes.hex"] = words_text(network.predict(images), 8)
    return files


def _bits(words: np.ndarray) -> int:
    """Return 8 or 16: what words need, written in whole bytes."""
    return 8 if abs(words.astype(np.int64) * 2 + 1).max() <= 255 else 16
