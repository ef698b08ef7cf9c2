"""Nodes with integer ranges: how an expression grows, folds and shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Graph", "Node", "SpecError"]

COMPARISONS = ("eq", "lt")
COMMUTATIVE = ("add", "mul", "and", "or", "xor", "eq", "min", "max")


class SpecError(ValueError):
    """A spec that steps outside the vocabulary or outside its ranges."""


@dataclass(eq=False)
class Node:
    """One operation: op, its arguments, and the range of its value.

    op is input, const, add, sub, mul, shl, shr, and, or, xor, eq, lt, where,
    min, max, lookup or known; shl and shr carry their count as a const.
    """

    index: int
    op: str
    args: tuple[Node, ...]
    low: int
    high: int
    table: Any = None
    name: str = ""

    @property
    def is_const(self) -> bool:
        return self.op == "const"

    @property
    def is_bool(self) -> bool:
        """Whether the value is a truth: a comparison, or made of comparisons."""
        if self.op in COMPARISONS:
            return True
        return self.op in ("and", "or", "xor") and all(
            a.is_bool or (a.is_const and a.low in (0, 1)) for a in self.args
        ) and not all(a.is_const for a in self.args)

    def __repr__(self) -> str:
        args = ", ".join(str(a.low) if a.is_const else f"n{a.index}" for a in self.args)
        return f"n{self.index} = {self.op}({args}) in [{self.low}, {self.high}]"


class Graph:
    """A growing expression; equal nodes are made once, constants are folded."""

    def __init__(self):
        self.nodes: list[Node] = []
        self._seen: dict[tuple, Node] = {}

    def input(self, name: str, low: int, high: int) -> Node:
        """Return a new input port."""
        node = self._new("input", (), low, high)
        node.name = name
        return node

    def constant(self, value) -> Node:
        """Return the node of an integer; more than 64 bits are for limits that nothing reaches."""
        if isinstance(value, float):
            raise SpecError(f"a spec knows no floats, got {value!r}")
        value = int(value)
        return self._share(("const", value), "const", (), value, value)

    def add(self, op: str, args: list[Node], table=None, bounds=None) -> Node:
        """Return the node of op over args, folded or shared where that is exact."""
        if op == "known":
            return self._known(args[0], *bounds)
        if op in COMMUTATIVE:
            args = sorted(args, key=lambda a: (a.is_const, a.index))
        folded = self._fold(op, args, table)
        if folded is not None:
            return folded
        low, high = _bounds(op, args, table)
        _demand_held(f"{op} spans", low, high)
        if low == high:
            return self.constant(low)
        for node in args:
            if node.is_const:
                _demand_held(f"{op} takes", node.low, node.high)
        return self._share((op, *(a.index for a in args), table), op, tuple(args), low, high, table)

    def output(self, node: Node) -> Node:
        """Return the node, where 64 bits hold it."""
        _demand_held("an output is", node.low, node.high)
        return node

    def _known(self, x: Node, low: int, high: int) -> Node:
        low, high = max(low, x.low), min(high, x.high)
        if low > high:
            raise SpecError(f"known range {low}..{high} contradicts {x!r}")
        if (low, high) == (x.low, x.high):
            return x
        return self._share(("known", x.index, low, high), "known", (x,), low, high)

    def _fold(self, op, args, table) -> Node | None:
        if all(a.is_const for a in args):
            return self.constant(_evaluate(op, [a.low for a in args], table))
        a, b = args[0], args[-1]
        if op in ("add", "sub", "shl", "shr", "or", "xor") and b.is_const and b.low == 0:
            return a
        if op == "mul" and b.is_const and b.low == 1:
            return a
        if op == "and" and b.is_const and _keeps_all(a, b.low):
            return a
        if op in ("min", "max", "and", "or") and a is b:
            return a
        if op == "min" and (a.high <= b.low or b.high <= a.low):
            return a if a.high <= b.low else b
        if op == "max" and (a.low >= b.high or b.low >= a.high):
            return a if a.low >= b.high else b
        if op == "where":
            return self._fold_where(*args)
        return None

    def _fold_where(self, condition, then, otherwise) -> Node | None:
        if condition.is_const:
            return then if condition.low else otherwise
        return then if then is otherwise else None

    def _share(self, key, op, args, low, high, table=None) -> Node:
        if key not in self._seen:
            self._seen[key] = self._new(op, args, low, high, table)
        return self._seen[key]

    def _new(self, op, args, low, high, table=None) -> Node:
        node = Node(len(self.nodes), op, args, low, high, table)
        self.nodes.append(node)
        return node


def _demand_held(what: str, low: int, high: int) -> None:
    if not -(1 << 63) <= low <= high < 1 << 63:
        raise SpecError(f"{what} {low}..{high}, more than 64 bits hold")


def _evaluate(op: str, v: list[int], table) -> int:
    """Return op on plain integers."""
    return int({
        "add": lambda: v[0] + v[1], "sub": lambda: v[0] - v[1], "mul": lambda: v[0] * v[1],
        "shl": lambda: v[0] << v[1], "shr": lambda: v[0] >> v[1], "and": lambda: v[0] & v[1],
        "or": lambda: v[0] | v[1], "xor": lambda: v[0] ^ v[1], "eq": lambda: v[0] == v[1],
        "lt": lambda: v[0] < v[1], "where": lambda: v[1] if v[0] else v[2],
        "min": lambda: min(v), "max": lambda: max(v), "lookup": lambda: table.values[v[0]],
    }[op]())


def _bounds(op: str, args: list[Node], table) -> tuple[int, int]:
    """Return the range of op over the ranges of its arguments."""
    a, b = args[0], args[-1]
    if op == "add":
        return a.low + b.low, a.high + b.high
    if op == "sub":
        return _difference(a, b)
    if op == "mul":
        corners = [p * q for p in (a.low, a.high) for q in (b.low, b.high)]
        return (0 if a is b else min(corners)), max(corners)
    if op in ("shl", "shr"):
        if b.low < 0:
            raise SpecError(f"shift count must be 0 or more, got {b.low}")
        return (a.low << b.low, a.high << b.low) if op == "shl" else (a.low >> b.low,
                                                                     a.high >> b.low)
    if op in ("and", "or", "xor"):
        return _bitwise(op, a, b)
    if op == "eq":
        return 0, int(a.low <= b.high and b.low <= a.high)
    if op == "lt":
        return int(a.high < b.low), int(a.low < b.high)
    if op == "where":
        return min(args[1].low, b.low), max(args[1].high, b.high)
    if op == "min":
        return min(a.low, b.low), min(a.high, b.high)
    if op == "max":
        return max(a.low, b.low, 0 if _negated(a, b) else a.low), max(a.high, b.high)
    if op == "lookup":
        if a.low < 0 or a.high >= len(table):
            raise SpecError(f"index {a.low}..{a.high} leaves {table!r}")
        reach = table.values[a.low : a.high + 1]
        return min(reach), max(reach)
    raise SpecError(f"unknown operation {op!r}")


def _difference(a: Node, b: Node) -> tuple[int, int]:
    """Return the range of a - b; max(p, q) - min(p, q) is never negative."""
    if a is b:
        return 0, 0
    if a.op == "max" and b.op == "min" and set(a.args) == set(b.args):
        p, q = a.args
        return 0, max(p.high - q.low, q.high - p.low)
    return a.low - b.high, a.high - b.low


def _keeps_all(a: Node, mask: int) -> bool:
    """Whether a & mask is a: the mask is all ones as far as a reaches."""
    return mask == -1 or (a.low >= 0 and mask & (mask + 1) == 0 and a.high <= mask)


def _negated(a: Node, b: Node) -> bool:
    """Whether one is 0 - the other, so that the larger of them is not negative."""
    return any(m.op == "sub" and m.args[0].is_const and m.args[0].low == 0 and m.args[1] is n
               for m, n in ((a, b), (b, a)))


def _bitwise(op: str, a: Node, b: Node) -> tuple[int, int]:
    for sign, other in ((a, b), (b, a)):
        if op == "and" and (sign.low, sign.high) == (-1, 0):
            return min(0, other.low), max(0, other.high)
    if op == "and" and (a.low >= 0 or b.low >= 0):
        return 0, min(n.high for n in (a, b) if n.low >= 0)
    width = max(_magnitude_bits(n) for n in (a, b))
    if a.low >= 0 and b.low >= 0:
        return (max(a.low, b.low) if op == "or" else 0), (1 << width) - 1
    return -(1 << width), (1 << width) - 1


def _magnitude_bits(node: Node) -> int:
    return max(node.high.bit_length(), (-node.low - 1).bit_length() if node.low < 0 else 0)
