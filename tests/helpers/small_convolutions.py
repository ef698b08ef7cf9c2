"""Small convolution networks over 9 x 8 images of two channels, and batches for them."""

import numpy as np

from nets.arithmetic.choose import make_arithmetic
from nets.layers.dense import ReLU
from nets.network.models import Builder
from nets.network.network import Network
from nets.settings.settings import Settings

SHAPE = (9, 8, 2)


def plain(b):
    return b.conv(5, 3, padding="same").max_pool(2).active().conv(7, 3).active()


def strided(b):
    b.conv(3, 4, 2, "same").active().conv(9, 3, padding="same").average_pool(2)
    return b.active().conv(2, 2, 2)


def many_channels(b):
    return b.conv(33, 2).active().conv(17, 5, padding="same").max_pool(3).active()


def network(options, make=plain, threads=1, backend="vector", activation=ReLU, shape=SHAPE):
    settings = Settings(dataset="digits", batch=6, **options)
    ar = make_arithmetic(settings, threads, backend)
    b = Builder(ar, np.random.default_rng(3), shape, lambda n, _: (2 / n) ** 0.5, activation)
    return Network(ar, make(b).flat().dense(10).layers, int(np.prod(shape)), 10, b.sources)


def batch(rows=6, seed=5, shape=SHAPE):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (rows, int(np.prod(shape)))).astype(np.uint8)
    return np.where(rng.random(pixels.shape) < 0.5, 0, pixels), rng.integers(0, 10, rows)


def steps(net, count=3, rows=6):
    """Train a few batches; return every word that the program holds."""
    program = net.program(rows, True)
    for i in range(count):
        net.ar.step += 1
        program.run(*batch(rows, i))
    tensors = [*program.values, program.gradient, *net.parameters().values()]
    return [net.ar.words(t).copy() for t in tensors] + [program.stats.copy()]


def assert_same(a, b):
    for p, q in zip(a, b, strict=True):
        np.testing.assert_array_equal(p, q)
