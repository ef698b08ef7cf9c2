"""Copies bound to arrays, in parts that threads share out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from fxp.compile.loading import copies
from fxp.run.execute import Call
from fxp.run.threads import parts_of

__all__ = ["bind_copies"]

WORTH_A_PART = 1 << 12  # numbers that are worth a part of their own

Axes = list[tuple[int, int, int]]  # count, bytes from one number to the next in both arrays


def bind_copies(pairs: Iterable[tuple[np.ndarray, np.ndarray]], threads: int = 1
                ) -> Callable[[], None]:
    """Return the call that copies the second of each pair of arrays into the first, which it
    is broadcast to. Pairs have no memory in common."""
    pairs = [(to, np.broadcast_to(of, to.shape)) for to, of in pairs if to.size]
    if threads > 1 and pairs and all(to.dtype == of.dtype for to, of in pairs):
        code = copies()
        axes = [_axes(to, of) for to, of in pairs]
        if all(len(a) <= code.AXES for a in axes):
            parts = [part for pair, a in zip(pairs, axes) for part in _parts(*pair, a, threads)]
            parts.sort(key=lambda part: part[0])
            return Call(code.COPY, [words for _, words in parts], threads, pairs)

    def run() -> None:
        for to, of in pairs:
            to[...] = of

    return run


def _axes(to: np.ndarray, of: np.ndarray) -> Axes:
    """Return the axes, the widest steps of `to` first; those that follow each other are one."""
    every = sorted(zip(to.shape, to.strides, of.strides), key=lambda axis: -abs(axis[1]))
    found: Axes = []
    for count, *steps in (axis for axis in every if axis[0] != 1):
        if found and list(found[-1][1:]) == [count * step for step in steps]:
            count *= found.pop()[0]
        found.append((count, *steps))
    return found


def _parts(to: np.ndarray, of: np.ndarray, axes: Axes, threads: int
           ) -> list[tuple[float, dict[str, int]]]:
    """Return the arguments of each part, a range of the first axis, and where that begins,
    from 0 to 1."""
    count, *steps = axes[0] if axes else (1, 0, 0)
    found = []
    for low, high in parts_of(count, to.size, WORTH_A_PART, threads):
        whole = [(high - low, *steps), *axes[1:]]
        whole = [(1, 0, 0)] * (copies().AXES - len(whole)) + whole
        starts = [array.ctypes.data + low * step for array, step in zip((to, of), steps)]
        words = [*starts, to.itemsize, *(word for axis in whole for word in axis)]
        found.append((low / count, dict(zip(copies().COPY.names, words))))
    return found
