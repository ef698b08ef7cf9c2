"""From a spec function to a Circuit: ports, ordered nodes, claims, evaluation."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fxp.once import cached_property
from fxp.trace import bits
from fxp.trace.bits import Traced
from fxp.trace.functions import array_function, integer_function
from fxp.trace.graph import Graph, Node, SpecError

__all__ = ["Circuit", "evaluate", "node_values", "trace"]


@dataclass(frozen=True)
class Circuit:
    """What a spec computes, as nodes in an order in which they can be computed.

    inputs and outputs map port names to nodes; every node has an integer range
    and, where the spec named it, a name. claims are the `known` nodes, whose
    ranges must be proved; tables the constant tables.
    """

    name: str
    doc: str
    inputs: Mapping[str, Node]
    outputs: Mapping[str, Node]
    nodes: tuple[Node, ...]
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def claims(self) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if n.op == "known")

    @property
    def tables(self) -> tuple:
        return tuple(dict.fromkeys(n.table for n in self.nodes if n.table is not None))

    @cached_property
    def digest(self) -> str:
        """A hash of everything that decides the outputs."""
        number = {id(n): i for i, n in enumerate(self.nodes)}
        sha = hashlib.sha256()
        for node in self.nodes:
            port = node.name if node.op == "input" else ""
            values = node.table.values if node.table is not None else ()
            args = tuple(number[id(a)] for a in node.args)
            sha.update(repr((node.op, args, node.low, node.high, port, values)).encode())
        sha.update(repr([(k, number[id(n)]) for k, n in self.outputs.items()]).encode())
        return sha.hexdigest()

    @cached_property
    def of_integers(self) -> Callable[[dict], tuple]:
        """The outputs for plain ints, given by name."""
        return integer_function(self)

    @cached_property
    def of_arrays(self) -> Callable[[dict], tuple]:
        """The outputs for int64 arrays, given by name."""
        return array_function(self)

    def __call__(self, **inputs):
        """Return the outputs for ints or int64 arrays: one value, or a tuple."""
        return evaluate(self, **inputs)


def trace(spec: Callable, ports: Mapping[str, tuple[int, int]], outputs=None,
          name: str = "", **params) -> Circuit:
    """Return the Circuit of spec(**ports, **params).

    ports gives each operand its range (low, high). The spec returns one value
    or a tuple; `outputs` names them (by default out, or out0, out1, ...; a
    NamedTuple brings its own names). Raises SpecError where the spec leaves
    the vocabulary.
    """
    graph = Graph()
    inputs = {port: graph.input(port, *span) for port, span in ports.items()}
    operands = {port: Traced(graph, node) for port, node in inputs.items()}
    with _Namer() as namer:
        result = spec(**operands, **params)
    named = _named_outputs(graph, result, outputs)
    nodes = _reachable(inputs, named)
    for node in nodes:
        node.name = node.name or namer.names.get(node.index, "")
    return Circuit(name or getattr(spec, "__name__", "spec"), spec.__doc__ or "", inputs, named,
                   nodes, {k: str(v) for k, v in params.items()})


def evaluate(circuit: Circuit, **inputs):
    """Run the circuit on ints or int64 arrays, node by node; on traced values, whose ranges
    are within those of its inputs, it becomes a part of what is traced."""
    kinds = {type(v) for v in inputs.values()} if inputs.keys() == circuit.inputs.keys() else set()
    results: tuple
    if kinds == {int}:
        results = circuit.of_integers(inputs)
    elif kinds == {np.ndarray}:
        results = circuit.of_arrays(inputs)
    else:
        values = node_values(circuit, inputs)
        results = tuple(values[n.index] for n in circuit.outputs.values())
    return results[0] if len(results) == 1 else results


def node_values(circuit: Circuit, inputs: Mapping[str, Any]) -> dict[int, Any]:
    """Return the value of every node, by index, for ints or int64 arrays."""
    if set(inputs) != set(circuit.inputs):
        raise SpecError(f"{circuit.name} takes {sorted(circuit.inputs)}, got {sorted(inputs)}")
    values: dict[int, Any] = {}
    for node in circuit.nodes:
        args = [values[a.index] for a in node.args]
        if node.op == "input":
            values[node.index] = inputs[node.name]
        elif node.op == "const":
            values[node.index] = node.low
        else:
            values[node.index] = _OPERATIONS[node.op](node, *args)
    return values


_OPERATIONS: dict[str, Callable] = {
    "add": lambda n, a, b: a + b,
    "sub": lambda n, a, b: a - b,
    "mul": lambda n, a, b: a * b,
    "shl": lambda n, a, b: a << b,
    "shr": lambda n, a, b: a >> b,
    "and": lambda n, a, b: a & b,
    "or": lambda n, a, b: a | b,
    "xor": lambda n, a, b: a ^ b,
    "eq": lambda n, a, b: (a == b) * 1,
    "lt": lambda n, a, b: (a < b) * 1,
    "where": lambda n, c, a, b: bits.where(c, a, b),
    "min": lambda n, a, b: bits.minimum(a, b),
    "max": lambda n, a, b: bits.maximum(a, b),
    "lookup": lambda n, i: bits.lookup(n.table, i),
    "known": lambda n, x: bits.known(x, n.low, n.high),
}


def _named_outputs(graph: Graph, result, names) -> dict[str, Node]:
    values = result if isinstance(result, tuple) else (result,)
    if names is None:
        names = getattr(result, "_fields", None) or (
            ["out"] if len(values) == 1 else [f"out{i}" for i in range(len(values))])
    if len(names) != len(values):
        raise SpecError(f"the spec returns {len(values)} values for outputs {list(names)}")
    return {k: graph.output(v.node if isinstance(v, Traced) else graph.constant(v))
            for k, v in zip(names, values)}


def _reachable(inputs, outputs) -> tuple[Node, ...]:
    keep: dict[int, Node] = {n.index: n for n in inputs.values()}
    stack = list(outputs.values())
    while stack:
        node = stack.pop()
        if node.index not in keep or node.op == "input":
            keep[node.index] = node
            stack.extend(node.args)
    return tuple(keep[i] for i in sorted(keep))


class _Namer:
    """While a spec runs, note the local variable names that its values have."""

    def __enter__(self):
        self.names: dict[int, str] = {}
        self._before = sys.getprofile()
        sys.setprofile(self._look)
        return self

    def __exit__(self, *exc):
        enable = getattr(self._before, "enable", None)
        if enable:  # cProfile's, which is no function before Python 3.12
            sys.setprofile(None)
            enable()
        else:
            sys.setprofile(self._before)

    def _look(self, frame, event, arg):
        if event == "return" and frame.f_globals.get("__name__") not in _MACHINERY:
            for name, value in frame.f_locals.items():
                if isinstance(value, Traced):
                    self.names[value.node.index] = name  # the outermost name wins


_MACHINERY = {"fxp.trace.bits", "fxp.trace.graph", "fxp.trace.circuit"}
