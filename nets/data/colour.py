"""MNIST on colour backgrounds, after the rule of PolyMNIST, with backgrounds of our own.

The rule (T. Sutter, I. Daunhawer, J. Vogt, "Generalized Multimodal ELBO", ICLR 2021): a
digit's images are shuffled among themselves; behind each lies a part of the set's one
background picture, cut out at a random place; where the digit is brighter than 128 the
colours are inverted. The pictures here are drawn by integer arithmetic, so every
machine makes the same bytes; the original's pictures are photographs and paintings.
Results are not comparable with those on the original PolyMNIST.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

__all__ = ["BACKGROUNDS", "SIDE", "background", "coloured"]

SIDE = 256  # of a background picture, in pixels
THRESHOLD = 128  # a digit is what is brighter
_RAINBOW = ((255, 0, 64), (255, 96, 0), (255, 224, 0), (64, 224, 0), (0, 208, 160), (0, 144, 255),
            (112, 0, 255), (255, 0, 208))


class _Raw:
    """Random integers by PCG-64, whose stream NumPy keeps the same in all versions."""

    def __init__(self, *seed: int):
        self._bits = np.random.PCG64(seed)

    def below(self, limit: int, *shape: int) -> np.ndarray:
        """Return integers 0..limit-1, int64."""
        raw = self._bits.random_raw(int(np.prod(shape))).reshape(shape)
        return (raw >> np.uint64(32)).astype(np.int64) * limit >> 32

    def order(self, count: int) -> np.ndarray:
        """Return 0..count-1 in random order."""
        return np.argsort(self._bits.random_raw(count), kind="stable")


def candy() -> np.ndarray:
    """Return a picture of saturated discs on stripes."""
    raw, inks = _Raw(1), np.array(_RAINBOW)
    y, x = np.mgrid[:SIDE, :SIDE]
    picture = inks[(x + 2 * y) // 64 % len(inks)]
    for _ in range(60):
        (top, left), radius, ink = raw.below(SIDE, 2), raw.below(16, 1) + 10, raw.below(8, 1)
        # Around the edges, so that every part has as many.
        down, right = (abs((a - b + SIDE // 2) % SIDE - SIDE // 2)
                       for a, b in ((y, top), (x, left)))
        away = down * down + right * right
        picture = np.where((away <= radius * radius)[..., None], inks[ink], picture)
        picture = np.where((4 * away <= radius * radius)[..., None], inks[(ink + 4) % 8], picture)
    return picture


def fire() -> np.ndarray:
    """Return fractal noise, dark below a threshold, above it from red to yellow."""
    raw, y, x = _Raw(2), *np.mgrid[:SIDE, :SIDE]
    noise = np.zeros((SIDE, SIDE), np.int64)
    for octave in range(5):
        cell = 32 >> octave
        grid = raw.below(256, SIDE // cell, SIDE // cell)
        (row, down), (column, right) = divmod(y, cell), divmod(x, cell)
        corners = (grid[(row + i) % len(grid), (column + j) % len(grid)]
                   * (down if i else cell - down) * (right if j else cell - right)
                   for i in (0, 1) for j in (0, 1))
        noise += sum(corners) * 256 // (cell * cell) >> octave
    ranks = np.argsort(np.argsort(noise, axis=None, kind="stable"), kind="stable")
    heat = np.maximum(ranks.reshape(noise.shape) * 1024 // SIDE**2 - 384, 0)  # of 0..639
    return np.stack([np.minimum(32 + heat, 255), np.clip(heat - 208, 0, 240),
                     np.clip(heat - 480, 0, 96)], -1)


def sea() -> np.ndarray:
    """Return waves of 5 to 20 lengths a side, from deep blue to green."""
    raw, y, x = _Raw(3), *np.mgrid[:SIDE, :SIDE]
    sine = np.rint(256 * np.sin(np.arange(SIDE) * (2 * np.pi / SIDE))).astype(np.int64)
    height, waves = np.zeros((SIDE, SIDE), np.int64), 0
    while waves < 24:
        down, right, phase = (int(raw.below(n, 1)[0]) for n in (21, 41, SIDE))
        right -= 20
        if 5**2 <= down * down + right * right <= 20**2:
            height += sine[(down * y + right * x + phase) % SIDE]
            waves += 1
    level = np.clip(128 + height // 16, 0, 255)
    return np.stack([level * level // 640, 32 + level * 7 // 9, 128 + level * 3 // 8], -1)


BACKGROUNDS: dict[str, Callable[[], np.ndarray]] = {"candy": candy, "fire": fire, "sea": sea}


@cache
def background(name: str) -> np.ndarray:
    """Return a background picture, SIDE x SIDE x 3 uint8, read-only."""
    picture = BACKGROUNDS[name]().astype(np.uint8)
    picture.setflags(write=False)
    return picture


def coloured(name: str, images: np.ndarray, labels: np.ndarray, part: int) -> np.ndarray:
    """Return grey images on parts of a background, number x height x width x 3 uint8.

    The image at a place is another one with the same label. `part` tells sets apart
    that get other backgrounds: 0 training, 1 test. ValueError for images too large.
    """
    count, height, width = images.shape
    if max(height, width) > SIDE:
        raise ValueError(f"backgrounds of {SIDE} x {SIDE} are too small for images of "
                         f"{height} x {width}")
    raw = _Raw(4, list(BACKGROUNDS).index(name), part)
    source = np.arange(count)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        source[places] = places[raw.order(len(places))]
    top, left = raw.below(SIDE - height + 1, count), raw.below(SIDE - width + 1, count)
    windows = np.lib.stride_tricks.sliding_window_view(background(name), (height, width), (0, 1))
    result = np.empty((count, height, width, 3), np.uint8)
    for i in range(0, count, 4096):  # in pieces that caches hold
        some = slice(i, i + 4096)
        digit = (images[source[some]] > THRESHOLD).astype(np.uint8) * 255
        cut = windows[top[some], left[some]].transpose(0, 2, 3, 1)
        np.bitwise_xor(cut, digit[..., None], out=result[some])  # 255 - v is v ^ 255
    return result
