"""Which words an operator is tried on: all of them, or corners and then random ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

__all__ = ["CHUNK", "LIMIT", "SAMPLES", "choices", "every", "sampled", "special"]

CHUNK = 1 << 14  # words at a time: some twenty arrays of them fit the second-level cache
LIMIT = 1 << 28  # combinations that may be tried exhaustively
SAMPLES = 1 << 20

Ports = Mapping[str, tuple[int, int]]
Words = dict[str, np.ndarray]


def choices(ports: Ports) -> int:
    """Return the number of combinations of words."""
    return math.prod(high - low + 1 for low, high in ports.values())


def every(ports: Ports) -> Iterator[Words]:
    """Yield every combination once, in chunks; the last port runs fastest."""
    total = choices(ports)
    for first in range(0, total, CHUNK):
        yield _combination(np.arange(first, min(first + CHUNK, total)),
                           {n: np.arange(low, high + 1) for n, (low, high) in ports.items()})


def sampled(ports: Ports, count: int, seed: int, share: float = 0.5) -> Iterator[Words]:
    """Yield `count` combinations: of special words first, then uniformly random ones.

    At most a share of them are of special words: all of their combinations, or if
    these are more, a random choice of them. Equal seeds give equal words.
    """
    random = np.random.default_rng(seed)
    corners = {n: np.array(special(*span)) for n, span in ports.items()}
    total = math.prod(len(c) for c in corners.values())
    known = min(total, int(count * share))
    for first in range(0, known, CHUNK):
        size = min(CHUNK, known - first)
        index = np.arange(first, first + size)
        if known < total:
            index = random.integers(0, total, size)
        yield _combination(index, corners)
    for first in range(known, count, CHUNK):
        size = min(CHUNK, count - first)
        yield {n: random.integers(*span, size, endpoint=True) for n, span in ports.items()}


def special(low: int, high: int) -> list[int]:
    """Return the words low..high where arithmetic goes wrong.

    Zero and one unit, both ends and their neighbours, the powers of two of both
    signs with the words around them, and striped patterns of bits. Signed ranges
    are those of two's complement.
    """
    bits = (high - low).bit_length()
    mask = (1 << bits) - 1
    powers = [sign << k for k in range(bits) for sign in (1, -1)]
    near = [p + step for p in [0, low, high, *powers] for step in (-1, 0, 1)]
    stripes = [sum(run << k for k in range(0, bits, step)) & mask
               for step, run in ((2, 1), (4, 3), (8, 15))]
    turned = [(s ^ flip) for s in stripes for flip in (0, mask)]
    folded = [(w - low) % (mask + 1) + low for w in near + turned]
    return [w for w in dict.fromkeys(folded) if low <= w <= high]


def _combination(index: np.ndarray, words: Words) -> Words:
    """Return the index-th combination of words, the last port running fastest."""
    chosen = {}
    for name, column in reversed(words.items()):
        chosen[name] = column[index % len(column)]
        index = index // len(column)
    return {name: chosen[name] for name in words}
