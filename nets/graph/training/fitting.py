"""Fine-tuning of a graph in words: each batch forward by the words' own steps, back by their
gradients, and a step of every weight, as `nets.arithmetic` takes it in training."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from fxp.format import Fixed
from nets.arithmetic.integer import STATS
from nets.arithmetic.tensor import Tensor
from nets.graph.graph import Unsupported
from nets.graph.training.gradients import backward, moved_by, plus, scattered
from nets.graph.words.network import WordNetwork
from nets.graph.words.placed import Float, Placed
from nets.graph.words.steps import Product, filled, loaded
from nets.settings.schedule import rate_factor
from nets.settings.settings import Settings

__all__ = ["Fitting"]


@dataclass
class Fitting:
    """A network in words that learns; settings say how, its bench in which arithmetic.

    `step` counts batches, `epoch` epochs that are done. Unsupported for a network without
    weights, or with a step that no gradient goes through.
    """

    network: WordNetwork
    settings: Settings
    step: int = 0
    epoch: int = 0
    _weights: dict[str, list[tuple[Tensor, Tensor]]] = field(default_factory=dict)

    def __post_init__(self):
        f = self.network.bench.f
        self.g = Placed(f if isinstance(f, Float) else self.settings.format("gradients"))
        products = self.network.made.products
        if not products:
            raise Unsupported("the network has no weights in sums of products: nothing to train")
        self.learns = {step.out for step in products}
        for step in self.network.made.steps:
            if self.learns & set(step.inputs):
                self.learns.add(step.out)
        for step in products:
            self._begin(step)

    def tensors(self) -> dict[str, tuple[Any, Tensor]]:
        """Return what a step changes, by name, each with its arithmetic: the weights and offsets
        of every product, group by group, and what is kept beside them."""
        found = {}
        for i, step in enumerate(self.network.made.products):
            for k, pair in enumerate(self._weights[step.name]):
                for part, ar, t in zip("wb", self._arithmetics(step), pair):
                    found[f"{part}{i}.{k}"] = ar, t
                    found |= {f"{part}{i}.{k}.{n}": (ar, v) for n, v in ar.kept(t).items()}
        return found

    def changed(self) -> None:
        """Have the network's steps be those of the tensors."""
        for step in self.network.made.products:
            self._put(step)

    def train_epoch(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        """Train on every input once, shuffled by the seed and the epoch; return the mean loss in
        nats and the share that was right, as they were trained on."""
        order = np.random.default_rng([self.settings.seed, self.epoch]).permutation(len(y))
        size = min(self.settings.batch, len(y))
        total = np.zeros(len(STATS), np.int64)
        for low in range(0, len(y), size):
            rows = order[low : low + size]
            done = self.epoch + (Fraction(low, len(y)) if self.settings.schedule_by == "batch"
                                 else 0)
            total += self.batch(x[rows], y[rows], self._rate(done))
        self.epoch += 1
        loss, correct = total[:2].tolist()
        return loss * np.log(2) / (1 << self._frac) / len(y), correct / len(y)

    def _rate(self, done) -> Fraction:
        s = self.settings
        return rate_factor(s.schedule, done, s.epochs, s.last)

    def batch(self, x: np.ndarray, y: np.ndarray, factor: Fraction = Fraction(1)) -> np.ndarray:
        """Train on a batch; return what the soft-max counts (`nets.arithmetic.integer.STATS`)."""
        self.step += 1
        made, network = self.network.made, self.network
        values = network.run(x, keep=True)
        stats, gradient = self._loss(values[made.output], y)
        found = {made.output: gradient}
        for step in reversed(made.steps):
            dy = found.pop(step.out, None)
            if dy is None or step.out not in self.learns:
                continue
            given = [values[name] for name in step.inputs]
            of = [network.placed(name) for name in step.inputs]
            back = ([self._descend(step, given[0], of[0], dy, factor)]
                    if isinstance(step, Product)
                    else backward(step, network.bench, self.g, given, of, dy))
            for name, part in zip(step.inputs, back):
                if name not in self.learns:
                    continue
                found[name] = part if name not in found else plus(
                    network.bench, self.g, found[name], part)
        for call in network.bench.last_calls():
            call()
        self.changed()
        return stats

    def _begin(self, step: Product) -> None:
        """Make tensors of a product's weights and offsets, group by group."""
        of, to, kind = self._placed(step)
        w = kind.words(np.ldexp(step.w, of.shift - to.shift))
        b, (ar, own) = to.words(step.b), self._arithmetics(step)
        self._weights[step.name] = [
            (filled(ar, w[k], "weights"), filled(own, b[k][None], "weights"))
            for k in range(len(w))]
        self._put(step)

    def _put(self, step: Product) -> None:
        """Have the step's reals be the values of its words."""
        of, to, kind = self._placed(step)
        ar, own = self._arithmetics(step)
        pairs = self._weights[step.name]
        step.w = np.ldexp(np.stack([kind.reals(ar.words(w)) for w, _ in pairs]),
                          to.shift - of.shift)
        step.b = np.stack([to.reals(own.words(b))[0] for _, b in pairs])

    def _placed(self, step: Product) -> tuple[Placed, Placed, Placed]:
        """Return the words of a product's input, results and weights."""
        network = self.network
        return (network.placed(step.inputs[0]), network.placed(step.out),
                network.weights.get(step.name, Placed(network.bench.f)))

    def _arithmetics(self, step: Product):
        """Return the arithmetics of a product's weights and of its offsets."""
        of, to, kind = self._placed(step)
        formats = {"in": of.f, "activations": of.f, "gradients": self.g.f, "out": to.f}
        bench = self.network.bench
        return (bench.of({**formats, "weights": kind.f}), bench.of({**formats, "weights": to.f}))

    def _descend(self, step: Product, words: np.ndarray, of: Placed, dy: np.ndarray,
                 factor: Fraction) -> np.ndarray:
        """Take a step of a product's weights; return the gradient of its input, if that needs
        one, else nothing of meaning.

        Weights share 2**(shift of the input - that of the results), offsets the latter's.
        """
        g, (_, to, _), (ar, own) = self.g, self._placed(step), self._arithmetics(step)
        for one in (ar, own):
            one.step, one.factor = self.step, factor
        rows, (groups, positions, depth) = len(words), step.index.shape
        maps, fields = step.w.shape[2], loaded(ar, words, "activations")
        form = (rows, positions, groups * maps) if step.last else (rows, groups * maps, positions)
        dy = dy.reshape(form) if step.last else dy.reshape(form).transpose(0, 2, 1)
        parts = []
        for k, (w, b) in enumerate(self._weights[step.name]):
            here = np.ascontiguousarray(dy[:, :, k * maps : (k + 1) * maps]).reshape(-1, maps)
            if step.inputs[0] in self.learns:  # before w moves
                d, dx = self._gradient(ar, here, to.shift - of.shift, depth)
                ar.affine_gradient(d, w, dx)()
                parts.append(ar.words(dx).reshape(rows, positions * depth))
            places = step.index[k].reshape(-1)
            x = Tensor({name: v.take(places, 1).reshape(rows * positions, depth)
                        for name, v in fields.items()}, depth, "activations")
            ar.descend(w, x, self._gradient(ar, here, 2 * of.shift - to.shift, depth)[0], rows)()
            own.descend_bias(b, self._gradient(own, here, -to.shift, depth)[0], rows)()
        if not parts:
            return words
        return scattered(self.network.bench, g, np.concatenate(parts, 1), step.index,
                         words.shape[1])

    def _gradient(self, ar, words: np.ndarray, shift: int, depth: int) -> tuple[Tensor, Tensor]:
        """Return gradients times a power of two as a tensor, and room for those of windows."""
        return (filled(ar, moved_by(self.g, words, shift), "gradients"),
                ar.empty(len(words), depth, "gradients"))

    def _loss(self, words: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the soft-max counts, and the gradient of the scores."""
        placed = self.network.placed(self.network.made.output)
        f = placed.f
        if isinstance(f, Fixed) and placed.shift:
            f = Fixed(f.bits, min(max(f.frac - placed.shift, 0), f.bits))
        elsewhere = Placed(f)
        if elsewhere.reals(words[:1]).tolist() != placed.reals(words[:1]).tolist():
            words = elsewhere.words(placed.reals(words))
        ar = self.network.bench.of({"out": f, "logits": f, "gradients": self.g.f})
        self._frac = ar.frac
        gradient = ar.empty(len(words), words.shape[1], "gradients")
        stats = np.zeros(len(STATS), np.int64)
        ar.loss(filled(ar, words, "activations"), labels.astype(np.int64), gradient, stats)()
        return stats, ar.words(gradient)
