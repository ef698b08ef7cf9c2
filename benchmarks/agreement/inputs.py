"""Words on which arithmetic goes wrong: ends, powers of two, and what a circuit names."""

from __future__ import annotations

import numpy as np

from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node

__all__ = ["corner_inputs", "corners"]

MOST = 6_000  # combinations of corners for a circuit


def corner_inputs(circuit: Circuit, most: int = MOST) -> dict[str, np.ndarray]:
    """Return every combination of the ports' corners, as flat int64 arrays by port.

    Where that is more than `most`, each port gives its first corners only.
    """
    ports = circuit.inputs
    each = int(most ** (1 / max(1, len(ports))))
    named = [n.low for n in circuit.nodes if n.is_const]
    named += [len(table) for table in circuit.tables]
    words = [np.array(corners(node, named)[:each], np.int64) for node in ports.values()]
    grid = np.meshgrid(*words, indexing="ij")
    return {name: np.ascontiguousarray(side.ravel()) for name, side in zip(ports, grid)}


def corners(node: Node, named=()) -> list[int]:
    """Return words in the node's range, most telling first: its ends and zero with their
    neighbours, powers of two with theirs (wide ones first), then the named numbers'."""
    low, high = node.low, node.high
    reach = max(abs(low), abs(high)).bit_length()
    powers = [sign << k for k in range(reach, -1, -1) for sign in (1, -1)]
    centres = [low, high, 0, *powers, *named, *(-n for n in named)]
    found = dict.fromkeys(c + step for c in centres for step in (0, -1, 1))
    return [word for word in found if low <= word <= high]
