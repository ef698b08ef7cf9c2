"""Which lane width a circuit needs, and how each node is held in a lane.

A node is held exactly where its range fits the lane, signed or unsigned. Two
kinds of node may leave the lane: a sum that is clamped at once is computed
saturating, and a sum of which only low bits are used is computed modulo
2**width. Everything else needs wider lanes.
"""

from __future__ import annotations

from collections.abc import Iterable

from fxp.circuit import Circuit
from fxp.graph import Node, SpecError

__all__ = ["WIDTHS", "lane_modes", "lane_width"]

WIDTHS = (16, 32, 64)
RING = ("add", "sub", "mul", "shl", "and", "or", "xor")


def lane_width(circuits: Iterable[Circuit]) -> int:
    """Return the narrowest lane of WIDTHS that holds every node of the circuits."""
    circuits = list(circuits)
    for width in WIDTHS:
        if all(lane_modes(c, width) is not None for c in circuits):
            return width
    raise SpecError(f"{circuits[0].name} does not fit 64-bit lanes")


def lane_modes(circuit: Circuit, width: int) -> dict[int, str] | None:
    """Return how each node (by index) is held in a lane: signed, unsigned,
    saturated or modular; None where one cannot be."""
    users = _users(circuit)
    outputs = {n.index for n in circuit.outputs.values()}
    modes: dict[int, str] = {}
    for node in circuit.nodes:
        mode = _mode(node, width, modes, users[node.index], node.index in outputs, users)
        if mode is None or not _operands_agree(node, modes):
            return None
        modes[node.index] = mode
    return modes


def _mode(node: Node, width, modes, used_by, is_output, users) -> str | None:
    half = 1 << (width - 1)
    if -half <= node.low and node.high < half:
        return "signed"
    if node.low >= 0 and node.high < 2 * half:
        return "unsigned"
    if is_output:
        return None
    clamped = all(u.op in ("min", "max") for u in used_by)
    held = {modes[a.index] for a in node.args}
    if clamped and node.op in ("add", "sub") and held == {"signed"}:
        return "saturated"
    if clamped and node.op in ("min", "max") and held <= {"signed", "saturated"}:
        return "saturated"
    if node.op in RING and _only_low_bits(node, width, users):
        return "modular"
    return None


def _only_low_bits(node: Node, width: int, users) -> bool:
    """Whether no user of node depends on bits at or above width."""
    return all(
        (u.op == "and" and any(a.is_const and 0 <= a.low < 1 << width for a in u.args))
        or (u.op in RING and (u.op != "shl" or u.args[0] is node)
            and _only_low_bits(u, width, users) and users[u.index])
        for u in users[node.index])


def _operands_agree(node: Node, modes) -> bool:
    """Whether the operation can be computed on operands held in these ways."""
    held = {modes[a.index] for a in node.args}
    if node.op in ("eq", "lt", "min", "max"):
        one_order = "unsigned" not in held or all(a.low >= 0 for a in node.args)
        loose = {"signed", "unsigned"} | ({"saturated"} if node.op in ("min", "max") else set())
        return one_order and held <= loose
    if node.op in ("shr", "lookup", "where", "known"):
        return held <= {"signed", "unsigned"}
    return "saturated" not in held


def _users(circuit: Circuit) -> dict[int, list[Node]]:
    users: dict[int, list[Node]] = {n.index: [] for n in circuit.nodes}
    for node in circuit.nodes:
        for arg in node.args:
            users[arg.index].append(node)
    return users
