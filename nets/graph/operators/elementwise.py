"""Operators number by number: arithmetic, activations, soft-max, normalisation, as ONNX
means them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf, expit

from nets.graph.graph import Unsupported

__all__ = ["ELEMENTWISE", "UNARY", "softmax"]


def _aligned(a, x, y):
    """Return y as it is broadcast to x: before opset 7 along the axis that is named."""
    if a["opset"] < 7 and "axis" in a and y.ndim < x.ndim:
        axis = a["axis"] % x.ndim
        y = y.reshape(y.shape + (1,) * (x.ndim - axis - y.ndim))
    return y


def _binary(function):
    def operator(a, x, y):
        return function(x, _aligned(a, x, y))

    return operator


def _divide(x, y):
    if x.dtype.kind == "f":
        return x / y
    return np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(y)) if x.dtype.kind == "i" else x // y


def _sum(a, *values):
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _unary(function):
    """Return an operator whose result has the type of its argument."""
    return lambda a, x: np.asarray(function(a, x)).astype(x.dtype)


def prelu(a, x, slope):
    if a["opset"] < 7 and slope.ndim == 1 and slope.size > 1:
        slope = slope.reshape(-1, *[1] * (x.ndim - 2))
    return np.where(x < 0, slope * x, x).astype(x.dtype)


def clip(a, x, low=None, high=None):
    low, high = a.get("min") if low is None else low, a.get("max") if high is None else high
    y = x if low is None else np.maximum(x, np.asarray(low, x.dtype))
    return y if high is None else np.minimum(y, np.asarray(high, x.dtype))


def _hard_sigmoid(a, x):
    alpha, beta = a.get("alpha", 0.2), a.get("beta", 0.5)
    return np.clip(np.float32(alpha) * x + np.float32(beta), 0, 1)


def _gelu(a, x):
    if a.get("approximate", "none") == "tanh":
        return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2
    return x * (1 + erf(x / np.sqrt(2))) / 2


def _softplus(a, x):
    return np.logaddexp(x, 0)


# Functions of one number: of attributes and an array.
UNARY = {
    "Relu": lambda a, x: np.maximum(x, 0),
    "LeakyRelu": lambda a, x: np.where(x < 0, np.float32(a.get("alpha", 0.01)) * x, x),
    "Sigmoid": lambda a, x: expit(x),
    "Tanh": lambda a, x: np.tanh(x),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda a, x: x * np.clip(x / 6 + 0.5, 0, 1),
    "Elu": lambda a, x: np.where(x < 0, a.get("alpha", 1.0) * np.expm1(np.minimum(x, 0)), x),
    "Selu": lambda a, x: a.get("gamma", 1.05070102214813232421875) * np.where(
        x < 0, a.get("alpha", 1.67326319217681884765625) * np.expm1(np.minimum(x, 0)), x),
    "Softplus": _softplus,
    "Gelu": _gelu,
    "Mish": lambda a, x: x * np.tanh(_softplus(a, x)),
    "Neg": lambda a, x: -x,
    "Abs": lambda a, x: np.abs(x),
    "Exp": lambda a, x: np.exp(x),
    "Sqrt": lambda a, x: np.sqrt(x),
    "Sign": lambda a, x: np.sign(x),
    "Erf": lambda a, x: erf(x),
    "Floor": lambda a, x: np.floor(x),
}


def softmax(a, x):
    """Return the shares along an axis; before opset 13 along all axes from one on."""
    old = a["opset"] < 13
    axis = a.get("axis", 1 if old else -1)
    axes = tuple(range(axis % x.ndim, x.ndim)) if old else axis
    powers = np.exp(x - x.max(axis=axes, keepdims=True))
    return powers / powers.sum(axis=axes, keepdims=True)


def _log_softmax(a, x):
    old = a["opset"] < 13
    axis = a.get("axis", 1 if old else -1)
    axes = tuple(range(axis % x.ndim, x.ndim)) if old else axis
    x = x - x.max(axis=axes, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axes, keepdims=True))


def batch_norm(a, x, scale, bias, mean, variance):
    if a.get("training_mode") or (a["opset"] < 7 and not a.get("is_test")):
        raise Unsupported("training mode is not supported, that with kept statistics is")
    if not a.get("spatial", 1):
        raise Unsupported("spatial 0 is not supported, 1 is")
    form = (-1, *[1] * (x.ndim - 2))
    scale, bias, mean, variance = (t.reshape(form) for t in (scale, bias, mean, variance))
    root = np.sqrt(variance + np.asarray(a.get("epsilon", 1e-5), variance.dtype))
    return ((x - mean) / root * scale + bias).astype(x.dtype)


def dropout(a, x, ratio=None, training=None):
    off = a["opset"] < 7 and not a.get("is_test")
    if off or (training is not None and bool(np.all(training))):
        raise Unsupported("training mode is not supported, that which drops nothing is")
    return x, np.ones(x.shape, bool)


ELEMENTWISE: dict[str, Callable[..., Any]] = {
    **{name: _unary(function) for name, function in UNARY.items()},
    "Add": _binary(np.add), "Sub": _binary(np.subtract), "Mul": _binary(np.multiply),
    "Div": _binary(_divide), "Sum": _sum, "PRelu": prelu, "Clip": clip, "Softmax": softmax,
    "LogSoftmax": _log_softmax, "BatchNormalization": batch_norm, "Dropout": dropout,
    "Identity": lambda a, x: x,
    "Max": lambda a, *xs: np.maximum.reduce(np.broadcast_arrays(*xs)),
    "Min": lambda a, *xs: np.minimum.reduce(np.broadcast_arrays(*xs)),
    "Pow": lambda a, x, y: np.power(x, y).astype(x.dtype),
}
