"""Circuits with one small fault, each known to answer differently for some words.

A proof counts only if it can fail: the same query is put for a mutant and has to be
refuted. Kinds of fault: a word of a table (`table`), two operands exchanged (`swap`), a
minimum or maximum left out (`saturation`), and, where a circuit has none of these, a
constant off by one (`constant`) or the lowest bit of the result inverted (`bit`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fxp.trace.bits import Table
from fxp.trace.circuit import Circuit, evaluate, node_values
from fxp.trace.graph import Graph, Node, SpecError
from verilog.design.stimulus import operand_columns

__all__ = ["KINDS", "Mutant", "mutants", "narrowed", "samples"]

KINDS = ("table", "swap", "saturation", "constant", "bit")
SAMPLES = 3000
MOST_TRIED = 40  # faults of a kind that are tried before the kind is given up


@dataclass(frozen=True)
class Mutant:
    """A circuit with a fault, what the fault is, and words that show it, where any are known."""

    kind: str
    text: str
    circuit: Circuit
    words: Mapping[str, int] = field(default_factory=dict)


def samples(circuit: Circuit, count: int = SAMPLES) -> dict[str, np.ndarray]:
    """Return words for every input: corners and random ones, the same every time."""
    return operand_columns({k: (n.low, n.high) for k, n in circuit.inputs.items()}, count, 1)


def mutants(circuit: Circuit, kinds=KINDS, differs: Callable | None = None
            ) -> Iterator[Mutant]:
    """Yield one mutant of each kind of which the circuit has one; constant and bit only
    if there was none before.

    By default a mutant differs if it answers some sample otherwise; differs(mutated
    circuit) may say something else.
    """
    words = samples(circuit)
    answers = _stacked(circuit, words)

    def shown(mutated: Circuit) -> dict[str, int]:
        wrong = np.flatnonzero((_stacked(mutated, words) != answers).any(axis=0))
        return {k: int(column[wrong[0]]) for k, column in words.items()} if wrong.size else {}

    found = 0
    for kind in kinds:
        if kind in ("constant", "bit") and found:
            return
        for text, mutated in _tried(circuit, kind, words):
            telling = {} if differs else shown(mutated)
            if differs(mutated) if differs else telling:
                found += 1
                yield Mutant(kind, text, mutated, telling)
                break


def narrowed(circuit: Circuit) -> Iterator[tuple[str, Circuit, Node]]:
    """Yield circuits one of whose nodes claims a bound that some sample exceeds, the node
    given too. Nodes that hang on a product come last."""
    words = samples(circuit)
    values = node_values(circuit, words)
    products = _after_products(circuit)
    for node in sorted(_operations(circuit)[::-1], key=lambda n: n.index in products):
        low, high = int(np.min(values[node.index])), int(np.max(values[node.index]))
        if low < high:
            text = f"{node.name or node.op} claimed to be at most {high - 1}"
            other, copies = _copied(circuit, {node.index: replace(node, high=high - 1)})
            yield text, other, copies[node.index]


def _tried(circuit: Circuit, kind: str, words) -> Iterator[tuple[str, Circuit]]:
    """Yield circuits with a fault of a kind; whether they differ is not looked at."""
    if kind == "bit":
        yield "lowest bit inverted", _rebuilt(circuit, {}, flip=True)
        return
    nodes = _operations(circuit)[::-1]
    change = {"table": _table_fault, "swap": _swap_fault, "saturation": _saturation_fault,
              "constant": _constant_fault}[kind]
    values = node_values(circuit, words) if kind == "table" else {}
    tried = 0
    for node in nodes:
        for text, fault in change(node, values):
            if tried == MOST_TRIED:
                return
            tried += 1
            try:
                yield text, _rebuilt(circuit, {node.index: fault})
            except SpecError:  # the fault leaves a table or 64 bits
                continue


def _table_fault(node: Node, values):
    if node.op != "lookup":
        return
    hit, counts = np.unique(values[node.args[0].index], return_counts=True)
    low, high = min(node.table.values), max(node.table.values)
    for place in hit[np.argsort(-counts, kind="stable")][:8]:
        word = node.table.values[place]
        # A fault of one unit is the smallest; rounding may hide it, the second it cannot.
        for other in (word - 1 if word == high else word + 1,
                      low if 2 * word > low + high else high):
            words = list(node.table.values)
            words[place] = other
            table = Table(node.table.name, words)
            yield (f"{node.table.name}[{place}] = {other} for {word}",
                   lambda graph, args, table=table: graph.add("lookup", args, table))


def _swap_fault(node: Node, values):
    if node.op in ("sub", "lt"):
        yield (f"operands of {_label(node)} exchanged",
               lambda graph, args: graph.add(node.op, args[::-1]))
    if node.op == "where":
        yield (f"sides of {_label(node)} exchanged",
               lambda graph, args: graph.add("where", [args[0], args[2], args[1]]))


def _saturation_fault(node: Node, values):
    if node.op in ("min", "max"):
        for kept in (0, 1):
            if not node.args[kept].is_const:
                yield f"{_label(node)} left out", lambda graph, args, kept=kept: args[kept]


def _constant_fault(node: Node, values):
    for place, arg in enumerate(node.args):
        if arg.is_const:
            def fault(graph, args, place=place, arg=arg):
                return graph.add(node.op, [*args[:place], graph.constant(arg.low ^ 1),
                                           *args[place + 1:]])
            yield f"constant {arg.low} of {_label(node)} made {arg.low ^ 1}", fault


def _rebuilt(circuit: Circuit, faults: Mapping[int, Callable], flip: bool = False) -> Circuit:
    """Return the circuit made anew, nodes of `faults` by fault(graph, arguments); ranges
    follow from the faults, so what is known is no longer claimed."""
    graph = Graph()
    made: dict[int, Node] = {}
    for node in circuit.nodes:
        args = [made[a.index] for a in node.args]
        if node.index in faults:
            made[node.index] = faults[node.index](graph, args)
        elif node.op == "input":
            made[node.index] = graph.input(node.name, node.low, node.high)
        elif node.is_const:
            made[node.index] = graph.constant(node.low)
        elif node.op == "known":
            made[node.index] = args[0]
        else:
            made[node.index] = graph.add(node.op, args, node.table)
    outputs = {k: made[n.index] for k, n in circuit.outputs.items()}
    if flip:
        first = next(iter(outputs))
        outputs[first] = graph.add("xor", [outputs[first], graph.constant(1)])
    return replace(circuit, inputs={k: made[n.index] for k, n in circuit.inputs.items()},
                   outputs=outputs, nodes=tuple(graph.nodes))


def _copied(circuit: Circuit, changed: Mapping[int, Node]) -> tuple[Circuit, dict[int, Node]]:
    """Return a copy in which `changed` stand for some nodes, nothing else looked at."""
    made: dict[int, Node] = {}
    for node in circuit.nodes:
        copy = changed.get(node.index, node)
        made[node.index] = replace(copy, args=tuple(made[a.index] for a in node.args))
    return replace(circuit, inputs={k: made[n.index] for k, n in circuit.inputs.items()},
                   outputs={k: made[n.index] for k, n in circuit.outputs.items()},
                   nodes=tuple(made.values())), made


def _operations(circuit: Circuit) -> list[Node]:
    return [n for n in circuit.nodes if n.op not in ("input", "const")]


def _after_products(circuit: Circuit) -> set[int]:
    found: set[int] = set()
    for node in circuit.nodes:
        if node.op == "mul" or any(a.index in found for a in node.args):
            found.add(node.index)
    return found


def _stacked(circuit: Circuit, words) -> np.ndarray:
    found = evaluate(circuit, **words)
    columns = found if isinstance(found, tuple) else (found,)
    shape = next(iter(words.values())).shape
    return np.stack([np.broadcast_to(c, shape) for c in columns])


def _label(node: Node) -> str:
    return f"{node.op} {node.name}".strip()
