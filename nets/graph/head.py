"""Which tensor of a graph has the scores of classes, and which the maps before them."""

from __future__ import annotations

from nets.graph.graph import Graph, GraphError

__all__ = ["maps_of", "scores_of", "up_to"]

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
    return up_to(graph, out)


def maps_of(graph: Graph) -> str:
    """Return the tensor that the last pooling over whole maps takes, else the input of the last
    product: what a classifier is put on."""
    for ops in (("GlobalAveragePool", "GlobalMaxPool", "ReduceMean"), ("Flatten",),
                ("Gemm", "MatMul", "Conv")):
        found = [node for node in graph.nodes if node.op in ops]
        if found:
            return found[-1].inputs[0]
    return graph.outputs[0]


def up_to(graph: Graph, out: str) -> Graph:
    """Return the part of a graph that gives a tensor; GraphError for one that no node gives."""
    if not any(out in node.outputs for node in graph.nodes):
        raise GraphError(f"there is no tensor {out[:60]!r} in the network")
    needed, kept = {out}, []
    for node in reversed(graph.nodes):
        if needed & set(node.outputs):
            needed |= set(node.inputs)
            kept.append(node)
    constants = {k: v for k, v in graph.constants.items() if k in needed}
    return Graph(tuple(reversed(kept)), graph.inputs, (out,), constants)
