"""What ruins training runs: counted on one batch an epoch, told with its cure.

The probed batch is the last full one of an epoch. Nothing is run twice and no
result changes. Counted there:

    saturations     words of the largest magnitude of their format (in float32:
                    also infinities and NaN)
    underflows      words that are zero

among all weights and biases after the batch's update, the outputs of all layers
(sums, activations, logits; not the pixels), and the gradients of these outputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nets.layers import Layer
from nets.network import Network, Program
from nets.settings import FLOATS, Settings
from nets.tensor import Tensor

__all__ = ["Findings", "Probe", "Watched", "troubles"]


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


@dataclass(frozen=True)
class Findings:
    """What one batch showed; shares are of the words of a kind.

    dead_updates: of the weights (not biases) whose gradient is not zero, the share
    that kept their word. None where no weight has a gradient.
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


class Probe:
    """Looks at the tensors that one program of a watched network was bound to."""

    def __init__(self, network: Network, program: Program):
        self.ar = network.ar
        self.rows = program.labels.size
        self.layers = [x for x in network.layers if isinstance(x, Watched)]
        self.weights = list(network.parameters().values())
        self.outputs = program.values[1:]
        self.gradients = [layer.bound[self.rows][1] for layer in self.layers]
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
        limits = {kind: _limit(self.ar, role) for kind, role in _ROLES.items()}
        ends = {
            k: sum(int((~(abs(r) < limits[k])).sum()) for r in v)
            for k, v in reals.items()
        }
        zeros = {k: sum(int((r == 0).sum()) for r in v) for k, v in reals.items()}
        sizes = {k: sum(r.size for r in v) for k, v in reals.items()}
        return Findings(
            sum(ends.values()),
            sum(zeros.values()),
            ends["weights"] / sizes["weights"],
            ends["outputs"] / sizes["outputs"],
            zeros["outputs"] / sizes["outputs"],
            ends["gradients"] / sizes["gradients"],
            zeros["gradients"] / sizes["gradients"],
            self._dead_updates(),
            all(np.isfinite(r).all() for v in reals.values() for r in v),
        )

    def _matrices(self) -> list[Tensor | None]:
        """Return of each layer the weights that have a gradient."""
        return [layer.parameters().get("w") for layer in self.layers]

    def _dead_updates(self) -> float | None:
        """Compare the words of weights with those before the batch."""
        moved, dead = 0, 0
        for layer, w, before in zip(
            self.layers, self._matrices(), self._before, strict=True
        ):
            if w is None:
                continue
            x, dy = layer.bound[self.rows]
            with np.errstate(all="ignore"):
                gradient = layer.weight_gradient(self.ar.reals(x), self.ar.reals(dy))
                wanted = gradient != 0
            moved += int(wanted.sum())
            dead += int((wanted & (self.ar.words(w) == before)).sum())
        return dead / moved if moved else None


_ROLES = {"weights": "weights", "outputs": "activations", "gradients": "gradients"}


def _limit(ar, role: str) -> float:
    """Return the largest magnitude that both signs of a format reach."""
    f = ar.formats[role]
    if isinstance(f, str):
        return float(np.finfo(f).max)
    return f.max if hasattr(f, "max") else math.ldexp(f.high, -f.frac)


def troubles(settings: Settings, classes: int, record, findings: Findings) -> list[str]:
    """Return what ruins a run, each with the setting that would cure it.

    A text starts with its kind: loss, logits, updates, gradients, activations,
    weights or chance (told only when nothing else is). The limits stand between
    runs that learned MNIST and runs that did not.
    """
    rules = (_loss, _logits, _updates, _gradients, _activations, _weights)
    found = [text for rule in rules for text in rule(settings, record, findings)]
    if not found and record.test_accuracy <= 1.5 / classes:
        found = [
            f"chance: the test accuracy is {record.test_accuracy:.1%}, no better than "
            f"guessing; try another lr (now {settings.lr}) or longer words"
        ]
    return found


def _loss(settings, record, findings):
    if record.loss is None or not findings.finite:
        yield (
            "loss: it is not a finite number any more; a smaller lr would cure it "
            f"(now {settings.lr})"
        )


def _logits(settings, record, findings):
    if record.softmax_saturated <= 0.05:
        return
    fixed = settings.arith.startswith(("fixed", "minselect"))
    if findings.gradients_at_limit > 0.05:
        cure = "what cures the gradients would cure it"
    elif fixed and not settings.stochastic:
        cure = "update=stochastic would cure it"
    elif fixed and settings.format("gradients").frac < _usual_gradients(settings):
        cure = "gradients of a format with more fraction bits would cure it"
    elif not fixed and settings.softmax_bits < 4:
        cure = f"a larger softmax_bits would cure it (now {settings.softmax_bits})"
    else:
        other = "activations with more integer" if fixed else "more softmax"
        cure = f"a smaller lr would cure it (now {settings.lr}), or {other} bits"
    mean = "" if record.drift is None else f" and their mean is {record.drift:.4g}"
    yield (
        f"logits: {record.softmax_saturated:.1%} are at the end of the soft-max's "
        f"register{mean}; {cure}"
    )


def _updates(settings, record, findings):
    dead = findings.dead_updates
    if dead is None or dead < (0.9 if record.train_accuracy < 0.5 else 0.98):
        return
    if record.train_accuracy >= 0.9:
        return
    if settings.arith not in FLOATS and not settings.stochastic:
        yield (
            f"updates: {dead:.1%} of the weights with a gradient kept their word; "
            "update=stochastic would cure it, or longer words"
        )


def _gradients(settings, record, findings):
    if findings.gradients_at_limit > 0.05:
        yield (
            f"gradients: {findings.gradients_at_limit:.1%} have the largest magnitude; "
            "gradients of a format with more integer bits would cure it"
        )
    if findings.gradients_zero >= 0.9 and record.train_accuracy < 0.8:
        yield (
            f"gradients: {findings.gradients_zero:.1%} are zero; gradients of a format "
            "with smaller numbers would cure it"
        )


def _activations(settings, record, findings):
    if findings.activations_zero >= 0.9:
        yield (
            f"activations: {findings.activations_zero:.1%} are zero; a larger "
            "init_std, a smaller lr or activations of a format with smaller numbers "
            "would cure it"
        )


def _weights(settings, record, findings):
    if findings.weights_at_limit > 0.01:
        yield (
            f"weights: {findings.weights_at_limit:.1%} have the largest magnitude; "
            f"what cures the logits, or else a smaller lr (now {settings.lr}), would "
            "cure it"
        )


def _usual_gradients(settings: Settings) -> int:
    """Return the fraction bits that gradients have unless told otherwise."""
    return Settings(arith=settings.arith).format("gradients").frac
