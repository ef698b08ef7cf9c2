"""The networks that can be asked for by name, each a few lines."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lnsarith.lns.format import Lns
from nets.layers.activations import PReLU, Smooth
from nets.layers.dense import Dense, Layer, LeakyReLU, ReLU
from nets.layers.dropout import Dropout
from nets.layers.norm import BatchNorm
from nets.layers.operator import OperatorLayer
from nets.layers.spatial.branches import Add, GlobalAverage
from nets.layers.spatial.conv import Conv2d
from nets.layers.spatial.pool import AveragePool, MaxPool
from nets.layers.spindle import spindle_layer
from nets.layers.window import Shape, Window, shown
from nets.network.network import Network, Sources, mlp
from nets.settings.operator import PREFIX as OPERATOR
from nets.settings.operator import operator_of
from nets.settings.settings import FLOATS, Settings, parse_real
from nets.settings.spindle import activation_kind

__all__ = ["MODELS", "Builder", "kinds_of", "make_activation", "make_network", "spread_of"]

ENTRY = 1 << 15  # the number of the input's dropout, which no other layer has


@dataclass
class Builder:
    """Layers put one after the other; each knows the shape of what it gets.

    `std` maps the numbers that go into an output, and the outputs, to the standard
    deviation of its first weights; biases start at zero.
    """

    ar: object
    rng: np.random.Generator
    shape: Shape
    std: Callable[[int, int], float]
    activation: Callable[[], Layer] = ReLU
    dropout: Fraction = Fraction(0)
    normal: bool = False
    kinds: tuple[type, type, type] = (Dense, Conv2d, BatchNorm)

    def __post_init__(self):
        self.layers: list[Layer] = []
        self.sources: Sources = {}
        self._names: dict[str, int] = {}

    def conv(self, channels: int, size: int, stride: int = 1, padding: str = "valid") -> Builder:
        """Add a convolution."""
        window = Window(self._name("conv"), self.shape, size, stride, padding)
        std = self.std(window.depth, channels * size * size)
        return self._add(self.kinds[1](self.ar, self.rng, window, channels, std))

    def max_pool(self, size: int) -> Builder:
        """Add max pooling by windows side by side."""
        return self._add(MaxPool(Window(self._name("pool"), self.shape, size, size)))

    def average_pool(self, size: int) -> Builder:
        """Add average pooling by windows side by side."""
        return self._add(AveragePool(Window(self._name("pool"), self.shape, size, size)))

    def norm(self) -> Builder:
        """Add batch normalisation, of each channel or unit."""
        return self._add(self.kinds[2](self.ar, self.shape, self._name("norm")))

    def active(self, normal: bool = True) -> Builder:
        """Add the activation, batch normalisation (if any, and unless told not to) before it,
        and dropout (if any) behind it once the image is flat."""
        if self.normal and normal:
            self.norm()
        self.layers.append(self.activation())
        if self.dropout and self.shape[:2] == (1, 1):
            self.layers.append(Dropout(self.dropout, len(self.layers)))
        return self

    @property
    def here(self) -> tuple[int, Shape]:
        """The number of the value that the next layer takes, and its shape."""
        number = len(self.layers)
        return self.sources.get(number, (number,))[0], self.shape

    def branch(self, place: tuple[int, Shape]) -> Builder:
        """Have the next layer take the value of a place."""
        self.sources[len(self.layers)], self.shape = (place[0],), place[1]
        return self

    def join(self, place: tuple[int, Shape]) -> Builder:
        """Add the sum of what comes here and the value of a place."""
        name = self._name("add")
        if place[1] != self.shape:
            raise ValueError(f"{name}: adds images of one shape, got {shown(self.shape)} and "
                             f"{shown(place[1])}")
        self.sources[len(self.layers)] = (place[0], self.here[0])
        return self._add(Add(self.shape, name))

    def global_average(self) -> Builder:
        """Add the mean of each channel."""
        return self._add(GlobalAverage(self._name("pool"), self.shape))

    def flat(self) -> Builder:
        """Make one row of the image; no number moves."""
        self.shape = (1, 1, math.prod(self.shape))
        return self

    def dense(self, outputs: int) -> Builder:
        """Add a dense layer; ValueError before `flat`."""
        name = self._name("dense")
        if self.shape[:2] != (1, 1):
            raise ValueError(f"{name}: takes one row, got {shown(self.shape)}; flatten it first")
        inputs = self.shape[2]
        self.shape = (1, 1, outputs)
        std = self.std(inputs, outputs)
        dense = self.kinds[0]
        self.layers.append(dense(self.ar, self.rng, inputs, outputs, std, True, name))
        return self

    def _name(self, kind: str) -> str:
        self._names[kind] = self._names.get(kind, 0) + 1
        return f"{kind}{self._names[kind]}"

    def _add(self, layer) -> Builder:
        self.layers.append(layer)
        self.shape = layer.shape
        return self


def lenet5(b: Builder, classes: int) -> Builder:
    """LeNet-5 with max pooling: 6 and 16 maps, 120 and 84 units.

    Images of fewer than 32 rows get zeros around them, as MNIST's had to.
    """
    b.conv(6, 5, padding="same" if b.shape[0] < 32 else "valid").max_pool(2).active()
    b.conv(16, 5).max_pool(2).active().flat()
    return b.dense(120).active().dense(84).active().dense(classes)


def lenet_wide(b: Builder, classes: int) -> Builder:
    """The LeNet of many tutorials: 20 and 50 maps, 500 units."""
    b.conv(20, 5).max_pool(2).active().conv(50, 5).max_pool(2).active().flat()
    return b.dense(500).active().dense(classes)


def mini_cifar(b: Builder, classes: int) -> Builder:
    """A small network for 32 x 32 images: 32, 32 and 64 maps, 64 units."""
    b.conv(32, 3, padding="same").max_pool(2).active()
    b.conv(32, 3, padding="same").active().average_pool(2)
    b.conv(64, 3, padding="same").active().average_pool(2).flat()
    return b.dense(64).active().dense(classes)


def _residual(b: Builder, channels: int, stride: int) -> Builder:
    """Add two convolutions of 3 x 3 and, beside them, what came in: as it is, or by a
    convolution of 1 x 1 where the shapes differ."""
    entry = b.here
    b.conv(channels, 3, stride, "same").active().conv(channels, 3, padding="same")
    b = b.norm() if b.normal else b
    end = b.here
    if entry[1] != end[1]:
        b.branch(entry).conv(channels, 1, stride)
        return b.join(end).active(False)
    return b.join(entry).active(False)


def resnet8(b: Builder, classes: int) -> Builder:
    """The residual network of MLPerf Tiny for CIFAR-10: 16 maps, then 16, 32 and 64 of them
    in a block each."""
    b.conv(16, 3, padding="same").active()
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        b = _residual(b, channels, stride)
    return b.global_average().flat().dense(classes)


def resnet20(b: Builder, classes: int) -> Builder:
    """The residual network of 20 layers for CIFAR-10 (He et al., 2016): three blocks each of
    16, 32 and 64 maps."""
    b.conv(16, 3, padding="same").active()
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        for block in range(3):
            b = _residual(b, channels, 1 if block else stride)
    return b.global_average().flat().dense(classes)


MODELS: dict[str, Callable[[Builder, int], Builder]] = {
    "lenet5": lenet5,
    "lenet-wide": lenet_wide,
    "mini-cifar": mini_cifar,
    "resnet8": resnet8,
    "resnet20": resnet20,
}


def make_network(ar, rng: np.random.Generator, settings: Settings, shape, classes: int) -> Network:
    """Return the network that settings ask for; shape is of an image, of 2 or 3 numbers."""
    network = _network(ar, rng, settings, shape, classes)
    share = parse_real("dropout_input", settings.dropout_input)
    if share:
        network.put_first(Dropout(share, ENTRY))
    return network


def _network(ar, rng: np.random.Generator, settings: Settings, shape, classes: int) -> Network:
    activation = make_activation(ar, settings)
    dropout = parse_real("dropout", settings.dropout)
    height, width, *channels = shape
    image = (height, width, channels[0] if channels else 1)
    builder = Builder(ar, rng, image, spread_of(settings), activation, dropout,
                      settings.norm == "batch", kinds_of(settings))
    plain = (settings.init == "normal" and settings.norm == "none"
             and builder.kinds == Builder.kinds)
    if settings.model == "mlp" and plain:
        numbers = itertools.count()
        std = float(parse_real("init_std", settings.init_std))
        return mlp(ar, rng, math.prod(shape), settings.hidden, classes, std, lambda: [
            activation(), *([Dropout(dropout, next(numbers))] if dropout else [])])
    try:
        if settings.model == "mlp":
            builder.flat()
            for units in settings.hidden:
                builder.dense(units).active()
            layers = builder.dense(classes).layers
        else:
            layers = MODELS[settings.model](builder, classes).layers
        if settings.binary:
            from nets.layers.binary.build import completed

            layers = completed(ar, layers)
    except ValueError as error:
        raise ValueError(f"{settings.model} cannot be made for images of {shown(image)}: "
                         f"{error}") from error
    network = Network(ar, layers, math.prod(shape), classes, builder.sources)
    if settings.init == "constant":
        value = parse_real("init_std", settings.init_std)
        for name, t in network.parameters().items():
            if name.endswith(".w"):
                ar.fill(t, value)
    return network


def kinds_of(settings: Settings) -> tuple[type, type, type]:
    """Return the classes of dense layers, convolutions and batch normalisation."""
    if settings.binary:
        from nets.layers.binary.layers import BinaryConv2d, BinaryDense, BinaryNorm

        return BinaryDense, BinaryConv2d, BinaryNorm
    if settings.arith in FLOATS and (settings.selects or settings.clips):
        from nets.layers.minselect.layers import SelectorConv2d, SelectorDense

        return SelectorDense, SelectorConv2d, BatchNorm
    if settings.selects:
        from nets.layers.minselect.fixed import FixedSelectorConv2d, FixedSelectorDense

        return FixedSelectorDense, FixedSelectorConv2d, BatchNorm
    return Builder.kinds


def make_activation(ar, settings: Settings) -> Callable[[], Layer]:
    """Return what makes a layer of the activation that settings name."""
    name = activation_kind(settings.activation)
    if name == "spindle":
        return lambda: spindle_layer(ar, settings)
    if name.startswith(OPERATOR):
        family = "lns" if isinstance(settings.format("activations"), Lns) else "fixed"
        return lambda: OperatorLayer(operator_of(settings, family))
    if name == "sign":
        from nets.layers.binary.layers import Sign

        return Sign
    if name == "prelu":
        return lambda: PReLU(ar)
    return {"relu": ReLU, "leaky": LeakyReLU}.get(name) or (lambda: Smooth(name))


def spread_of(settings: Settings) -> Callable[[int, int], float]:
    """Return the standard deviation of first weights from inputs and outputs of a layer."""
    fixed = float(parse_real("init_std", settings.init_std))
    return {
        "normal": lambda inputs, outputs: fixed,
        "zero": lambda inputs, outputs: 0.0,
        "constant": lambda inputs, outputs: 0.0,
        "lecun": lambda inputs, outputs: math.sqrt(1 / inputs),
        "xavier": lambda inputs, outputs: math.sqrt(2 / (inputs + outputs)),
        "he": lambda inputs, outputs: math.sqrt(2 / inputs),
    }[settings.init]
