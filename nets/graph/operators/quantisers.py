"""Operators that quantise: QDQ of ONNX, and Quant, BipolarQuant, Trunc, MultiThreshold of
QONNX, to the word as the standard's executor gives them.

Quant (Pappalardo et al., QONNX, 2022): y = clip(x / scale + zero point, lowest, highest),
rounded, less the zero point, times the scale; all of it in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nets.graph.graph import Unsupported

__all__ = ["QUANTISERS", "ROUNDINGS", "limits"]

PLAIN = "int8 int16 uint8 uint16".split()


def _away(x):
    return np.where(x < 0, np.floor(x), np.ceil(x))


def _half_up(x):
    return np.sign(x) * np.floor(np.abs(x) + np.float32(0.5))


def _half_down(x):
    return np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5))


ROUNDINGS = {"ROUND": np.rint, "HALF_EVEN": np.rint, "CEIL": np.ceil, "FLOOR": np.floor,
             "UP": _away, "DOWN": np.trunc, "HALF_UP": _half_up, "HALF_DOWN": _half_down}


def _rounding(a):
    name = str(a.get("rounding_mode", "ROUND")).upper()
    if name not in ROUNDINGS:
        raise Unsupported(f"rounding_mode {name[:40]!r} is not supported, "
                          f"{', '.join(ROUNDINGS)} are")
    return ROUNDINGS[name]


def limits(bits: float, signed: bool, narrow: bool) -> tuple[float, float]:
    """Return the lowest and the highest integer of so many bits, which may be a fraction."""
    if signed:
        high = 2.0 ** (bits - 1)
        return -high + bool(narrow), high - 1
    return 0.0, 2.0**bits - 1 - bool(narrow)


def _single(x, what: str) -> float:
    if x.size != 1:
        raise Unsupported(f"{what} must be one number, got {x.size}")
    return float(x.reshape(-1)[0])


def quant(a, x, scale, zero, bits):
    for name in ("signed", "narrow"):
        if name not in a:
            raise Unsupported(f"attribute {name} is missing")
    count, round_ = _single(bits, "bits"), _rounding(a)
    if count == 1 and a["signed"]:
        y = np.where(x / scale + zero >= 0, np.float32(1), np.float32(-1))
    else:
        low, high = (np.float32(n) for n in limits(count, a["signed"], a["narrow"]))
        y = round_(np.clip(x / scale + zero, low, high))
    return ((y - zero) * scale).astype(np.float32)


def bipolar(a, x, scale):
    return np.where(x >= 0, scale, -scale).astype(np.float32)


def trunc(a, x, scale, zero, in_bits, *rest):
    """Version 1 has the bits of the result behind those of x, version 2 its scale before
    them: told apart by the number of inputs."""
    round_ = _rounding({"rounding_mode": "FLOOR", **a})
    before = _single(in_bits, "bits")
    if len(rest) == 1:  # the value shrinks
        shift = np.float32(2.0 ** (before - _single(rest[0], "bits")))
        words = np.rint(x / scale + zero)
        return ((round_(words / shift) - zero) * scale).astype(np.float32)
    if len(rest) != 2:
        raise Unsupported(f"{4 + len(rest)} inputs are not supported, five and six are")
    out_scale, after = rest[0], _single(rest[1], "bits")
    words = np.rint(x / scale + zero)
    ratio = out_scale / scale
    low, high = limits(after, a.get("signed", 1), a.get("narrow", 0))
    y = round_(np.clip(words / ratio, np.float32(low), np.float32(high)))
    return ((y - zero) * out_scale).astype(np.float32)


def thresholds(a, x, t):
    """out_scale times the number of thresholds that x reaches, plus out_bias."""
    last = a.get("data_layout", "NHWC" if x.ndim == 3 else "NCHW")[-1:] == "C" and x.ndim > 2
    moved = x if last or x.ndim < 2 else np.moveaxis(x, 1, -1)
    steps = np.sort(t, axis=1)
    if len(t) not in (1, moved.shape[-1]):
        raise ValueError(f"thresholds of {len(t)} channels do not fit {moved.shape[-1]}")
    counts = np.zeros(moved.shape, np.float32)
    for k in range(steps.shape[1]):
        counts += moved >= steps[:, k]
    y = np.float32(a.get("out_scale", 1.0)) * counts + np.float32(a.get("out_bias", 0.0))
    return y if last or x.ndim < 2 else np.moveaxis(y, -1, 1)


def _along(a, x, t):
    if a.get("block_size"):
        raise Unsupported(f"block_size {a['block_size']} is not supported, 0 is")
    if t.ndim == 0 or t.size == 1:
        return t.reshape(())
    axis = a.get("axis", 1) % x.ndim
    return t.reshape([-1 if i == axis else 1 for i in range(x.ndim)])


def quantize(a, x, scale, zero=None):
    kind = np.dtype(np.uint8) if zero is None else zero.dtype
    if "output_dtype" in a and a["output_dtype"] not in (0, 2, 3, 4, 5):
        raise Unsupported(f"output_dtype {a['output_dtype']} is not supported: 8 and 16 bits are")
    if zero is None and a.get("output_dtype"):
        kind = np.dtype({2: "u1", 3: "i1", 4: "u2", 5: "i2"}[a["output_dtype"]])
    if kind.name not in PLAIN:
        raise Unsupported(f"words of {kind.name} are not supported, {', '.join(PLAIN)} are")
    steps = np.rint(x / _along(a, x, scale))
    steps = steps + (0 if zero is None else _along(a, x, zero).astype(np.float32))
    info = np.iinfo(kind)
    return np.clip(steps, info.min, info.max).astype(kind)


def dequantize(a, x, scale, zero=None):
    if x.dtype.name not in (*PLAIN, "int32"):
        raise Unsupported(f"words of {x.dtype.name} are not supported, {', '.join(PLAIN)} are")
    origin = np.int64(0) if zero is None else _along(a, x, zero).astype(np.int64)
    return (x.astype(np.int64) - origin).astype(np.float32) * _along(a, x, scale)


QUANTISERS: dict[str, Callable[..., Any]] = {
    "Quant": quant, "IntQuant": quant, "BipolarQuant": bipolar, "Trunc": trunc,
    "MultiThreshold": thresholds, "QuantizeLinear": quantize, "DequantizeLinear": dequantize}
