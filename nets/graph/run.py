"""What a graph means in floats: its nodes run one by one in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from nets.graph.graph import Graph, GraphError, Node, Unsupported
from nets.graph.operators.table import OPERATORS

__all__ = ["answers", "run", "run_node"]

Arrays = dict[str, np.ndarray]
AT_ONCE = 1 << 26  # bytes of the largest tensor, about


def run_node(node: Node, values: Arrays) -> Arrays:
    """Return the outputs of a node by name; GraphError, which names it, where it cannot run."""
    function = OPERATORS.get(node.op)
    if function is None:
        raise Unsupported(f"node {node}: there is no such operator here")
    given = [values[name] if name else None for name in node.inputs]
    while given and given[-1] is None:
        given.pop()
    try:
        with np.errstate(all="ignore"):
            found = function({**node.attributes, "opset": node.opset,
                              "outputs": len(node.outputs)}, *given)
    except Unsupported as error:
        raise Unsupported(f"node {node}: {error}") from None
    except (ValueError, TypeError, IndexError, KeyError, ZeroDivisionError) as error:
        raise GraphError(f"node {node}: {' '.join(str(error).split())[:300]}") from error
    found = found if isinstance(found, tuple) else (found,)
    if len(found) < len([n for n in node.outputs if n]):
        raise Unsupported(f"node {node}: output {node.outputs[len(found)]!r} is not supported, "
                          "the first one is")
    return {name: np.asarray(v) for name, v in zip(node.outputs, found) if name}


def run(graph: Graph, feeds: Arrays, wanted: Iterable[str] | None = None,
        seen: Callable[[str, np.ndarray], None] | None = None) -> Arrays:
    """Return the tensors wanted (by default the outputs) for inputs by name.

    seen(name, value) is called for every tensor as it comes; what no node needs any more
    is let go.
    """
    keep = set(graph.outputs if wanted is None else wanted)
    last = {name: i for i, node in enumerate(graph.nodes) for name in node.inputs}
    values = {**graph.constants, **feeds}
    for i, node in enumerate(graph.nodes):
        found = run_node(node, values)
        if seen:
            for name, value in found.items():
                seen(name, value)
        values |= found
        for name in {*node.inputs, *node.outputs}:
            if last.get(name, i) <= i and name not in keep and name not in graph.constants:
                values.pop(name, None)
    return {name: values[name] for name in keep}


def answers(graph: Graph, x: np.ndarray, at_once: int = 256) -> np.ndarray:
    """Return the first output for inputs in a row, each of the graph's shape, as float32.

    A graph that takes a batch of a fixed size is given as many at a time.
    """
    size = graph.batch or max(1, min(at_once, AT_ONCE // max(1, 64 * x[0].nbytes)))
    name, (out, *_) = next(iter(graph.inputs)), graph.outputs
    found = []
    for low in range(0, len(x), size):
        part = x[low : low + size]
        missing = size - len(part) if graph.batch else 0
        fed = np.concatenate([part, np.repeat(part[-1:], missing, 0)]) if missing else part
        value = run(graph, {name: fed})[out]
        found.append(value[: len(part)] if value.ndim and len(value) == len(fed)
                     else np.broadcast_to(value, (len(part), *value.shape[1:])))
    return np.concatenate(found)
