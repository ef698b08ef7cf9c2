"""The graph of a network that was trained here: its float twin, and its words as quantisers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fxp.format import Fixed
from nets.arithmetic.formulas import EPSILON
from nets.graph.graph import Graph, Node, Unsupported
from nets.layers.activations import SMOOTH, PReLU, Smooth
from nets.layers.dense import Dense, LeakyReLU, ReLU
from nets.layers.dropout import Dropout
from nets.layers.norm import BatchNorm
from nets.layers.spatial.branches import Add, GlobalAverage
from nets.layers.spatial.conv import Conv2d
from nets.layers.spatial.pool import AveragePool, MaxPool
from nets.layers.window import Window
from nets.network.network import Network
from nets.network.probe import plain_layer

__all__ = ["graph_of_network"]

SMOOTH_NODES = {"sigmoid": ("Sigmoid", {}), "tanh": ("Tanh", {}), "mish": ("Mish", {}),
                "gelu": ("Gelu", {"approximate": "tanh"})}


def graph_of_network(network: Network, shape: tuple[int, ...], words: bool = False) -> Graph:
    """Return the graph of a network for images of a shape (height, width, perhaps 3): inputs
    are channels x height x width for convolutions, pixels in a row for dense layers alone.

    With words, of fixed-point networks whose sums are exact, every value is followed by the
    quantiser that rounds it as the network does, so the graph means its words. Unsupported,
    naming the layer, for what graphs have no operator for.
    """
    made = _Maker(network, shape, words)
    for i, layer in enumerate(network.layers):
        made.add(i, plain_layer(layer))
    return made.graph()


class _Maker:
    def __init__(self, network: Network, shape, words: bool):
        self.ar, self.words = network.ar, words
        self.image = (*shape, 1)[:3]
        first = next((plain_layer(la) for la in network.layers if not isinstance(
            plain_layer(la), Dropout)), None)
        self.flat = isinstance(first, Dense)
        rows = (int(np.prod(self.image)),) if self.flat else (self.image[2], *self.image[:2])
        self.inputs = {"x": (None, *rows)}
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}
        self.last = "x"
        self.sources = network.sources
        if words:
            self._require_words(network)
            self._quantised("input", "activations")
        self.values = [(self.last, self.flat)]

    def graph(self) -> Graph:
        return Graph(tuple(self.nodes), self.inputs, (self.last,), self.constants)

    def add(self, i: int, layer) -> None:
        """Take a layer behind those before it."""
        kinds: dict[type, Callable] = {
            Dense: self._dense, Conv2d: self._conv, ReLU: self._relu, LeakyReLU: self._leaky,
            MaxPool: self._max, AveragePool: self._average, BatchNorm: self._norm,
            Add: self._add, GlobalAverage: self._global, Smooth: self._smooth,
            PReLU: self._prelu, Dropout: lambda *rest: None}
        kind = type(layer)
        if kind not in kinds:
            raise Unsupported(f"layer {i} ({kind.__name__}) has no operator of ONNX; networks of "
                              f"{', '.join(k.__name__ for k in kinds)} have")
        if self.words and kind in (BatchNorm, Smooth, PReLU):
            raise Unsupported(f"layer {i} ({kind.__name__}) rounds between its steps, which "
                              "quantisers cannot say; give --kind float")
        taken = [self.values[s] for s in self.sources.get(i, (i,))]
        self.last, self.flat = taken[0]
        kinds[kind](f"layer{i}", layer, *(name for name, _ in taken[1:]))
        self.values.append((self.last, self.flat))

    def _require_words(self, network: Network) -> None:
        f = network.ar.formats["activations"]
        if not isinstance(f, Fixed):
            raise Unsupported(f"QONNX has words of fixed point and none of {f}; give --kind float, "
                              "whose weights are the words' values")
        if network.ar.settings.accumulator != "exact" or network.ar.settings.selects:
            raise Unsupported("QONNX says sums that are exact and rounded once, this network's "
                              "are not; give --kind float")

    def _node(self, name: str, op: str, inputs, attributes=None, opset: int = 21) -> None:
        self.nodes.append(Node(name, op, (self.last, *inputs), (f"{name}.out",), attributes or {},
                               opset))
        self.last = f"{name}.out"

    def _constant(self, name: str, value) -> str:
        self.constants[name] = np.asarray(value)
        return name

    def _reals(self, t) -> np.ndarray:
        return self.ar.reals(t).astype(np.float32)

    def _quantised(self, name: str, role: str) -> None:
        """Round what comes last to words of a role, as the arithmetic does."""
        if self.words:
            f = self.ar.formats[role]
            parts = [self._constant(f"{name}.{k}", np.float32(v)) for k, v in (
                ("scale", f.eps), ("zero", 0), ("bits", f.bits))]
            self._node(f"{name}.quant", "Quant", parts,
                       {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}, 1)

    def _dense(self, name: str, layer: Dense) -> None:
        if not self.flat:
            self._node(f"{name}.order", "Transpose", (), {"perm": [0, 2, 3, 1]})
            self._node(f"{name}.flat", "Flatten", (), {"axis": 1})
            self.flat = True
        self._node(name, "Gemm", (self._constant(f"{name}.w", self._reals(layer.w)),
                                  self._constant(f"{name}.b", self._reals(layer.b)[0])))
        self._quantised(name, layer.out)

    def _pads(self, window: Window) -> list[int]:
        (high, wide), (top, left) = window.reach(), window.before
        return [top, left, high - top - window.shape[0], wide - left - window.shape[1]]

    def _conv(self, name: str, layer: Conv2d) -> None:
        n, (size, depth) = layer.window, (layer.window.size, layer.window.shape[2])
        w = self._reals(layer.w).reshape(size, size, depth, -1).transpose(3, 2, 0, 1)
        self._node(name, "Conv", (self._constant(f"{name}.w", w.copy()),
                                  self._constant(f"{name}.b", self._reals(layer.b)[0])),
                   {"strides": [n.stride] * 2, "pads": self._pads(n), "kernel_shape": [size] * 2})
        self._quantised(name, "activations")

    def _relu(self, name: str, layer) -> None:
        self._node(name, "Relu", ())

    def _leaky(self, name: str, layer) -> None:
        self._node(name, "LeakyRelu", (), {"alpha": 2.0**self.ar.settings.slope})
        self._quantised(name, "activations")

    def _max(self, name: str, layer: MaxPool) -> None:
        size = [layer.window.size] * 2
        self._node(name, "MaxPool", (), {"kernel_shape": size, "strides": size})

    def _average(self, name: str, layer: AveragePool) -> None:
        size, channels = layer.window.size, layer.window.shape[2]
        if not self.words:
            self._node(name, "AveragePool", (), {"kernel_shape": [size] * 2,
                                                 "strides": [size] * 2})
            return
        f = self.ar.formats["activations"]  # the factor is a word of it
        factor = min(f.high, round((1 << f.frac) / size**2)) * f.eps
        w = np.full((channels, 1, size, size), factor, np.float32)
        self._node(name, "Conv", (self._constant(f"{name}.w", w),),
                   {"strides": [size] * 2, "kernel_shape": [size] * 2, "group": channels})
        self._quantised(name, "activations")

    def _add(self, name: str, layer, other: str) -> None:
        self._node(name, "Add", (other,))
        self._quantised(name, "activations")

    def _global(self, name: str, layer) -> None:
        self._node(name, "GlobalAveragePool", ())
        self._quantised(name, "activations")

    def _norm(self, name: str, layer: BatchNorm) -> None:
        parts = [self._constant(f"{name}.{k}", self._reals(getattr(layer, k))[0])
                 for k in ("gamma", "beta", "mean", "variance")]
        self._node(name, "BatchNormalization", parts, {"epsilon": EPSILON})

    def _smooth(self, name: str, layer: Smooth) -> None:
        kind = next(k for k, (function, _) in SMOOTH.items() if function is layer.function)
        op, attributes = SMOOTH_NODES[kind]
        self._node(name, op, (), attributes)

    def _prelu(self, name: str, layer: PReLU) -> None:
        slope = self._reals(layer.slope).reshape(1)
        self._node(name, "PRelu", (self._constant(f"{name}.slope", slope),))
