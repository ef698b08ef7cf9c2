"""A binary network: hidden layers in a row and a head, over pixels made bits."""

from __future__ import annotations

import numpy as np

from nets.binary.adam import Adam
from nets.binary.layers import Dense, Head, Hidden
from nets.binary.losses import LOSSES
from nets.binary.settings import BinarySettings
from nets.losses import check_labels

__all__ = ["BinaryNetwork", "encode"]

BLOCK = 250  # images looked at in one go


def encode(pixels: np.ndarray, settings: BinarySettings,
           rng: np.random.Generator | None = None) -> np.ndarray:
    """Return uint8 pixels as the float32 integers that the first layer takes.

    See BinarySettings.binarize_input; with rng, pixels are drawn by probability.
    """
    if settings.binarize_input == "none":
        return 2 * pixels.astype(np.float32) - np.float32(255)
    limit: int | np.ndarray = settings.threshold
    if rng is not None and settings.binarize_input == "probability":
        limit = rng.integers(0, 255, pixels.shape, np.uint8)  # 0..254: pixel / 255 are below
    return np.where(pixels > limit, np.float32(1), np.float32(-1))


class BinaryNetwork:
    """Hidden layers and a head for images of so many inputs in so many classes."""

    def __init__(self, settings: BinarySettings, inputs: int, classes: int,
                 rng: np.random.Generator):
        self.settings = settings
        sizes = (inputs, *settings.hidden)
        self.hidden = [Hidden(f"layer {i}", rng, n, m)
                       for i, (n, m) in enumerate(zip(sizes, sizes[1:]))]
        span = 1 if self.hidden else (1 << settings.planes) - 1
        self.head = Head(f"layer {len(self.hidden)}", rng, sizes[-1], classes,
                         span * sizes[-1])
        self.layers: list[Dense] = [*self.hidden, self.head]
        self.step = 0
        self.adam = {name: Adam(array) for name, array, _, _ in self._parameters()}

    @property
    def classes(self) -> int:
        return self.head.outputs

    def sums(self, pixels: np.ndarray) -> np.ndarray:
        """Return the head's sums, rows x classes, by running statistics.

        pixels are uint8, rows x inputs; ShapeError names the layer that takes others.
        """
        parts = []
        for low in range(0, len(pixels), BLOCK):
            x = encode(pixels[low:low + BLOCK], self.settings)
            for layer in self.hidden:
                x = layer.infer(x)
            parts.append(self.head.sums(x))
        return np.concatenate(parts)

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """Return the logits, float64, rows x classes, by running statistics."""
        return self.head.logits(self.sums(pixels))

    def train(self, pixels: np.ndarray, labels: np.ndarray, rate: float,
              rng: np.random.Generator) -> tuple[float, int]:
        """Train on one batch; return its loss and how many were right before.

        labels are integers in 0..classes-1: ValueError for others.
        """
        check_labels(labels, len(pixels), self.classes)
        s = self.settings
        x = _drop(encode(pixels, s, rng), s.real("dropout_input"), rng)[0]
        masks = []
        for layer in self.hidden:
            x, mask = _drop(layer.forward(x), s.real("dropout"), rng)
            masks.append(mask)
        logits = self.head.forward(x)
        loss, dy = LOSSES[s.loss](logits, labels)
        self._backward(dy, masks)
        self._move(rate)
        return loss, int((logits.argmax(axis=1) == labels).sum())

    def _backward(self, dy: np.ndarray, masks: list) -> None:
        dx = self.head.backward(dy, bool(self.hidden))
        for i in reversed(range(len(self.hidden))):
            assert dx is not None
            dx = self.hidden[i].backward(dx if masks[i] is None else dx * masks[i], i > 0)

    def _move(self, rate: float) -> None:
        self.step += 1
        for name, array, gradient, sign in self._parameters():
            self.adam[name].step(array, gradient, rate, self.step, sign)

    def _parameters(self):
        """Yield (name, array, gradient, signs or None) of what training changes."""
        for i, layer in enumerate(self.layers):
            yield f"{i}.w", layer.w, layer.gradient, layer.sign
            for name, gradient in layer.gradients.items():
                yield f"{i}.{name}", getattr(layer, name), gradient, None

    def state(self) -> dict[str, np.ndarray]:
        """Return every array that decides how training goes on, by name."""
        arrays: dict[str, np.ndarray] = {}
        for name, array, _, _ in self._parameters():
            moments = self.adam[name]
            arrays |= {name: array, f"{name}.m": moments.m, f"{name}.v": moments.v}
        for i, layer in enumerate(self.hidden):
            arrays |= {f"{i}.mean": layer.mean, f"{i}.variance": layer.variance}
        return arrays

    def restore(self, arrays: dict[str, np.ndarray], step: int) -> None:
        """Take over arrays that `state` gave; ValueError names one that does not fit."""
        own = self.state()
        for name, array in own.items():
            found = arrays.get(name)
            if found is None or (found.shape, found.dtype) != (array.shape, array.dtype):
                is_ = "missing" if found is None else f"{found.dtype} {found.shape}"
                raise ValueError(f"{name} should be {array.dtype} {array.shape}, is {is_}")
        for name, array in own.items():
            array[...] = arrays[name]
        for layer in self.layers:
            layer.sign[...] = np.where(layer.w < 0, -1, 1)
        self.step = step


def _drop(x: np.ndarray, share: float, rng: np.random.Generator):
    """Return x with a share of it set to 0, the rest scaled up, and the mask."""
    if not share:
        return x, None
    mask = (rng.random(x.shape, np.float32) >= share) * np.float32(1 / (1 - share))
    return x * mask, mask
