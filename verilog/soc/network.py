"""A network of 8-bit integers as plain data, and as C that is linked into firmware."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from verilog.soc.words import WordArithmetic

__all__ = ["LabLayer", "LabNetwork", "network_text", "padded_rows",
           "tiles"]

LINE = 32  # bytes of a cache line that arrays begin at
PER_LINE = 24
KINDS = {"product": "PRODUCT", "greatest": "GREATEST", "average": "AVERAGE",
         "activation": "ACTIVATION"}


@dataclass(frozen=True, eq=False)
class LabLayer:
    """A layer over words: product, greatest or average of windows, or an activation.

    shape is of the input (height, width, channels), out the places of windows, before the rows
    of zeros above and columns left of it, reach the rows and columns with them; a dense layer
    has one window of 1 x 1. weights is depth x channels. scales has, for each channel, its
    bias, multipliers for sums from zero on and for negative ones, and the shift; of words
    that are no integers of 8 bits, its bias and factor.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    out: tuple[int, int]
    channels: int
    size: int = 1
    stride: int = 1
    before: tuple[int, int] = (0, 0)
    reach: tuple[int, int] = (1, 1)
    zero: int = 0
    weights: np.ndarray | None = None
    scales: np.ndarray | None = None  # channels x (bias, positive, negative, shift)
    ends: tuple[int, int, int] = (0, 0, 0)  # zero, low, high of the output
    least: np.ndarray | None = None

    @property
    def depth(self) -> int:
        return self.size * self.size * self.shape[2]

    @property
    def wide(self) -> bool:
        """Whether it answers with scores of 16 bits."""
        return self.ends[2] > 127

    @property
    def products(self) -> int:
        """Multiplications that it takes."""
        return self.out[0] * self.out[1] * self.channels * self.depth if self.is_product else 0

    @property
    def is_product(self) -> bool:
        return self.kind == "product"


@dataclass(frozen=True, eq=False)
class LabNetwork:
    """Layers, images as words (int, images x numbers), and the words that each layer must
    answer (images x numbers, layer by layer). arithmetic is that of words which are no
    integers of 8 bits."""

    layers: Sequence[LabLayer]
    images: np.ndarray
    answers: Sequence[np.ndarray]
    arithmetic: WordArithmetic | None = None

    @property
    def most(self) -> int:
        """The most words that lie between two layers, with zeros around them and some room
        for whole registers, a multiple of 32."""
        canvases = [layer.reach[0] * layer.reach[1] * layer.shape[2] for layer in self.layers]
        return (max([*canvases, *(a.shape[1] for a in self.answers)]) + 95) // 32 * 32


