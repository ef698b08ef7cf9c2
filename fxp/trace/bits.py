"""The vocabulary of spec functions, and the traced value that records them.

A spec is a plain Python function over integers. It uses

    + - * & | ^   << >> by constants   == != < <= > >=
    where  minimum  maximum  clamp  lookup  known  possible

and nothing else, so the same function runs on a Python int, on an int64 NumPy
array, and on a `Traced` value, which records every operation as a `Node` with
the range [low, high] of what it can be. Nobody writes widths: they follow from
the ranges. Comparisons give 0 or 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxp.trace.graph import Graph, Node, SpecError

__all__ = ["SpecError", "Table", "Traced", "clamp", "known", "lookup", "maximum", "minimum",
           "possible", "where"]


class Table:
    """A named constant table of integers, indexed from 0."""

    def __init__(self, name: str, values):
        self.name = name
        self.values = tuple(int(v) for v in values)
        self.array = np.array(self.values, np.int64)

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other) -> bool:
        return isinstance(other, Table) and self.values == other.values

    def __hash__(self) -> int:
        return hash(self.values)

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {len(self)} entries)"


class Traced:
    """A value inside a trace: a node of a graph, under Python's operators."""

    __slots__ = ("graph", "node")
    __array_ufunc__ = None

    def __init__(self, graph: Graph, node: Node):
        self.graph = graph
        self.node = node

    @property
    def range(self) -> tuple[int, int]:
        """(low, high): every value that this can take lies between them."""
        return self.node.low, self.node.high

    def __bool__(self):
        raise SpecError("a spec may not branch on data: use where(condition, a, b)")

    __hash__ = object.__hash__

    def __add__(self, other):
        return _record("add", self, other)

    __radd__ = __add__

    def __sub__(self, other):
        return _record("sub", self, other)

    def __rsub__(self, other):
        return _record("sub", other, self)

    def __neg__(self):
        return _record("sub", 0, self)

    def __mul__(self, other):
        return _record("mul", self, other)

    __rmul__ = __mul__

    def __and__(self, other):
        return _record("and", self, other)

    __rand__ = __and__

    def __or__(self, other):
        return _record("or", self, other)

    __ror__ = __or__

    def __xor__(self, other):
        return _record("xor", self, other)

    __rxor__ = __xor__

    def __lshift__(self, count):
        return _record("shl", self, _constant(count))

    def __rshift__(self, count):
        return _record("shr", self, _constant(count))

    def __eq__(self, other):
        return _record("eq", self, other)

    def __ne__(self, other):
        return _record("xor", _record("eq", self, other), 1)

    def __lt__(self, other):
        return _record("lt", self, other)

    def __gt__(self, other):
        return _record("lt", other, self)

    def __le__(self, other):
        return _record("xor", _record("lt", other, self), 1)

    def __ge__(self, other):
        return _record("xor", _record("lt", self, other), 1)


def where(condition, then, otherwise):
    """Return `then` where the condition (0 or 1) holds, else `otherwise`."""
    if _traced(condition, then, otherwise):
        return _record("where", condition, then, otherwise)
    if _array(condition, then, otherwise):
        return np.where(condition, then, otherwise)
    return then if condition else otherwise


def minimum(a, b):
    """Return the smaller of a and b."""
    if _traced(a, b):
        return _record("min", a, b)
    return np.minimum(a, b) if _array(a, b) else min(a, b)


def maximum(a, b):
    """Return the larger of a and b."""
    if _traced(a, b):
        return _record("max", a, b)
    return np.maximum(a, b) if _array(a, b) else max(a, b)


def clamp(x, low: int, high: int):
    """Return x, but no less than low and no more than high."""
    return minimum(maximum(x, low), high)


def lookup(table: Table, index):
    """Return table[index]. Tracing refuses an index that can leave the table."""
    if _traced(index):
        return _record("lookup", index, table=table)
    if _array(index):
        return table.array[index]
    if not 0 <= index < len(table):
        raise SpecError(f"index {index} leaves {table!r}")
    return table.values[index]


def known(x, low: int, high: int):
    """Return x, and state that low <= x <= high holds though ranges cannot see it.

    A trace records the claim (`Circuit.claims`) so that it can be proved.
    """
    if _traced(x):
        return _record("known", x, bounds=(low, high))
    return x


def possible(condition):
    """Return the condition; in a trace 1, or 0 where its range says that it cannot hold.

    For a test that may as well be 1 whenever it can be: a circuit has it for nothing.
    """
    return int(condition.node.high != 0) if _traced(condition) else condition


def _traced(*values) -> bool:
    return any(isinstance(v, Traced) for v in values)


def _array(*values) -> bool:
    return any(isinstance(v, np.ndarray) for v in values)


def _constant(count) -> int:
    if isinstance(count, Traced):
        raise SpecError("shift counts are constants; select between shifts with where")
    return count


def _record(op: str, *args, table: Table | None = None, bounds=None) -> Any:
    graph = next(a.graph for a in args if isinstance(a, Traced))
    nodes = [a.node if isinstance(a, Traced) else graph.constant(a) for a in args]
    return Traced(graph, graph.add(op, nodes, table, bounds))
