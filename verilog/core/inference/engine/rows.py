"""The rows of a core's memories of weights and parameters."""

from __future__ import annotations

import numpy as np

from verilog.core.inference.arithmetic import Layer
from verilog.core.inference.schedule import Schedule

__all__ = ["parameter_rows", "weight_rows"]


def weight_rows(s: Schedule, layers: list[Layer], bits: int) -> tuple[int, ...]:
    """Return the rows of weights in the order in which steps read them; outputs beyond a
    layer's are zero bits."""
    rows: list[int] = []
    shifts = [bits * k for k in range(s.row_words)]
    for each in layers:
        stacked = each.weights if each.biases is None else np.vstack([each.biases, each.weights])
        missing = -stacked.shape[1] % s.row_words
        filled = np.pad(stacked, ((0, 0), (0, missing)))
        for start in range(0, filled.shape[1], s.row_words):
            part = filled[:, start : start + s.row_words].tolist()
            rows += [sum(word << shift for word, shift in zip(row, shifts)) for row in part]
    return tuple(rows)


def parameter_rows(s: Schedule, layers: list[Layer]) -> tuple[int, ...]:
    """Return the parameters of every output of every layer, tiles filled up with zero."""
    rows: list[int] = []
    for k, each in enumerate(layers):
        assert each.parameters is not None
        own = list(each.parameters)
        rows += [*own, *[0] * (s.tiles(k) * s.row_words - len(own))]
    return tuple(rows)
