"""A network: layers in a row or with branches, a soft-max at the end, bound once for a batch
size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nets.arithmetic.integer import STATS
from nets.arithmetic.tensor import Tensor
from nets.layers.dense import Dense, Layer, LeakyReLU

__all__ = ["Network", "Program", "Sources", "mlp"]

Sources = dict[int, tuple[int, ...]]  # by layer: the values it takes, where not the one before


class Program:
    """The calls of one batch size; `stats` sums up what the soft-max counts."""

    def __init__(self, ar, layers: list[Layer], inputs: int, rows: int, train: bool,
                 sources: Sources | None = None):
        self._sources = sources or {}
        self.x = ar.empty(rows, inputs, "activations")
        self.labels = np.zeros(rows, np.int64)
        self.stats = np.zeros(len(STATS), np.int64)
        self.encode = (ar.encode_training if train else ar.encode)(self.x)
        self.calls, values = [], [self.x]
        for i, layer in enumerate(layers):
            forward = layer.forward_training if train else layer.forward
            y, calls = forward(ar, self._taken(i, values))
            self.calls += calls
            values.append(y)
        self.forward = self.calls[:]
        self.logits = values[-1]
        self.values = values
        self.gradient = ar.empty(rows, self.logits.columns, "gradients") if train else None
        self.calls.append(ar.loss(self.logits, self.labels, self.gradient, self.stats))
        if train:
            self._backward(ar, layers)
        self.calls += ar.last_calls() if train else []

    def _of(self, i: int) -> tuple[int, ...]:
        """Return the numbers of the values that a layer takes: 0 is the input, i + 1 what layer
        i gives."""
        return self._sources.get(i, (i,))

    def _taken(self, i: int, values: list[Tensor]):
        """Return the value that a layer takes, a tuple where it takes several."""
        taken = tuple(values[s] for s in self._of(i))
        return taken if len(taken) > 1 else taken[0]

    def _backward(self, ar, layers: list[Layer]) -> None:
        """Add the calls of all gradients; those of a value that goes two ways are summed up."""
        first = next((i for i, layer in enumerate(layers) if layer.parameters()), 0)
        wanted = [False] * (len(layers) + 1)  # by value: whether parameters lie before it
        for i, layer in enumerate(layers):
            wanted[i + 1] = i >= first and (bool(layer.parameters()) or any(
                wanted[s] for s in self._of(i)) or i == first)
        found: dict[int, list] = {len(layers): [self.gradient]}
        for i in reversed(range(first, len(layers))):
            if not wanted[i + 1] or i + 1 not in found:
                continue
            dy, calls = self._summed(ar, found.pop(i + 1))
            self.calls += calls
            sources, x = self._of(i), self._taken(i, self.values)
            dx, calls = layers[i].backward(ar, x, dy, any(wanted[s] for s in sources))
            self.calls += calls
            for s, gradient in zip(sources, dx if isinstance(dx, tuple) else (dx,)):
                if wanted[s]:
                    found.setdefault(s, []).append(gradient)

    @staticmethod
    def _summed(ar, gradients: list[Tensor]) -> tuple[Tensor, list[Callable[[], None]]]:
        """Return the sum of gradients, in the order in which they come, and its calls."""
        total, calls = gradients[0], []
        for other in gradients[1:]:
            both = ar.empty(total.rows, total.columns, "gradients")
            calls.append(ar.formula("plus", both, total, other))
            total = both
        return total, calls

    def run(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        """Run one batch of uint8 rows."""
        self.encode(pixels)
        self.labels[...] = labels
        for call in self.calls:
            call()


class Network:
    """Layers over one arithmetic.

    masks has, of a pruned network, where weights stay zero: bool arrays by parameter. sources
    tells of a network with branches which values a layer takes: 0 is the input, i + 1 what layer
    i gives; a layer that is not among them takes what the one before it gives.
    """

    def __init__(self, ar, layers: list[Layer], inputs: int, classes: int,
                 sources: Sources | None = None):
        self.ar = ar
        self.sources = dict(sources or {})
        self.layers = layers
        self.inputs = inputs
        self.classes = classes
        if "logits" in ar.formats and type(layers[-1]) is Dense:
            layers[-1].out = "logits"
        self.masks: dict[str, np.ndarray] = {}
        self._held: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._programs: dict[tuple[int, bool], Program] = {}

    def parameters(self) -> dict[str, Tensor]:
        """Return every parameter by name: 0.w, 0.b, 2.w, ..."""
        return {f"{i}.{name}": t for i, layer in enumerate(self.layers)
                for name, t in layer.parameters().items()}

    def kept(self) -> dict[str, Tensor]:
        """Return all that a model is made of: parameters, and what else their steps keep."""
        found = self.parameters()
        return {**found, **{f"{name}.{what}": t for name, w in found.items()
                            for what, t in self.ar.kept(w).items()},
                **{f"{i}.{name}": t for i, layer in enumerate(self.layers)
                   for name, t in layer.kept().items()}}

    def program(self, rows: int, train: bool) -> Program:
        """Return the calls for batches of so many rows, bound at the first use."""
        if (rows, train) not in self._programs:
            program = Program(self.ar, self.layers, self.inputs, rows, train, self.sources)
            program.calls += [self.hold] if train else []
            self._programs[rows, train] = program
        return self._programs[rows, train]

    def put_first(self, layer: Layer) -> None:
        """Put a layer before all others."""
        self.layers.insert(0, layer)
        self.sources = {i + 1: tuple(s + 1 for s in of) for i, of in self.sources.items()}

    def require_chain(self, what: str) -> None:
        """Raise ValueError for a network with branches, which `what` does not take."""
        if self.sources:
            raise ValueError(f"{what} takes layers in a row; this network has branches")

    def mask(self, masks: dict[str, np.ndarray]) -> None:
        """Take other masks, rows x columns of the parameters that they are named after."""
        self.masks, self._held = masks, []
        for name, where in masks.items():
            t = self.parameters()[name]
            zero = self.ar.empty(t.rows, t.columns, t.role)
            for k, v in t.fields.items():
                bits = v.view(f"u{v.itemsize}")
                keep = np.full_like(bits, ~bits.dtype.type(0))
                keep[:, : t.columns][where] = 0
                self._held.append((bits, keep, zero.fields[k].view(bits.dtype) & ~keep))

    def hold(self) -> None:
        """Make the weights zero that masks say stay so."""
        for bits, keep, zero in self._held:  # a copy where the mask is takes 20 times as long
            np.bitwise_and(bits, keep, out=bits)
            np.bitwise_or(bits, zero, out=bits)


def mlp(ar, rng: np.random.Generator, inputs: int, hidden, classes: int, std: float,
        between: Callable[[], list[Layer]] = lambda: [LeakyReLU()]) -> Network:
    """Return a multilayer perceptron with leaky ReLU, or others, between its dense layers."""
    sizes = [inputs, *hidden, classes]
    layers: list[Layer] = []
    for i, (rows, columns) in enumerate(zip(sizes, sizes[1:])):
        layers += between() if i else []
        layers.append(Dense(ar, rng, rows, columns, std, name=f"dense{i + 1}"))
    return Network(ar, layers, inputs, classes)
