"""Which tensor of a graph has the scores of classes."""

from __future__ import annotations

from nets.graph.graph import Graph

__all__ = ["scores_of"]

DROPPED = ("ArgMax", "TopK", "Softmax", "LogSoftmax", "Cast", "Identity", "Squeeze")


def scores_of(graph: Graph) -> Graph:
    """Return the graph up to the scores of its first output: what orders classes or only names
    the best one is left out, as are nodes that nothing needs then."""
    makers = {name: node for node in graph.nodes for name in node.outputs}
    out = graph.outputs[0]
    found = out
    while found in makers and makers[found].op in DROPPED:
        node = makers[found]
        if node.op in ("ArgMax", "TopK", "Softmax", "LogSoftmax"):
            out = node.inputs[0]
        found = node.inputs[0]
    needed, kept = {out}, []
    for node in reversed(graph.nodes):
        if needed & set(node.outputs):
            needed |= set(node.inputs)
            kept.append(node)
    constants = {k: v for k, v in graph.constants.items() if k in needed}
    return Graph(tuple(reversed(kept)), graph.inputs, (out,), constants)
