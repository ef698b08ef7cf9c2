"""A graph whose weights are the values of words, as trained: what was folded into a product is
part of it."""

from __future__ import annotations

import numpy as np

from nets.graph.graph import Graph, Node, in_order
from nets.graph.words.lowering import Lowered
from nets.graph.words.steps import Product

__all__ = ["graph_of_words"]


def graph_of_words(graph: Graph, made: Lowered) -> Graph:
    """Return a graph with the weights and offsets of its steps: one node for each product, and
    none of those that were folded into it."""
    by_name = {node.name: node for node in graph.nodes}
    products = {step.out: step for step in made.products}
    nodes, constants = [], dict(graph.constants)
    for node in graph.nodes:
        step = products.get(node.outputs[0]) if node.outputs else None
        if step is None:
            nodes.append(node)
            continue
        own, values = _nodes(step, by_name[step.name])
        nodes += own
        constants |= values
    needed, kept = set(graph.outputs), []
    for node in reversed(nodes):
        if needed & set(node.outputs):
            needed |= set(node.inputs)
            kept.append(node)
    used = {name: v for name, v in constants.items() if name in needed}
    return Graph(in_order(kept[::-1], {*used, *graph.inputs}), graph.inputs, graph.outputs, used)


def _nodes(step: Product, node: Node) -> tuple[list[Node], dict[str, np.ndarray]]:
    """Return the nodes of a product, the last with the step's result, and their constants."""
    x, (name_w, name_b) = node.inputs[0], (f"{node.name}.trained.{k}" for k in "wb")
    if node.op == "Conv":
        groups, depth, maps = step.w.shape
        form = (*step.kernel, depth // int(np.prod(step.kernel)), groups * maps)
        w = step.w.transpose(1, 0, 2).reshape(form).transpose(3, 2, 0, 1)
        made = [Node(node.name, "Conv", (x, name_w, name_b), (step.out,), node.attributes,
                     node.opset)]
        return made, _reals({name_w: w, name_b: step.b.reshape(-1)})
    values = _reals({name_w: step.w[0], name_b: step.b[0]})
    if node.op == "Gemm":
        old = {"broadcast": 1} if node.opset < 7 else {}
        return [Node(node.name, "Gemm", (x, name_w, name_b), (step.out,), old, node.opset)], values
    between = f"{node.name}.trained.sum"
    return [Node(node.name, "MatMul", (x, name_w), (between,), {}, node.opset),
            Node(f"{node.name}.trained.add", "Add", (between, name_b), (step.out,), {},
                 node.opset)], values


def _reals(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k: np.ascontiguousarray(v, np.float32) for k, v in values.items()}
