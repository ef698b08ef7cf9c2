"""Which lane width a circuit needs, and how each node is held in a lane.

A lane is `width` bits. What they say of a node's value is the node's mode, and
all that generated code may assume of it:

    signed      the value as a two's complement number; its range fits
    unsigned    the value as a number from 0; its range fits
    saturated   the value clamped to the signed lane; its users are minima and maxima
    modular     the value modulo 2**width; its users depend on low bits alone
    fused       nothing: it is inside of a rounded product, see `fxp.compile.nodes.rounding`

`provable` states what follows from operands for every operation. A circuit with a
node that can be held in none of these ways needs wider lanes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from fxp.compile.nodes.rounding import rounded_product
from fxp.trace.circuit import Circuit
from fxp.trace.graph import COMPARISONS, Node, SpecError

__all__ = ["WIDTHS", "lane_modes", "lane_width", "plan_width", "provable", "reads_signed",
           "reads_unsigned"]

WIDTHS = (8, 16, 32, 64)
RING = ("add", "sub", "mul", "shl", "and", "or", "xor")
SHIFTS = ("shl", "shr")
EXACT = frozenset({"signed", "unsigned"})
EXTREMES = ("min", "max")

Modes = Mapping[int, str]


def lane_width(circuits: Iterable[Circuit], least: int = 16) -> int:
    """Return the narrowest lane of WIDTHS, from least on, that holds every node of the
    circuits."""
    circuits = list(circuits)
    for width in WIDTHS:
        if width >= least and all(lane_modes(c, width) is not None for c in circuits):
            return width
    raise SpecError(f"{circuits[0].name} does not fit 64-bit lanes")


def plan_width(circuits: Iterable[Circuit], dtypes: Iterable[np.dtype], least: int = 16) -> int:
    """Return the lane width that holds every node and every stored word."""
    return max(lane_width(circuits, least), *(8 * d.itemsize for d in dtypes))


def lane_modes(circuit: Circuit, width: int) -> dict[int, str] | None:
    """Return the mode of each node, by index; None where one cannot be held."""
    users = _users(circuit)
    outputs = {n.index for n in circuit.outputs.values()}
    low_bits = _low_bits_only(circuit, width, users, outputs)
    modes = dict.fromkeys(_fused(circuit, width, users, outputs), "fused")
    for node in circuit.nodes:
        if node.index in modes:
            continue
        if node.is_const and not users[node.index] and node.index not in outputs:
            continue  # a shift count: it is part of the instruction
        mode = _choose(provable(node, modes, width), node.index in outputs,
                       users[node.index], low_bits[node.index])
        if mode is None:
            return None
        modes[node.index] = mode
    return modes


def provable(node: Node, modes: Modes, width: int) -> frozenset[str]:
    """Return the modes in which the node's operation gives its value, on operands held
    in these modes. Ring operations keep congruence, so a result that fits is exact."""
    fitting = _fitting(node, width)
    operands = _operands(node)
    if any(modes[a.index] == "fused" for a in operands):
        rounded = rounded_product(node, width)
        exact = rounded and all(modes[a.index] == "signed" for a in rounded.operands)
        return fitting & {"signed"} if exact else frozenset()
    held = {modes[a.index] for a in operands}
    if node.op in RING:
        if "saturated" in held:
            return frozenset()
        clamped = {"saturated"} if node.op in ("add", "sub") and held == {"signed"} else set()
        return fitting | {"modular"} | clamped
    if node.op in EXTREMES and "saturated" in held:
        # Clamping is monotone: the smaller of clamped values is the smaller, clamped.
        if not held <= {"signed", "saturated"}:
            return frozenset()
        return (fitting & {"signed"}) | {"saturated"}
    if node.op in (*COMPARISONS, *EXTREMES):
        one_order = any(all(reads(a, modes) for a in operands)
                        for reads in (reads_signed, reads_unsigned))
        return fitting if one_order else frozenset()
    return fitting if held <= EXACT else frozenset()


def reads_signed(node: Node, modes: Modes) -> bool:
    """Whether the lane, read as two's complement, is the node's value."""
    return modes[node.index] == "signed"


def reads_unsigned(node: Node, modes: Modes) -> bool:
    """Whether the lane, read as a number from 0, is the node's value."""
    return modes[node.index] == "unsigned" or (modes[node.index] == "signed" and node.low >= 0)


def _fitting(node: Node, width: int) -> frozenset[str]:
    """Return the exact modes that the node's range allows."""
    half = 1 << (width - 1)
    signed = {"signed"} if -half <= node.low and node.high < half else set()
    return frozenset(signed | ({"unsigned"} if 0 <= node.low and node.high < 2 * half else set()))


def _choose(possible: frozenset[str], is_output: bool, used_by, low_bits: bool) -> str | None:
    """Return the mode that asks least of the users, of those that they can do with."""
    for mode in ("signed", "unsigned"):
        if mode in possible:
            return mode
    if is_output:
        return None
    if "saturated" in possible and all(u.op in EXTREMES for u in used_by):
        return "saturated"
    return "modular" if "modular" in possible and low_bits else None


def _fused(circuit: Circuit, width: int, users, outputs) -> list[int]:
    """Return the nodes inside of rounded products, which have no other users."""
    found: list[int] = []
    for node in circuit.nodes:
        if rounded := rounded_product(node, width):
            product, total = rounded.inner
            if (users[product.index] == [total] and users[total.index] == [node]
                    and not {product.index, total.index} & outputs):
                found += [product.index, total.index]
    return found


def _low_bits_only(circuit: Circuit, width: int, users, outputs) -> dict[int, bool]:
    """Return for each node whether its users can do with its bits below width."""
    found: dict[int, bool] = {}
    for node in reversed(circuit.nodes):
        found[node.index] = node.index not in outputs and all(
            _masks(u, width) or (u.op in RING and (found[u.index] or _fitting(u, width)))
            for u in users[node.index])
    return found


def _masks(node: Node, width: int) -> bool:
    return node.op == "and" and any(a.is_const and 0 <= a.low < 1 << width for a in node.args)


def _operands(node: Node) -> tuple[Node, ...]:
    """Return what an instruction computes with: the arguments without a shift's count."""
    return node.args[:1] if node.op in SHIFTS else node.args


def _users(circuit: Circuit) -> dict[int, list[Node]]:
    users: dict[int, list[Node]] = {n.index: [] for n in circuit.nodes}
    for node in circuit.nodes:
        for arg in _operands(node):
            users[arg.index].append(node)
    return users
