"""What ruins training runs: counted on one batch an epoch, told with its cure.

The probed batch is the last full one of an epoch. Nothing is run twice and no
result changes. Counted there:

    saturations     words of the largest magnitude of their format (in float32:
                    also infinities and NaN)
    underflows      words that are zero

among all weights and biases after the batch's update, the outputs of all layers
(sums, activations, logits; not the pixels), and the gradients of these outputs.

The norm of a layer's gradient is that of the gradient of its weights on this batch, from
the words of its input and of its output's gradient, in float64. A dead unit is a unit (in
a convolution a channel) of a ReLU that gives zero for all of some hundred test images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from nets.arithmetic.tensor import Tensor
from nets.layers.dense import Dense, Layer, ReLU
from nets.network.network import Network, Program

__all__ = ["Findings", "Probe", "Watched", "dead_units", "plain_layer"]


class Watched(Layer):
    """A layer that tells what it was bound to: {rows of a batch: (input, gradient)}."""

    def __init__(self, layer: Layer):
        self.layer = layer
        self.bound: dict[int, tuple[Tensor, Tensor]] = {}

    def parameters(self):
        return self.layer.parameters()

    def weight_gradient(self, x, dy):
        return self.layer.weight_gradient(x, dy)

    def kept(self):
        return self.layer.kept()

    def forward(self, ar, x):
        return self.layer.forward(ar, x)

    def forward_training(self, ar, x):
        return self.layer.forward_training(ar, x)

    def backward(self, ar, x, dy, wanted):
        self.bound[dy.rows] = (x, dy)
        return self.layer.backward(ar, x, dy, wanted)


def plain_layer(layer: Layer) -> Layer:
    """Return a layer without what watches it."""
    return layer.layer if isinstance(layer, Watched) else layer


@dataclass(frozen=True)
class Findings:
    """What one batch showed; shares are of the words of a kind.

    dead_updates: of the weights (not biases) whose gradient is not zero, the share
    that kept their word. None where no weight has a gradient. gradient_norms: of each
    weight matrix by name, None where it is not finite.
    """

    saturations: int
    underflows: int
    weights_at_limit: float
    activations_at_limit: float
    activations_zero: float
    gradients_at_limit: float
    gradients_zero: float
    dead_updates: float | None
    finite: bool
    gradient_norms: dict[str, float | None] = field(default_factory=dict)

    @property
    def gradient_ratio(self) -> float | None:
        """The norm of the first layer over that of the last; None where there is none."""
        norms = list(self.gradient_norms.values())
        if not norms or norms[0] is None or not norms[-1]:
            return None
        return norms[0] / norms[-1]


class Probe:
    """Looks at the tensors that one program of a watched network was bound to."""

    def __init__(self, network: Network, program: Program):
        self.ar = network.ar
        self.rows = program.labels.size
        self.layers = [x for x in network.layers if isinstance(x, Watched)]
        self.masks = network.masks
        self.weights = list(network.parameters().values())
        self.outputs = program.values[1:]
        self.gradients = [layer.bound[self.rows][1] for layer in self.layers
                          if self.rows in layer.bound]  # none of dropout before all weights
        self._before: list[np.ndarray | None] = []

    def before(self) -> None:
        """Note the weights; to be called before the batch."""
        self._before = [
            w if w is None else np.array(self.ar.words(w)) for w in self._matrices()
        ]

    def after(self) -> Findings:
        """Return what is found; to be called after the batch."""
        reals = {
            kind: [self.ar.reals(t) for t in getattr(self, kind)]
            for kind in ("weights", "outputs", "gradients")
        }
        limits = {kind: [_limit(self.ar, "logits" if t.role == "logits" else role)
                         for t in getattr(self, kind)] for kind, role in _ROLES.items()}
        ends = {
            k: sum(int((~(abs(r) < limit)).sum()) for r, limit in zip(v, limits[k]))
            for k, v in reals.items()
        }
        zeros = {k: sum(int((r == 0).sum()) for r in v) for k, v in reals.items()}
        sizes = {k: sum(r.size for r in v) for k, v in reals.items()}
        slopes = self._weight_gradients()
        norms = {name: float(np.sqrt(np.square(g).sum())) for name, g in slopes.items()}
        return Findings(
            sum(ends.values()),
            sum(zeros.values()),
            ends["weights"] / sizes["weights"],
            ends["outputs"] / sizes["outputs"],
            zeros["outputs"] / sizes["outputs"],
            ends["gradients"] / sizes["gradients"],
            zeros["gradients"] / sizes["gradients"],
            self._dead_updates(slopes),
            all(np.isfinite(r).all() for v in reals.values() for r in v),
            {name: n if math.isfinite(n) else None for name, n in norms.items()},
        )

    def _matrices(self) -> list[Tensor | None]:
        """Return of each layer the weights that have a gradient."""
        return [layer.parameters().get("w") for layer in self.layers]

    def _weight_gradients(self) -> dict[str, np.ndarray]:
        """Return the gradient of each weight matrix by its name, in float64."""
        found = {}
        for i, layer in enumerate(self.layers):
            if "w" in layer.parameters():
                x, dy = layer.bound[self.rows]
                with np.errstate(all="ignore"):
                    g = layer.weight_gradient(self.ar.reals(x), self.ar.reals(dy))
                found[f"{i}.w"] = np.ldexp(np.asarray(g), -self.ar.settings.loss_scale)
        return found

    def _dead_updates(self, slopes: dict[str, np.ndarray]) -> float | None:
        """Compare the words of weights with those before the batch."""
        moved, dead = 0, 0
        for i, (w, before) in enumerate(zip(self._matrices(), self._before, strict=True)):
            if w is None:
                continue
            name = f"{i}.w"
            wanted = (slopes[name] != 0) & ~self.masks.get(name, np.False_)
            moved += int(wanted.sum())
            dead += int((wanted & (self.ar.words(w) == before)).sum())
        return dead / moved if moved else None


def dead_units(network: Network, rows: int) -> float | None:
    """Return the share of ReLU units that gave zero for every image of the last batch of so
    many that was evaluated; None without a ReLU."""
    values = network.program(rows, False).values
    units, dead, channels = 0, 0, values[0].columns
    for watched, y in zip(network.layers, values[1:]):
        layer = plain_layer(watched)
        if isinstance(layer, Dense):
            channels = y.columns
        elif hasattr(layer, "shape"):
            channels = layer.shape[2]
        if isinstance(layer, ReLU):
            silent = (network.ar.reals(y).reshape(-1, channels) == 0).all(axis=0)
            units, dead = units + silent.size, dead + int(silent.sum())
    return dead / units if units else None


_ROLES = {"weights": "weights", "outputs": "activations", "gradients": "gradients"}


def _limit(ar, role: str) -> float:
    """Return the largest magnitude that both signs of a format reach."""
    f = ar.formats[role]
    if isinstance(f, str):
        return float(np.finfo(f).max)
    return f.max if hasattr(f, "max") else math.ldexp(f.high, -f.frac)
