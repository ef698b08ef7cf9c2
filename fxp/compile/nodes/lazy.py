"""Which parts of a circuit are worth a branch: reads of memory that no lane may need.

The nodes behind one side of a selection, and behind nothing else, are its cone. Where they
read a table in memory, the cone is left out for a vector all of whose lanes take the other
side; the selection gives the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node

__all__ = ["Cone", "cones"]


class Cone(NamedTuple):
    """What is behind a side of a selection alone, in order; taken says which side."""

    nodes: list[Node]
    taken: bool


def cones(circuit: Circuit, operands: Mapping[int, list[Node]],
          costly: Callable[[Node], bool]) -> dict[int, Cone]:
    """Return the cones with a costly node, by the index of their selection.

    operands tells what each node that is needed reads, by index. A node is in one cone
    at most; of cones inside of each other the inner one is left out.
    """
    users: dict[int, list[int]] = {}
    for index, reads in operands.items():
        for node in reads:
            users.setdefault(node.index, []).append(index)
    for node in circuit.outputs.values():
        users.setdefault(node.index, []).append(-1)
    found: dict[int, Cone] = {}
    taken: set[int] = set()
    for node in reversed(circuit.nodes):
        if node.op == "where" and node.index in operands and node.index not in taken:
            for side in (1, 2):
                nodes = _cone(circuit, node, side, users, operands)
                if any(costly(n) for n in nodes):
                    found[node.index] = Cone(nodes, side == 1)
                    taken.update(n.index for n in nodes)
                    break
    return found


def _cone(circuit: Circuit, selection: Node, side: int, users, operands) -> list[Node]:
    root = selection.args[side]
    if users.get(root.index) != [selection.index]:
        return []
    inside = {root.index}
    for node in reversed(circuit.nodes[: circuit.nodes.index(root)]):
        used = users.get(node.index)
        if node.index in operands and node.op != "input" and used and inside.issuperset(used):
            inside.add(node.index)
    return [n for n in circuit.nodes if n.index in inside and not n.is_const]
