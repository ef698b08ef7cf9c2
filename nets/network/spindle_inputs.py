"""What flows into the activations of a trained network."""

from __future__ import annotations

import re

import numpy as np

from nets.layers.binary.layers import Scale
from nets.layers.dense import Dense
from nets.layers.dropout import Dropout
from nets.layers.norm import BatchNorm
from nets.layers.spatial.branches import Add
from nets.layers.spatial.conv import Conv2d
from nets.layers.spatial.pool import AveragePool, MaxPool
from nets.network.network import Network
from nets.network.probe import plain_layer

__all__ = ["active_layer", "inputs_of", "layer_names", "layer_shapes"]

KINDS = {Dense: "dense", Conv2d: "conv", MaxPool: "pool", AveragePool: "pool", Add: "add",
         BatchNorm: "norm", Dropout: "dropout", Scale: "scale"}
ROWS = 500  # images at a time


def layer_names(network: Network) -> list[str]:
    """Return what the layers are called, in order: dense1, activation1, dense2, ..."""
    counts: dict[str, int] = {}
    names = []
    for layer in network.layers:
        plain = plain_layer(layer)
        kind = next((name for of, name in KINDS.items() if isinstance(plain, of)), "activation")
        counts[kind] = counts.get(kind, 0) + 1
        names.append(f"{kind}{counts[kind]}")
    return names


def layer_shapes(network: Network) -> list[tuple[int, ...]]:
    """Return the shape of an image after each layer: height x width x channels from the first
    convolution on, as long as the numbers are as many, otherwise their count."""
    shape: tuple[int, ...] = ()
    shapes = []
    values = network.program(1, False).values[1:]
    for layer, y in zip(map(plain_layer, network.layers), values, strict=True):
        shape = getattr(layer, "shape", shape)
        shape = shape if np.prod(shape) == y.columns else (y.columns,)
        shapes.append(shape if shape[:2] != (1, 1) else (y.columns,))
    return shapes


def active_layer(network: Network, text: str) -> int:
    """Return the place of the first activation at or after a layer, given by its number from 0
    or its name. ValueError, with the layers there are, for others."""
    names = layer_names(network)
    listed = ", ".join(f"{i} {name}" for i, name in enumerate(names))
    numbered = re.fullmatch(r"[0-9]{1,4}", text)
    place = names.index(text) if text in names else int(text) if numbered else -1
    if not 0 <= place < len(names):
        raise ValueError(f"there is no layer {text!r}; there are {listed}")
    for i in range(place, len(names)):
        if names[i].startswith("activation"):
            return i
    raise ValueError(f"there is no activation at or after layer {text}; there are {listed}")


def inputs_of(network: Network, place: int, images: np.ndarray) -> np.ndarray:
    """Return all numbers that flow into a layer for images (uint8 rows), float64, as one row."""
    found = []
    for low in range(0, len(images), ROWS):
        rows = images[low : low + ROWS]
        program = network.program(len(rows), False)
        program.run(rows, np.zeros(len(rows), np.int64))
        found.append(network.ar.reals(program.values[place]).ravel().copy())
    return np.concatenate(found)
