"""Words to try: corners and patterns of every port against each other, then random."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

__all__ = ["corner_words", "operand_columns"]

MOST_CORNERS = 64


def operand_columns(ranges: Mapping[str, tuple[int, int]], count: int, seed: int
                    ) -> dict[str, np.ndarray]:
    """Return count words for each port, int64.

    The first half is corners against corners (in random order where there are more
    than that), the rest uniform. The same seed gives the same words.
    """
    rng = np.random.default_rng(seed)
    corners = [corner_words(*span) for span in ranges.values()]
    grid = prod(c.size for c in corners)
    first = min(grid, count // 2)
    if grid <= count // 2:
        mesh = np.meshgrid(*corners, indexing="ij")
        heads = [m.ravel() for m in mesh]
    else:
        heads = [rng.choice(c, first) for c in corners]
    return {name: np.concatenate([head, rng.integers(low, high, count - first, endpoint=True)])
            for (name, (low, high)), head in zip(ranges.items(), heads)}


def corner_words(low: int, high: int) -> np.ndarray:
    """Return the words of a range where arithmetic goes wrong, at most 64 of them.

    Both ends, zero, one and minus one unit, alternating bits, pairs and nibbles, and
    the powers of two with the words around them.
    """
    bits = max(-low, high, 1).bit_length() + 1
    powers = [sign << k for k in range(bits) for sign in (1, -1)]
    mask = (1 << max(high, 0).bit_length()) - 1
    patterns = [int(digit * 16, 16) & mask for digit in "5a3c0f"]
    near = [low, low + 1, high - 1, high, 0, *patterns, *powers]
    around = near + [p + step for p in powers for step in (-1, 1)]
    found = list(dict.fromkeys(w for w in around if low <= w <= high))
    return np.array(found[:MOST_CORNERS], np.int64)