def padded_rows(layer: LabLayer, step: int = 1) -> np.ndarray:
    """Return the weights channel after channel, each filled up with zeros to a multiple of
    step."""
    assert layer.weights is not None
    depth, channels = layer.weights.shape
    rows = np.zeros((channels, -(-depth // step) * step), np.int64)
    rows[:, :depth] = layer.weights.T
    return rows.ravel()


def tiles(layer: LabLayer, side: int = 8) -> np.ndarray:
    """Return the weights as an array of side x side takes them: channels by side, in these the
    rows of a window, in these its words by side; of each tile the last row first."""
    assert layer.weights is not None
    run = layer.size * layer.shape[2]
    wide, groups = -(-layer.channels // side), -(-run // side)
    whole = np.zeros((layer.size, groups * side, wide * side), np.int64)
    whole[:, :run, : layer.channels] = layer.weights.reshape(layer.size, run, -1)
    parts = whole.reshape(layer.size, groups, side, wide, side)
    return parts[:, :, ::-1].transpose(3, 0, 1, 2, 4).ravel()


def network_text(network: LabNetwork, layout: Callable[[LabLayer], np.ndarray]) -> str:
    """Return network_words.c; layout lays the weights of a layer as a lab wants them."""
    answers = np.concatenate(network.answers, axis=1)
    images = _aligned(network.images)
    parts = ['#include "network.h"\n', _array("word", "images", images, const="const "),
             _array("int16_t", "expected", answers, const="static const ")]
    rows, first = [], 0
    for n, (layer, words) in enumerate(zip(network.layers, network.answers)):
        arrays, row = _layer(layer, n, first, layout)
        parts += arrays
        rows.append(row)
        first += words.shape[1]
    sizes = {"layer_count": len(network.layers), "image_count": len(images),
             "input_size": images.shape[1], "class_count": network.answers[-1].shape[1],
             "answer_size": answers.shape[1]}
    parts.append("const int " + ", ".join(f"{k} = {n}" for k, n in sizes.items()) + ";\n")
    parts.append("const struct layer layers[] = {\n" + ",\n".join(rows) + "\n};\n")
    return "\n".join(parts)


def _layer(layer: LabLayer, n: int, first: int, layout) -> tuple[list[str], str]:
    """Return a layer's arrays and its row of the table."""
    arrays, names = [], {"weights": "0", "scales": "0", "least": "0"}
    if layer.weights is not None:
        arrays.append(_array("word", f"weights{n}", layout(layer)))
        names["weights"] = f"weights{n}"
    if layer.scales is not None:
        arrays.append(_scales(layer, n))
        names["scales"] = f"scales{n}"
    if layer.least is not None:
        arrays.append(_array("uint8_t", f"least{n}", layer.least))
        names["least"] = f"least{n}"
    height, width, maps = layer.shape
    fields = {"name": f'"{layer.name}"', "kind": KINDS[layer.kind], "height": height,
              "width": width, "maps": maps, "size": layer.size, "stride": layer.stride,
              "out_height": layer.out[0], "out_width": layer.out[1], "channels": layer.channels,
              "top": layer.before[0], "left": layer.before[1], "padded_height": layer.reach[0],
              "padded_width": layer.reach[1], "zero": layer.zero, "run": layer.size * maps,
              "depth": layer.depth, "wide": int(layer.wide), **names,
              "expected": f"expected + {first}"}
    return arrays, "    {" + ", ".join(f".{k} = {v}" for k, v in fields.items()) + "}"


def _scales(layer: LabLayer, n: int) -> str:
    assert layer.scales is not None
    if layer.scales.shape[1] == 2:
        rows = ",\n".join(f"    {{{_int32(b)}, {f}, 0, 0}}" for b, f in layer.scales.tolist())
        return f"static const struct scale scales{n}[] = {{\n{rows}\n}};\n"
    zero, low, high = (w & 255 for w in layer.ends)
    bias, positive, negative, shift = layer.scales.astype(np.int64).T
    if layer.weights is not None:  # sum (x - zero) w = sum x w - zero sum w
        bias = bias - layer.zero * layer.weights.astype(np.int64).sum(axis=0)
    bias = (bias + (1 << 31)) % (1 << 32) - (1 << 31)
    packed = (shift - 1) | zero << 8 | low << 16 | high << 24
    rows = ",\n".join(f"    {{{_int32(b)}, {p}, {m}, {w}u}}" for b, p, m, w in zip(
        bias.tolist(), positive.tolist(), negative.tolist(), packed.tolist()))
    return f"static const struct scale scales{n}[] = {{\n{rows}\n}};\n"


def _int32(value: int) -> str:
    return "INT32_MIN" if value == -(1 << 31) else str(value)


def _aligned(images: np.ndarray) -> np.ndarray:
    """Return rows filled up with zeros so that each begins at a word."""
    missing = -images.shape[1] % 4
    return np.pad(images, ((0, 0), (0, missing)))


def _array(kind: str, name: str, words: np.ndarray, const: str = "static const ") -> str:
    flat = [str(w) for w in np.asarray(words).ravel().tolist()]
    rows = ",\n    ".join(", ".join(flat[i : i + PER_LINE]) for i in range(0, len(flat), PER_LINE))
    return f"{const}{kind} {name}[] __attribute__((aligned({LINE}))) = {{\n    {rows}\n}};\n"
