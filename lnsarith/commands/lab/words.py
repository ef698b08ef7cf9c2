"""A run of fixed-point, logarithmic or min-selector words as a lab takes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from verilog.soc.network import LabLayer, LabNetwork
    from verilog.soc.words import WordArithmetic

__all__ = ["word_network"]

MOST_BITS = 16


def word_network(network, pixels: np.ndarray) -> tuple[LabNetwork, np.ndarray]:
    """Return a trained network over images (uint8 rows), and its logits as words.

    FormatError for arithmetics and layers that no lab runs.
    """
    from nets.network.probe import Watched
    from verilog.soc.network import LabNetwork

    ar = network.ar
    arithmetic = _arithmetic(ar)
    program = network.program(len(pixels), False)
    program.run(pixels, np.zeros(len(pixels), np.int64))
    values = [ar.words(t).astype(np.int64) for t in program.values]
    layers: list[LabLayer] = []
    answers: list[np.ndarray] = []
    for each, before, after in zip(network.layers, values, values[1:]):
        layer = each.layer if isinstance(each, Watched) else each
        made = _layer(ar, layer, before.shape[1], len(layers))
        if made is None:  # it changes nothing
            continue
        layers.append(made)
        answers.append(after)
    return LabNetwork(layers, values[0], answers, arithmetic), values[-1]


def _layer(ar, layer, inputs: int, n: int) -> LabLayer | None:
    """Return a layer; None for one that is nothing outside training."""
    from fxp.format import FormatError
    from nets.layers.dense import Dense, LeakyReLU, ReLU
    from nets.layers.dropout import Dropout
    from nets.layers.spatial.conv import Conv2d
    from nets.layers.spatial.pool import MaxPool
    from verilog.soc.network import LabLayer

    if isinstance(layer, Dropout):
        return None
    if isinstance(layer, Dense):
        return LabLayer(layer.name, "product", (1, 1, inputs), (1, 1), layer.w.columns,
                        **_weights(ar, layer))
    if isinstance(layer, Conv2d):
        return LabLayer(**_places(layer.window), kind="product", channels=layer.w.columns,
                        zero=_zero(ar), **_weights(ar, layer))
    if isinstance(layer, MaxPool):
        return LabLayer(**_places(layer.window), kind="greatest",
                        channels=layer.window.shape[2])
    if isinstance(layer, ReLU | LeakyReLU):
        return LabLayer(f"activation{n}", "activation", (1, 1, inputs), (1, 1), inputs)
    raise FormatError(f"a lab runs dense layers, convolutions, max pooling, relu and leaky, not "
                      f"{type(layer).__name__}; train with --norm none and such an activation")


def _places(window) -> dict[str, Any]:
    return {"name": window.layer, "shape": window.shape, "out": window.out, "size": window.size,
            "stride": window.stride, "before": window.before, "reach": window.reach()}


def _weights(ar, layer) -> dict[str, Any]:
    """Return the weights and, for each channel, its bias and factor."""
    bias = ar.words(layer.b)[0].astype(np.int64)
    factors = np.zeros_like(bias)
    weights = ar.words(layer.w)
    if ar.settings.selects:
        weights, factors = layer.sums.words(layer.limits), layer.factors
    return {"weights": weights.astype(np.int64), "scales": np.stack([bias, factors], axis=1)}


def _zero(ar) -> int:
    """Return the word of zero."""
    return int(ar.words(ar.empty(1, 1, "activations"))[0, 0])


def _arithmetic(ar) -> WordArithmetic:
    from fxp.format import Fixed, FormatError
    from lnsarith.commands.rtl.layer import own_options
    from nets.settings.settings import FLOATS
    from verilog.soc.words import WordArithmetic
    from verilog.units.catalogue import UNITS

    settings = ar.settings
    if settings.arith in FLOATS:
        raise FormatError(f"a lab runs words, not {settings.arith}; lnsarith quantize makes 8-bit "
                          "integers of a run")
    formats = {settings.format(role) for role in ("weights", "activations", "logits")}
    f = settings.format("activations")
    if len(formats) != 1 or f.bits > MOST_BITS:
        raise FormatError("a lab takes one format of at most 16 bits for weights, activations and "
                          f"logits, got {', '.join(sorted(map(str, formats)))}; recipe icassp2020 "
                          "has one")
    order = _order(ar, f)
    if settings.selects:
        return WordArithmetic(_selector(ar, f), _activation(ar, f), order, _tail(ar, f))
    row = UNITS["fixed-mac-unit" if isinstance(f, Fixed) else "lns-mac-unit"]
    mac = row.mac(f, row.settings(own_options(settings, f)))
    return WordArithmetic(mac, _activation(ar, f), order)


def _selector(ar, f):
    """Return exact sums of min-selected words, given as they are."""
    from fractions import Fraction

    from fxp.format import Fixed
    from verilog.units.macs import minselect_mac

    one = Fraction(1)
    mac = minselect_mac(f, one, one, 1 << (30 - f.bits), "nearest-even", "saturate")
    return replace(mac, out=Fixed(32, f.frac), start=lambda word: (word,),
                   finish=lambda total: total[0])


def _tail(ar, f):
    """Return what makes an exact sum of min-selected words, times a factor, a word."""
    from fxp.spec import overflow, round_shift
    from fxp.trace.bits import known
    from fxp.trace.circuit import trace
    from nets.arithmetic.fixed.minselect import LARGEST, SCALE

    def tail(sum, bias, factor):
        within = known(sum, -(1 << 30), 1 << 30)
        start = round_shift(bias, -SCALE, "nearest-even")
        return overflow(round_shift(within * factor + start, SCALE, "nearest-even"), f)

    ports = {"sum": (-(1 << 31), (1 << 31) - 1), "bias": f.words, "factor": (0, LARGEST)}
    return trace(tail, ports, name="tail")


def _activation(ar, f):
    """Return the circuit of the activation that the run has, over words x."""
    from fxp.trace.bits import maximum, where
    from fxp.trace.circuit import trace
    from lnsarith.catalogue.operators import OPERATORS

    settings = ar.settings
    logarithms = hasattr(f, "zero")
    if settings.activation == "relu":
        def relu(x):
            return where(x < 0, f.zero, x) if logarithms else maximum(x, 0)

        return trace(relu, {"x": f.words}, name="relu")
    if settings.activation == "leaky":
        row = OPERATORS["lns-leaky-relu" if logarithms else "fixed-leaky-relu"]
        return row.circuit(f, beta=str(settings.slope))
    return None


def _order(ar, f):
    """Return the circuit of an integer that orders words x."""
    from fxp.trace.bits import where
    from fxp.trace.circuit import trace
    from lnsarith.lns import spec
    from lnsarith.lns.spec import Number

    if not hasattr(f, "zero"):
        return trace(lambda x: x + 0, {"x": f.words}, name="order")

    def order(x):
        n: Number = spec.unpack(x, f)
        height = n.level - spec.zero_level(f)
        return where(n.sign != 0, 0 - height, height)

    return trace(order, {"x": f.words}, name="order")
