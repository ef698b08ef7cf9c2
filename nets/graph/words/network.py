"""A graph in words, run: its formats by tensor, ranges from inputs, and what saturates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nets.graph.graph import Graph
from nets.graph.run import run
from nets.graph.words.arithmetics import Arithmetics
from nets.graph.words.lowering import Lowered, lowered
from nets.graph.words.placed import Placed, placed_for
from nets.graph.words.steps import Product, Step
from nets.settings.settings import Settings

__all__ = ["WordNetwork", "reaches"]

AT_ONCE = 1 << 23  # numbers of the largest step


def reaches(graph: Graph, x: np.ndarray) -> dict[str, float]:
    """Return the largest magnitude of every tensor of a graph in floats over inputs."""
    name = next(iter(graph.inputs))
    found: dict[str, float] = {name: float(np.abs(x).max(initial=0))}

    def see(tensor: str, value: np.ndarray) -> None:
        if value.dtype.kind == "f":
            high = float(np.abs(value).max(initial=0))
            found[tensor] = max(found.get(tensor, 0.0), high)

    size = graph.batch or 64
    for low in range(0, len(x) - (graph.batch or 1) + 1, size):
        run(graph, {name: x[low : low + size]}, seen=see)
    return found


@dataclass
class WordNetwork:
    """A graph in words of settings' arithmetic.

    formats has the words of a tensor, weights those of a product's weights by the step's name;
    what has none is in the arithmetic's own format. `saturated` counts, by tensor, words at
    the end of their range.
    """

    made: Lowered
    bench: Arithmetics
    formats: dict[str, Placed] = field(default_factory=dict)
    weights: dict[str, Placed] = field(default_factory=dict)
    saturated: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, settings: Settings, threads: int = 1, backend: str = "vector",
           reach: dict[str, float] | None = None) -> WordNetwork:
        """Return a graph in words; with reach, of the largest magnitude of each tensor, the
        points of fixed-point words are placed by it."""
        network = cls(lowered(graph), Arithmetics(settings, threads, backend))
        if reach is not None:
            network.place(reach)
        return network

    def place(self, reach: dict[str, float], formats: dict | None = None, entry=None) -> None:
        """Place the words of every tensor, and of weights, by their magnitudes; formats may
        have others than the arithmetic's, by a step's name: pairs of weights, results; entry
        that of the input."""
        f = self.bench.f
        self.formats = {self.made.input: placed_for(entry or f, reach[self.made.input])}
        for step in self.made.steps:
            own = (formats or {}).get(step.name, (f, f))
            first = self.formats[step.inputs[0]]
            high = reach.get(step.out, first.limit)
            self.formats[step.out] = first if step.kept() else placed_for(own[1], high)
            if isinstance(step, Product):
                shift = first.shift - self.formats[step.out].shift
                size = float(np.ldexp(np.abs(step.w).max(initial=0), shift))
                self.weights[step.name] = Placed(placed_for(own[0], size).f)

    def placed(self, name: str) -> Placed:
        """Return the words of a tensor."""
        return self.formats.get(name) or Placed(self.bench.f)

    def run(self, x: np.ndarray, keep: bool = False) -> dict[str, np.ndarray]:
        """Return the words of the last tensor, or with keep of all, for inputs of the graph."""
        made = self.made
        last = {name: i for i, step in enumerate(made.steps) for name in step.inputs}
        values = {made.input: self.placed(made.input).words(x.reshape(len(x), -1))}
        for i, step in enumerate(made.steps):
            values[step.out] = self._step(step, values)
            self._count(step.out, values[step.out])
            for name in step.inputs:
                if not keep and last[name] == i and name != made.output:
                    values.pop(name, None)
        return values if keep else {made.output: values[made.output]}

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return the values of the last tensor in float64, one row an input."""
        widest = max((step.work for step in self.made.steps), default=1)
        size = max(1, min(500, AT_ONCE // widest))
        name = self.made.output
        return np.concatenate([self.placed(name).reals(self.run(x[i : i + size])[name])
                               for i in range(0, len(x), size)])

    def _step(self, step: Step, values: dict[str, np.ndarray]) -> np.ndarray:
        to = self.placed(step.inputs[0] if step.kept() else step.out)
        weights = self.weights.get(step.name, Placed(self.bench.f))
        return step.run(self.bench, [values[n] for n in step.inputs],
                        [self.placed(n) for n in step.inputs], to, weights)

    def _count(self, name: str, words: np.ndarray) -> None:
        form = self.placed(name)
        at_end = np.abs(form.heights(words)) >= form.top
        self.saturated[name] = self.saturated.get(name, 0) + int(at_end.sum())
