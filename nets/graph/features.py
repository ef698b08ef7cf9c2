"""Features of a frozen network: the means of the maps that it gives for inputs, and samples of
each map."""

from __future__ import annotations

import numpy as np

from nets.graph.graph import Graph, GraphError
from nets.graph.run import answers

__all__ = ["features"]

SAMPLES = 1000  # of each map, at most


def features(graph: Graph, x: np.ndarray, prepare, at_once: int = 32) -> tuple[np.ndarray,
                                                                               np.ndarray]:
    """Return the mean of each map for every input (inputs x maps, float32), and samples of
    each map, drawn evenly over inputs and positions (samples x maps).

    prepare gives the graph's inputs for some of x. GraphError for outputs without maps.
    """
    means, drawn = [], []
    rng, each = np.random.default_rng(0), max(1, -(-SAMPLES // len(x)))
    for low in range(0, len(x), at_once):
        maps = answers(graph, prepare(x[low : low + at_once]))
        if maps.ndim < 2:
            raise GraphError(f"{graph.outputs[0]!r} has no maps: it is of {maps.shape}")
        maps = maps.reshape(len(maps), maps.shape[1], -1)
        means.append(maps.mean(axis=2))
        places = rng.integers(0, maps.shape[2], (len(maps), each))
        drawn.append(np.take_along_axis(maps, places[:, None], 2).transpose(0, 2, 1).reshape(
            -1, maps.shape[1]))
    return np.concatenate(means).astype(np.float32), np.concatenate(drawn)[:SAMPLES]
