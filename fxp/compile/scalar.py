"""A circuit as the source text of a plain Python function that Numba compiles."""

from __future__ import annotations

from fxp.format import word_dtype
from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node

__all__ = ["scalar_source"]

INFIX = {"add": "+", "sub": "-", "mul": "*", "shl": "<<", "and": "&", "or": "|",
         "xor": "^", "eq": "==", "lt": "<"}


def scalar_source(circuit: Circuit, name: str) -> str:
    """Return the text of `name`(ports...), one line for each node, int64 throughout.

    It returns one value or a tuple, and needs `np` and `njit` in its module.
    """
    tables = {t: f"{name}_table{i}" for i, t in enumerate(circuit.tables)}
    lines = [f"{tables[t]} = np.array({list(t.values)}, np.{_storage(t)})"
             for t in circuit.tables]
    ports = ", ".join(_operand(n) for n in circuit.inputs.values())
    lines += ["", "", "@njit(inline='never')", f"def {name}({ports}):"]
    for node in circuit.nodes:
        if node.op not in ("input", "const"):
            lines.append(f"    n{node.index} = {_expression(node, tables)}")
    results = ", ".join(_operand(n) for n in circuit.outputs.values())
    return "\n".join([*lines, f"    return {results}", ""])


def _operand(node: Node) -> str:
    if node.is_const:
        return str(node.low) if node.low >= 0 else f"({node.low})"
    return f"p_{node.name}" if node.op == "input" else f"n{node.index}"


def _expression(node: Node, tables) -> str:
    args = [_operand(a) for a in node.args]
    if node.op == "shr":  # a machine's shift by the whole width does anything
        return f"{args[0]} >> {min(node.args[1].low, 63)}"
    if node.op in INFIX:
        text = f"{args[0]} {INFIX[node.op]} {args[1]}"
        return f"np.int64({text})" if node.op in ("eq", "lt") else text
    if node.op in ("min", "max"):
        return f"{node.op}({args[0]}, {args[1]})"
    if node.op == "where":
        return f"{args[1]} if {args[0]} else {args[2]}"
    if node.op == "lookup":
        return f"np.int64({tables[node.table]}[{args[0]}])"
    return args[0]


def _storage(table) -> str:
    """Return the narrowest type of the entries: Numba caches no code with big globals."""
    return word_dtype(min(table.values), max(table.values)).name
