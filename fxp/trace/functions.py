"""A circuit as a Python function, of plain integers or of arrays: checks call it by the million,
and node by node, with a look at what each operand is, takes up to twenty times as long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fxp.trace.bits import lookup
from fxp.trace.graph import Node

__all__ = ["array_function", "integer_function"]


def integer_function(circuit) -> Callable[[dict], tuple]:
    """Return the function of the inputs, a dict of ints, that gives a tuple of the outputs."""
    return _function(circuit, _INTEGERS)


def array_function(circuit) -> Callable[[dict], tuple]:
    """Return the same for int64 arrays."""
    return _function(circuit, {**_INTEGERS, **_ARRAYS})


def _function(circuit, expressions: Mapping[str, str]) -> Callable[[dict], tuple]:
    names = {n.index: _name(n) for n in (*circuit.inputs.values(), *circuit.nodes)}
    inputs = [f"{names[n.index]} = given[{port!r}]" for port, n in circuit.inputs.items()]
    lines = [f"{names[n.index]} = {_expression(n, names, expressions)}"
             for n in circuit.nodes if n.op not in ("input", "const")]
    results = "".join(f"{names[n.index]}, " for n in circuit.outputs.values())
    body = "".join(f"    {line}\n" for line in [*inputs, *lines, f"return ({results})"])
    known: dict[str, Any] = {"lookup": lookup, "where": np.where, "minimum": np.minimum,
                             "maximum": np.maximum}
    known |= {f"t{n.index}": n.table for n in circuit.nodes if n.table is not None}
    exec(f"def run(given):\n{body}", known)
    return known["run"]


def _name(node: Node) -> str:
    return f"({node.low})" if node.op == "const" else f"v{node.index}"


def _expression(node: Node, names: Mapping[int, str], expressions: Mapping[str, str]) -> str:
    args = [names[a.index] for a in node.args]
    if node.op != "lookup":
        return expressions[node.op].format(*args)
    return expressions["lookup"].format(*args, table=f"t{node.index}", last=len(node.table) - 1)


_INTEGERS = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}",
    "shl": "{0} << {1}", "shr": "{0} >> {1}",
    "and": "{0} & {1}", "or": "{0} | {1}", "xor": "{0} ^ {1}",
    "eq": "1 if {0} == {1} else 0", "lt": "1 if {0} < {1} else 0",
    "where": "{1} if {0} else {2}",
    "min": "{0} if {0} < {1} else {1}", "max": "{0} if {0} > {1} else {1}",
    "lookup": "{table}.values[{0}] if 0 <= {0} <= {last} else lookup({table}, {0})",
    "known": "{0}",
}
_ARRAYS = {
    "eq": "({0} == {1}) * 1", "lt": "({0} < {1}) * 1", "where": "where({0}, {1}, {2})",
    "min": "minimum({0}, {1})", "max": "maximum({0}, {1})", "lookup": "{table}.array[{0}]",
}
