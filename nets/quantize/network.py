"""Post-training quantisation: from a trained network to one in integers alone.

Ranges of activations are those met on calibration images; a range holds zero, which has
a word of its own, so that padding and ReLU are exact. Weights are symmetric about zero,
with one scale for a layer or one for each channel of its output. What the integers then
do, and the source of the scheme, is told in `nets.quantize.integer`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fxp.format import check_integer
from nets.network.network import Network
from nets.quantize.integer import (
    IntegerAverage,
    IntegerExtreme,
    IntegerNetwork,
    IntegerProduct,
    IntegerStep,
    Rescale,
)
from nets.quantize.simplify import Average, Extreme, Product, Step, folded

__all__ = ["PER", "Affine", "quantize"]

PER = ("channel", "tensor")
BIAS = 1 << 30  # the largest magnitude of a bias's word
SCORES = 16  # bits of a score; the calibrated ones take half its range
BLOCK = 200  # images at a time


@dataclass(frozen=True)
class Affine:
    """Words in low..high; q means scale (q - zero)."""

    scale: float
    zero: int
    low: int
    high: int

    @classmethod
    def over(cls, least: float, most: float, bits: int) -> Affine:
        """Return what covers least..most and zero in so many bits."""
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        least, most = min(least, 0.0), max(most, 0.0)
        scale = (most - least) / (high - low) or 1.0
        return cls(scale, int(np.clip(low - round(least / scale), low, high)), low, high)

    @property
    def inputs(self) -> tuple[int, int, int]:
        return self.zero, self.low, self.high

    def words(self, values: np.ndarray) -> np.ndarray:
        """Return the nearest words, int64."""
        words = np.rint(values / self.scale) + self.zero
        return np.clip(words, self.low, self.high).astype(np.int64)


def quantize(network: Network, images: np.ndarray, per: str = "channel", bits: int = 8,
             coverage: float = 1.0) -> IntegerNetwork:
    """Return a trained network in integers, calibrated on images (uint8 rows x pixels).

    coverage is the share of each step's numbers that its range holds, half of the others
    below it. ValueError for settings or layers that cannot be, and for numbers that are
    not finite.
    """
    check_integer("bits", bits, 2, 8)
    if per not in PER:
        raise ValueError(f"per must be one of {', '.join(PER)}, got {per!r}")
    if not 0.5 <= coverage <= 1:
        raise ValueError(f"coverage must lie in 0.5..1, got {coverage}")
    if not len(images):
        raise ValueError("at least one image is needed to calibrate")
    settings = network.ar.settings
    if settings.selects or settings.clips:
        raise ValueError(f"{settings.arith} here min-selects or clips its operands, which the "
                         "integer network has no step for; quantise a run of another arithmetic")
    if settings.binary:
        raise ValueError("binary here has weights of one bit; training exports them as they are")
    steps = folded(network)
    if not isinstance(steps[-1], Product):
        raise ValueError(f"{steps[-1].name}: the last layer must be dense or a convolution")
    pixels = np.array([float(network.ar.settings.pixel(v)) for v in range(256)])
    ranges = _ranges(steps, pixels, images, coverage)
    here = Affine.over(pixels.min(), pixels.max(), bits)
    table, made = here.words(pixels), []
    for i, step in enumerate(steps):
        if i == len(steps) - 1:
            most = 2 * max(map(abs, ranges[i])) or 1.0
            there = Affine(most / (1 << (SCORES - 1)), 0, -(1 << (SCORES - 1)),
                           (1 << (SCORES - 1)) - 1)
        else:
            there = here if isinstance(step, Extreme) else Affine.over(*ranges[i], bits)
        made.append(_integers(step, here, there, per, bits))
        here = there
    return IntegerNetwork(table, made, here.scale)


def _ranges(steps: Sequence[Step], pixels: np.ndarray, images: np.ndarray,
            coverage: float) -> list[tuple[float, float]]:
    """Return the least and greatest number that counts, of each step."""
    met: list[list[np.ndarray]] = [[] for _ in steps]
    for low in range(0, len(images), BLOCK):
        x = pixels[images[low : low + BLOCK]]
        for step, found in zip(steps, met):
            x = step.forward(x)
            if not np.isfinite(x).all():
                raise ValueError(f"{step.name} gives numbers that are not finite: the training "
                                 "diverged")
            found.append(x if coverage < 1 else np.array([x.min(), x.max()]))
    ends = (1 - coverage) / 2, (1 + coverage) / 2
    return [(float(a), float(b)) for a, b in (
        np.quantile(np.concatenate([x.ravel() for x in found]), ends) for found in met)]


def _integers(step: Step, here: Affine, there: Affine, per: str, bits: int) -> IntegerStep:
    """Return a step from words of one kind to words of another."""
    if isinstance(step, Extreme):
        return IntegerExtreme(step.name, step.window, step.least)
    if isinstance(step, Average):
        gain = np.array([here.scale / there.scale / step.window.size**2])
        return IntegerAverage(step.name, step.window, here.zero,
                              _rescale(step, gain, there))
    top = (1 << (bits - 1)) - 1
    largest = abs(step.w).max(axis=0)
    scale = largest / top if per == "channel" else np.full(len(largest), largest.max() / top)
    # a channel of next to no weight would have a bias beyond any word
    scale = np.maximum(scale, abs(step.b) / (here.scale * BIAS))
    scale[scale == 0] = 1
    weights = np.clip(np.rint(step.w / scale), -top, top).astype(np.int64)
    biases = np.rint(step.b / (scale * here.scale)).astype(np.int64)
    rescale = _rescale(step, scale * here.scale / there.scale, there)
    return IntegerProduct(step.name, weights, biases, step.window, here.inputs, rescale)


def _rescale(step: Product | Average, gain: np.ndarray, there: Affine) -> Rescale:
    """Return the multipliers and shifts of gains, with 31 significant bits for the larger."""
    most = gain * max(1.0, step.slope)
    shift = np.array([31 - math.frexp(g)[1] for g in most])
    if shift.min() < 1:
        raise ValueError(f"{step.name}: a gain of {most.max():.4g} is beyond its multiplier")
    shift = np.minimum(shift, 62)
    limit = (1 << 31) - 1
    positive, negative = (np.minimum(np.rint(np.ldexp(g, shift)), limit).astype(np.int64)
                          for g in (gain, gain * step.slope))
    return Rescale(positive, negative, shift, *there.inputs)
