"""All operators by name, and why others are not supported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nets.graph.operators.elementwise import ELEMENTWISE
from nets.graph.operators.quantisers import QUANTISERS
from nets.graph.operators.shapes import SHAPES
from nets.graph.operators.windows import WINDOWS

__all__ = ["OPERATORS", "why_not"]

OPERATORS: dict[str, Callable[..., Any]] = {**WINDOWS, **ELEMENTWISE, **SHAPES, **QUANTISERS}

WHY = {
    "FloatQuant": "minifloats are no words of this program; Quant and BipolarQuant are",
    "Resize": "interpolation is not among the operators; a classifier does without",
    "Upsample": "interpolation is not among the operators; a classifier does without",
    "LRN": "no operator here normalises across channels; BatchNormalization does within one",
    "ConvTranspose": "a convolution that enlarges is not among the operators; Conv is",
    "DepthToSpace": "images are classified here, not enlarged",
    "QLinearConv": "fused words are not read; QuantizeLinear and DequantizeLinear around Conv are",
    "QLinearMatMul": "fused words are not read; QuantizeLinear and DequantizeLinear are",
    "ZipMap": "a map of class names is no tensor; convert with options={'zipmap': False}",
}
RECURRENT = ("LSTM", "GRU", "RNN", "Loop", "Scan", "If")


def why_not(op: str) -> str:
    """Return why an operator is not supported, and what is."""
    if op in RECURRENT:
        return "recurrence and control flow are not supported; feed-forward networks are"
    return WHY.get(op) or f"it is none of {', '.join(sorted(OPERATORS))}"
