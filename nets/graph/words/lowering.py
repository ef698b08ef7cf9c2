"""From a graph to steps in words: what is constant is computed, what only moves becomes
places, factors and offsets of a channel go into the product before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from nets.graph.graph import Graph, Node, Unsupported
from nets.graph.operators.elementwise import UNARY
from nets.graph.operators.slopes import SLOPES, straight_through
from nets.graph.run import run_node
from nets.graph.words import products, windows
from nets.graph.words.steps import Combine, Function, Move, Product, Step

__all__ = ["Lowered", "lowered"]

MOVES = ("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Slice",
         "Pad", "Expand", "Gather", "Concat", "Split", "Cast")
NUMBERWISE = ("Clip", "PRelu", "Quant", "IntQuant", "BipolarQuant", "Trunc", "MultiThreshold",
              "QuantizeLinear", "DequantizeLinear")
ROUNDED = ("Clip", "Quant", "IntQuant", "BipolarQuant", "Trunc")  # with a straight-through slope


@dataclass
class Lowered:
    """Steps in their order; `input` names the first tensor, `output` the last, `shapes` has the
    shape of each for one input."""

    input: str
    output: str
    steps: list[Step] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def products(self) -> list[Product]:
        return [step for step in self.steps if isinstance(step, Product)]


def lowered(graph: Graph) -> Lowered:
    """Return the steps of a graph with one output; Unsupported, naming the node, for what
    words have no operator for."""
    return _Lowering(graph).run()


class _Lowering:
    """One pass over the nodes, for a batch of one input."""

    def __init__(self, graph: Graph):
        self.graph = graph
        name = next(iter(graph.inputs))
        self.made = Lowered(name, name, shapes={name: (1, *graph.shape)})
        self.constants = dict(graph.constants)
        self.alias = {name: name}  # of a tensor of the graph: the tensor of a step
        self.uses = {name: len(nodes) for name, nodes in graph.uses().items()}
        for out in graph.outputs:
            self.uses[out] = self.uses.get(out, 0) + 1

    def run(self) -> Lowered:
        for node in self.graph.nodes:
            try:
                self._take(node)
            except Unsupported as error:
                told = str(error)
                raise Unsupported(told if told.startswith("node ") else
                                  f"node {node}: {told}") from None
        out = self.graph.outputs[0]
        if out not in self.alias:
            raise Unsupported(f"output {out!r} does not depend on the input")
        self.made.output = self.alias[out]
        return self.made

    def _take(self, node: Node) -> None:
        data = [name for name in node.inputs if name and name not in self.constants]
        if not data:
            self.constants |= run_node(node, self.constants)
        elif node.op == "Shape":
            self.constants |= run_node(node, {data[0]: np.empty(self.shape(data[0]))})
        elif node.op in MOVES:
            self._move(node, data)
        elif node.op in UNARY or node.op in NUMBERWISE:
            self._function(node, data[0])
        elif node.op in ("Conv", "Gemm", "MatMul"):
            self.add(node, products.product(self, node))
        elif node.op in windows.WINDOWED:
            self.add(node, windows.step(self, node, data[0]))
        elif node.op in ("Add", "Sub", "Mul", "Div", "Sum", "BatchNormalization"):
            self._arithmetic(node, data)
        else:
            raise Unsupported(f"words have no {node.op}; float32 has")

    def shape(self, name: str) -> tuple[int, ...]:
        return self.made.shapes[name]

    def source(self, name: str) -> str:
        """Return the tensor of a step that a tensor of the graph is."""
        return self.alias[name]

    def add(self, node: Node, step: Step) -> None:
        """Take a step whose result is the node's first output."""
        self.made.steps.append(step)
        self.made.shapes[step.out] = step.shape
        self.alias[step.out] = step.out

    def places(self, name: str) -> np.ndarray:
        """Return the place of each number of a tensor, in its shape."""
        shape = self.shape(name)
        return np.arange(int(np.prod(shape))).reshape(shape)

    def step_of(self, name: str) -> Step | None:
        """Return the step whose result a tensor is, if nothing else needs it."""
        found = [s for s in self.made.steps if s.out == self.alias.get(name)]
        alone = self.uses.get(name, 0) == 1 and found and found[0].out == name
        return found[0] if alone else None

    def _move(self, node: Node, data: list[str]) -> None:
        if node.op == "Cast" and node.attributes.get("to") not in (1, 11):
            raise Unsupported("words are cast to floats alone")
        if node.op == "Pad" and node.attributes.get("mode", "constant") == "constant":
            value = self.constants.get(node.inputs[2]) if len(node.inputs) > 2 and (
                node.inputs[2]) else node.attributes.get("value", 0)
            if np.any(np.asarray(value) != 0):
                raise Unsupported(f"words are padded with zeros, got {value}")
        fed, first = dict(self.constants), 0
        for name in dict.fromkeys(data):
            fed[name] = self.places(name) + first
            first += fed[name].size
        if node.op == "Concat" and len(data) < len(node.inputs):
            raise Unsupported("words are not put together with constants")
        if node.op == "Pad":
            name = f"{node.name}.none"
            fed[name] = np.array(-1)
            attributes = {**node.attributes, "value": -1}
            inputs = [node.inputs[0], *node.inputs[1:2]]
            if len(node.inputs) > 3:
                inputs += [name, node.inputs[3]]
            elif len(inputs) > 1:
                inputs += [name]
            node = Node(node.name, node.op, tuple(inputs), node.outputs, attributes, node.opset)
        found = {k: v for k, v in run_node(node, fed).items()}
        for out, index in list(found.items())[:1 if node.op == "Dropout" else None]:
            places, sources = index.reshape(-1).astype(np.int64), list(dict.fromkeys(data))
            if len(sources) == 1 and np.array_equal(places, np.arange(
                    np.prod(self.shape(sources[0])))):
                self.made.shapes[out] = index.shape
                self.alias[out] = self.source(sources[0])
                continue
            self.add(node, Move(node.name, tuple(map(self.source, sources)), out, index.shape,
                                places))

    def _function(self, node: Node, name: str) -> None:
        shape, of = self.shape(name), self.source(name)
        fixed = {k: v for k, v in self.constants.items() if k in node.inputs}
        places = any(v.size > 1 for v in fixed.values()) and node.op != "Clip"
        attributes = {**node.attributes, "opset": node.opset}

        def function(x: np.ndarray) -> np.ndarray:
            return run_node(node, {**fixed, name: x.astype(np.float32)})[node.outputs[0]]

        before = self.step_of(name)
        if node.op == "DequantizeLinear" and isinstance(before, Function):
            inner = before.function
            before.function = lambda x: function_of_words(node, fixed, name, inner(x))
            before.slope = straight_through(before.function)
            before.places |= places
            before.out = node.outputs[0]
            self.made.shapes[before.out] = shape
            self.alias[before.out] = before.out
            return
        slope: Callable | None = None
        if node.op in SLOPES:
            slope = partial(SLOPES[node.op], attributes)
        elif node.op == "PRelu":
            slope = partial(_prelu_slope, function)
        elif node.op in ROUNDED:
            slope = straight_through(function)
        self.add(node, Function(node.name, (of,), node.outputs[0], shape,
                                partial(UNARY[node.op], attributes) if node.op in UNARY
                                else function, places, slope))

    def _arithmetic(self, node: Node, data: list[str]) -> None:
        """Take sums, differences, products and normalisations: a factor and an offset, where
        all but one operand are constants."""
        if len(data) > 1:
            self._combined(node, data)
            return
        name = data[0]
        shape = self.shape(name)

        def value(x) -> np.ndarray:
            fed = {**self.constants, name: np.full(shape, x, np.float64)}
            with np.errstate(all="ignore"):
                return run_node(_wide(node, fed), fed)[node.outputs[0]].astype(np.float64)

        offset, ahead = value(0.0), value(1.0)
        if node.op == "Div" and name not in node.inputs[:1]:
            raise Unsupported("words have no division by a tensor; float32 has")
        if not np.isfinite(offset).all() or not np.isfinite(ahead).all():
            raise Unsupported("its constants give no finite numbers")
        if offset.shape != shape:
            raise Unsupported(f"its constants turn {shape} into {offset.shape}")
        factor = ahead - offset
        before = self.step_of(name)
        if isinstance(before, Product) and products.fold(before, factor, offset):
            before.out = node.outputs[0]
            self.made.shapes[before.out] = shape
            self.alias[before.out] = before.out
            return
        constants = tuple(v.reshape(1, -1) for v in (factor, offset))
        self.add(node, Combine(node.name, (self.source(name),), node.outputs[0], shape, "affine",
                               constants))

    def _combined(self, node: Node, data: list[str]) -> None:
        formula = {"Add": "plus", "Sum": "plus", "Sub": "minus", "Mul": "times"}.get(node.op)
        if formula is None or len(data) != len(node.inputs):
            raise Unsupported(f"words have no {node.op} of tensors; float32 has")
        left = data[0]
        for i, right in enumerate(data[1:]):
            out = node.outputs[0] if i == len(data) - 2 else f"{node.name}.{i}"
            shape = np.broadcast_shapes(self.shape(left), self.shape(right))
            sides = tuple(self._spread(node, side, shape) for side in (left, right))
            self.add(node, Combine(node.name, sides, out, shape, formula))
            left = out

    def _spread(self, node: Node, name: str, shape) -> str:
        """Return the tensor of a step that is a tensor broadcast to a shape."""
        if self.shape(name) == shape:
            return self.source(name)
        out = f"{node.name}.{name}.spread"
        index = np.broadcast_to(self.places(name), shape).reshape(-1)
        self.add(node, Move(out, (self.source(name),), out, shape, index))
        return out


def _prelu_slope(function: Callable, x: np.ndarray) -> np.ndarray:
    """Return 1 where x is positive, else the slope of its place."""
    return np.where(x > 0, 1.0, -function(np.full_like(x, -1)).astype(np.float64))


def function_of_words(node: Node, fixed: dict, name: str, words: np.ndarray) -> np.ndarray:
    """Return what a DequantizeLinear node gives for words."""
    return run_node(node, {**fixed, name: words})[node.outputs[0]]


def _wide(node: Node, fed: dict) -> Node:
    """Have what a node reads in float64, so that factors are exact enough."""
    for k in node.inputs:
        if k in fed and fed[k].dtype.kind == "f":
            fed[k] = fed[k].astype(np.float64)
    return node

