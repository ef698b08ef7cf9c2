"""Sums of products among the steps: convolutions in groups, dense layers, and what is folded
into them."""

from __future__ import annotations

import numpy as np

from nets.graph.graph import Node, Unsupported
from nets.graph.operators.windows import _patches, frame_of
from nets.graph.run import run_node
from nets.graph.words.steps import Product

__all__ = ["fold", "product"]


def product(lowering, node: Node) -> Product:
    """Return the step of a Conv, Gemm or MatMul node whose weights are constant."""
    x, w, *rest = node.inputs
    if x in lowering.constants or w not in lowering.constants:
        raise Unsupported("words are multiplied with constant matrices from the right alone")
    weights = np.asarray(lowering.constants[w], np.float64)
    if node.op == "Conv":
        bias = lowering.constants[rest[0]] if rest and rest[0] else None
        return _convolution(lowering, node, x, weights, bias)
    if node.attributes.get("transA"):
        raise Unsupported("transA 1 is not supported in words, 0 is")
    fed = {**lowering.constants, w: weights}
    shape = lowering.shape(x)
    if weights.ndim != 2:
        raise Unsupported(f"weights of {weights.ndim} axes are not supported in words, of two are")
    zeros = run_node(node, {**fed, x: np.zeros(shape)})[node.outputs[0]]
    alpha = node.attributes.get("alpha", 1.0) if node.op == "Gemm" else 1.0
    matrix = weights.T if node.attributes.get("transB") else weights
    places = lowering.places(x).reshape(1, -1, shape[-1])
    bias = zeros.reshape(-1, zeros.shape[-1])
    if (bias != bias[0]).any():
        raise Unsupported("an offset that is not the same for all rows is not supported in words")
    return Product(node.name, (lowering.source(x),), node.outputs[0], zeros.shape, places,
                   alpha * matrix[None], np.asarray(bias[:1], np.float64), True)


def _convolution(lowering, node: Node, x: str, w: np.ndarray, bias) -> Product:
    shape, groups = lowering.shape(x), int(node.attributes.get("group", 1))
    if len(shape) != 4:
        raise Unsupported(f"windows over {len(shape) - 2} axes are not supported in words, over "
                          "two are")
    frame = frame_of(node.attributes, shape[2:], w.shape[2:])
    view = _patches(lowering.places(x), frame, -1)[0]  # channels, positions..., window...
    index = view.transpose(1, 2, 3, 4, 0).reshape(
        int(np.prod(frame.out)), -1, groups, shape[1] // groups)
    depth = index.shape[1] * index.shape[3]
    index = index.transpose(2, 0, 1, 3).reshape(groups, -1, depth)
    maps = len(w) // groups
    matrix = w.transpose(2, 3, 1, 0).reshape(depth, groups, maps).transpose(1, 0, 2)
    start = np.zeros(len(w)) if bias is None else np.asarray(bias, np.float64)
    return Product(node.name, (lowering.source(x),), node.outputs[0], (1, len(w), *frame.out),
                   index, matrix, start.reshape(groups, maps), kernel=w.shape[2:])


def fold(step: Product, factor: np.ndarray, offset: np.ndarray) -> bool:
    """Multiply a product's results with factors and add offsets, if these are the same for all
    positions of a map; return whether they are."""
    groups, maps = step.b.shape
    form = (-1, maps) if step.last else (groups * maps, -1)
    each = []
    for value in (factor, offset):
        rows = value.reshape(form)
        rows = rows.T if step.last else rows
        if (rows != rows[:, :1]).any():
            return False
        each.append(rows[:, 0].reshape(groups, maps))
    step.w = step.w * each[0][:, None]
    step.b = step.b * each[0] + each[1]
    return True
