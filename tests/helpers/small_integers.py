"""Networks of 8-bit integers with random words: every kind of layer, no training."""

import numpy as np

from nets.layers.window import Window
from nets.quantize.integer import (
    IntegerAverage,
    IntegerExtreme,
    IntegerNetwork,
    IntegerProduct,
    Rescale,
)

WIDE = (0, -(1 << 15), (1 << 15) - 1)


def rescale(rng, channels, gain, ends=(-7, -128, 127), slope=0.5):
    """Return multipliers about gain, of negative sums half of them."""
    gains = gain * rng.uniform(0.5, 1.5, channels)
    shift = 31 - np.frexp(gains)[1].astype(np.int64) - rng.integers(0, 9, channels)
    positive = np.rint(gains * 2.0**shift).astype(np.int64)
    return Rescale(positive, np.rint(positive * slope).astype(np.int64), shift, *ends)


def product(rng, name, depth, channels, zero, gain, window=None, ends=(-7, -128, 127)):
    return IntegerProduct(name, rng.integers(-127, 128, (depth, channels)),
                          rng.integers(-5000, 5000, channels), window, (zero, -128, 127),
                          rescale(rng, channels, gain, ends))


def every_kind(seed=0):
    """Return a network of two convolutions, three poolings and a dense layer; 12 x 12 pixels."""
    rng = np.random.default_rng(seed)
    first, second = Window("conv1", (12, 12, 1), 5, 1, "same"), Window("conv2", (6, 6, 5), 3)
    greatest = Window("pool1", (12, 12, 5), 2, 2)
    steps = [product(rng, "conv1", 25, 5, -128, 0.002, first),
             IntegerExtreme("pool1", greatest, np.array([1, 0, 0, 1, 0], bool)),
             product(rng, "conv2", 45, 9, -7, 0.002, second),
             IntegerAverage("pool2", Window("pool2", (4, 4, 9), 2, 2), -7,
                            rescale(rng, 9, 0.25, (3, -100, 100))),
             product(rng, "dense1", 36, 10, 3, 0.2, ends=WIDE)]
    return IntegerNetwork(np.arange(256) - 128, steps, 1.0)


def pixels(network, count=2, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, network.pixels)).astype(np.uint8)
