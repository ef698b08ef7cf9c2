"""The same four networks in Keras, whose images have their channels last."""

from __future__ import annotations

import keras
from keras import layers

__all__ = ["NETWORKS", "seeded"]


def _perceptron(x):
    for width, active in ((100, "relu"), (40, "tanh")):
        x = layers.Dense(width, active)(x if width < 100 else layers.Flatten()(x))
    return layers.Dense(10)(x)


def _lenet(x):
    x = layers.MaxPooling2D()(layers.Conv2D(6, 5, padding="same", activation="relu")(x))
    x = layers.AveragePooling2D(2)(layers.Conv2D(16, 5, activation="relu")(x))
    x = layers.Dense(84, "relu")(layers.Dense(120, "relu")(layers.Flatten()(x)))
    return layers.Dense(10)(layers.Dropout(0.5)(x))


def _conv(x, maps: int, size: int, stride: int = 1, active: str | None = "relu"):
    x = layers.Conv2D(maps, size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation(active)(x) if active else x


def _residual(x):
    x = _conv(x, 16, 3)
    for maps, stride in ((16, 1), (32, 2), (64, 2)):
        y = _conv(_conv(x, maps, 3, stride), maps, 3, active=None)
        x = layers.ReLU()(layers.Add()([y, x if stride == 1 else _conv(x, maps, 1, stride, None)]))
    return layers.Dense(10)(layers.GlobalAveragePooling2D()(x))


def _mobile(x):
    x = _conv(x, 16, 3, 2, "hard_swish")
    for wide, size, active in ((48, 3, "hard_swish"), (64, 5, "relu6")):
        y = _conv(x, wide, 1, active=active)
        y = layers.DepthwiseConv2D(size, padding="same", use_bias=False)(y)
        y = layers.Activation(active)(layers.BatchNormalization()(y))
        s = layers.GlobalAveragePooling2D(keepdims=True)(y)
        s = layers.Conv2D(wide, 1, activation="hard_sigmoid")(
            layers.Conv2D(wide // 4, 1, activation="relu")(s))
        x = layers.Add()([x, _conv(layers.Multiply()([y, s]), 16, 1, active=None)])
    groups = 1 if keras.backend.backend() == "tensorflow" else 4  # tf2onnx does not write them
    x = layers.Concatenate()([x, layers.Conv2D(16, 3, groups=groups, padding="same")(x)])
    x = layers.Dense(48, "hard_swish")(layers.GlobalAveragePooling2D()(x))
    return layers.Dense(10)(layers.Dropout(0.2)(x))


NETWORKS = {"perceptron": (_perceptron, (28, 28, 1)), "LeNet": (_lenet, (28, 28, 1)),
            "residual, batch norm": (_residual, (32, 32, 3)),
            "depthwise, hard-swish": (_mobile, (32, 32, 3))}


def seeded(name: str) -> tuple[keras.Model, tuple[int, ...]]:
    """Return a network for evaluation, and the shape of its input."""
    make, shape = NETWORKS[name]
    keras.utils.set_random_seed(0)
    entry = keras.Input(shape)
    network = keras.Model(entry, make(entry))
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            for variable, low, high in ((layer.gamma, 0.5, 1.5), (layer.beta, -1, 1), (
                    layer.moving_mean, -0.3, 0.3), (layer.moving_variance, 0.3, 2)):
                variable.assign(keras.random.uniform(variable.shape, low, high))
    return network, shape
