"""QONNX's nodes for ONNX's evaluator, written from the standard apart from
`nets.graph.operators.quantisers`, which they judge."""

from __future__ import annotations

import numpy as np

__all__ = ["rules"]


def _rounded(y, mode: str):
    below = np.floor(y)
    rest = y - below
    mode = mode.upper()
    odd = below % 2 == 1
    up = {"ROUND": (rest > 0.5) | ((rest == 0.5) & odd), "FLOOR": rest < 0, "CEIL": rest > 0,
          "UP": (rest > 0) & (y > 0), "DOWN": (rest > 0) & (y < 0),
          "HALF_UP": (rest > 0.5) | ((rest == 0.5) & (y > 0)),
          "HALF_DOWN": (rest > 0.5) | ((rest == 0.5) & (y < 0))}
    up["HALF_EVEN"] = up["ROUND"]
    return below + up[mode]


def _quantised(x, scale, zero, bits, signed, narrow, mode):
    bits = float(np.ravel(bits)[0])
    y = (x / scale).astype(np.float32) + zero
    if signed and bits == 1:
        word = np.where(y >= 0, 1, -1)
    else:
        high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - (1 if narrow else 0)
        low = 0.0 if not signed else -high if narrow else -high - 1
        word = _rounded(np.minimum(np.maximum(y, np.float32(low)), np.float32(high)), mode)
    return ((word - zero) * scale).astype(np.float32)


def rules() -> list[type]:
    """Return classes of onnx.reference.op_run.OpRun, for every domain that writers use."""
    from onnx.reference.op_run import OpRun

    def quant(self, x, scale, zero, bits, narrow=0, rounding_mode="ROUND", signed=1):
        return (_quantised(x, scale, zero, bits, signed, narrow, rounding_mode),)

    def bipolar(self, x, scale):
        return (((2 * (x >= 0)).astype(np.float32) - 1) * scale,)

    def trunc(self, x, scale, zero, before, *rest, narrow=0, rounding_mode="FLOOR", signed=1):
        words = np.round(x / scale + zero)
        count = float(np.ravel(before)[0])
        if len(rest) == 1:
            words = words / 2 ** (count - float(np.ravel(rest[0])[0]))
            return ((_rounded(words, rounding_mode) - zero).astype(np.float32) * scale,)
        out_scale, after = rest
        one = np.float32(1)
        kept = _quantised(words * scale / out_scale, one, np.float32(0), after, signed, narrow,
                          rounding_mode)
        return (((kept - zero) * out_scale).astype(np.float32),)

    def steps(self, x, t, data_layout="", out_bias=0.0, out_dtype="", out_scale=1.0):
        layout = data_layout or ("NHWC" if x.ndim == 3 else "NCHW")
        axis = x.ndim - 1 if layout[-1] == "C" else 1
        form = [1] * x.ndim
        form[axis] = -1
        counts = sum((x >= column.reshape(form)).astype(np.float32) for column in t.T)
        return ((counts * np.float32(out_scale) + np.float32(out_bias)).astype(np.float32),)

    kinds = {"Quant": quant, "IntQuant": quant, "BipolarQuant": bipolar, "Trunc": trunc,
             "MultiThreshold": steps}
    domains = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
    return [type(name, (OpRun,), {"op_domain": domain, "_run": function})
            for domain in domains for name, function in kinds.items()]
