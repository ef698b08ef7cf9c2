"""Names of wires: those of the spec, told apart by the port they come from."""

from __future__ import annotations

from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node

__all__ = ["cones", "node_name", "operand_name"]

WORDS = {"add": "plus", "sub": "minus", "mul": "times", "and": "and", "or": "or", "xor": "xor",
         "eq": "is", "lt": "below", "min": "min", "max": "max", "shl": "up", "shr": "down"}
LONGEST = 28


def cones(circuit: Circuit) -> dict[int, frozenset[str]]:
    """Return the input ports on which each node depends."""
    found: dict[int, frozenset[str]] = {}
    for node in circuit.nodes:
        own = {node.name} if node.op == "input" else set()
        found[node.index] = frozenset(own.union(*(found[a.index] for a in node.args)))
    return found


def node_name(node: Node, cone, wires: dict[int, str], taken) -> str:
    """Return the name wished for a node's wire: the spec's, or what it does."""
    ports = sorted(cone[node.index])
    if node.name and node.name not in {p for names in cone.values() for p in names}:
        if len(ports) == 1 and ports[0] not in node.name.split("_"):
            return f"{ports[0]}_{node.name}"
        return node.name
    if node.op in ("where", "lookup", "known"):
        base = {"where": "chosen", "lookup": "entry", "known": "known"}[node.op]
        return base
    parts = [operand_name(a, wires) for a in node.args]
    wish = f"{parts[0]}_{WORDS[node.op]}_{parts[-1]}"
    return wish if len(wish) <= LONGEST else f"{parts[0][:16]}_{WORDS[node.op]}"


def operand_name(node: Node, wires: dict[int, str]) -> str:
    """Return how an operand is called inside another's name."""
    if node.is_const:
        return f"m{-node.low}" if node.low < 0 else str(node.low)
    found = wires.get(node.index, node.op)
    return found[2:] if found.startswith("i_") else found
