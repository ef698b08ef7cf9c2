"""A graph of named nodes: operators of ONNX between named tensors, and constants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Graph", "GraphError", "Node", "Unsupported", "in_order"]


class GraphError(ValueError):
    """A graph that cannot be: a name that nothing gives, a circle, shapes that do not fit."""


class Unsupported(GraphError):
    """A graph that is right and that this program does not run."""


@dataclass(frozen=True)
class Node:
    """An operator between tensors, which are named; an input named "" is left out.

    attributes are numbers, texts, lists of them and arrays, as the file has them; opset is
    the version of the operator's domain that the file was written for.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    opset: int = 21

    def __str__(self) -> str:
        return f"{self.name} ({self.op})"


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each finds its inputs.

    inputs has the shape of each input: the first number is that of the batch, None where
    any will do. constants are arrays by name.
    """

    nodes: tuple[Node, ...]
    inputs: dict[str, tuple[int | None, ...]]
    outputs: tuple[str, ...]
    constants: dict[str, np.ndarray]

    @property
    def batch(self) -> int | None:
        """The number of inputs at a time that the graph takes, None for any."""
        return next(iter(self.inputs.values()))[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input; GraphError for a graph of several inputs."""
        if len(self.inputs) != 1:
            raise GraphError(f"the network has {len(self.inputs)} inputs "
                             f"({', '.join(self.inputs)}); one is taken")
        return tuple(int(n or 1) for n in next(iter(self.inputs.values()))[1:])

    def uses(self) -> dict[str, list[Node]]:
        """Return the nodes that take each tensor."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(filter(None, node.inputs)):
                found.setdefault(name, []).append(node)
        return found


def in_order(nodes: list[Node], given) -> tuple[Node, ...]:
    """Return nodes so ordered that each finds its inputs, given some tensors.

    GraphError for a tensor that two nodes give or none, and for a circle.
    """
    makers: dict[str, Node] = {}
    for node in nodes:
        for name in filter(None, node.outputs):
            if name in makers or name in given:
                raise GraphError(f"tensor {name[:60]!r} is given twice")
            makers[name] = node
    waits: dict[str, list[int]] = {}  # by tensor: the nodes that still lack it
    lacks = []
    for i, node in enumerate(nodes):
        missing = {name for name in node.inputs if name and name not in given}
        lacks.append(len(missing))
        for name in missing:
            waits.setdefault(name, []).append(i)
    ready = [i for i in reversed(range(len(nodes))) if not lacks[i]]
    ordered: list[Node] = []
    while ready:
        node = nodes[ready.pop()]
        ordered.append(node)
        freed = []
        for name in dict.fromkeys(node.outputs):
            for i in waits.pop(name, ()):
                lacks[i] -= 1
                freed += [] if lacks[i] else [i]
        ready += reversed(freed)
    if len(ordered) < len(nodes):
        made = {name for node in ordered for name in node.outputs} | set(given)
        node, lacking = next((n, i) for n in nodes for i in n.inputs if i and i not in made)
        why = "comes of itself: a circle" if lacking in makers else "is given by no node"
        raise GraphError(f"node {node}: its input {lacking[:60]!r} {why}")
    return tuple(ordered)
