"""What an inference core takes of a trained network: circuits of its plans, and its words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fxp.format import FormatError
from lnsarith.commands.rtl.core.layers import (
    active_circuit,
    pixel_words,
    product_layers,
    told,
)

if TYPE_CHECKING:
    from verilog.core.inference.core import Arithmetic, Layer

__all__ = ["core_parts", "port_words"]


def core_parts(settings, network) -> tuple[Arithmetic, list[Layer]]:
    """Return the arithmetic and the layers of a network's core; FormatError, which names
    it, for what no core can do yet."""
    from nets.layers.dense import Dense
    from nets.layers.spatial.conv import Conv2d

    _require(settings)
    dense, active = product_layers(network, (Dense, Conv2d))
    lns = hasattr(settings.format("activations"), "zero")
    arithmetic = (_lns if lns else _fixed)(settings, network.ar, active,
                                           max(layer.w.rows for layer, _ in dense))
    return arithmetic, [_words(network.ar, arithmetic, *each) for each in dense]


def _require(settings) -> None:
    """Refuse the runs whose sums a lane cannot take."""
    if settings.arith.startswith("float"):
        raise FormatError(f"a core has words, and a run of {settings.arith} has none; give one of "
                          "lns or fixed")
    if hasattr(settings.format("activations"), "zero") and settings.order != "sequential":
        raise FormatError("a lane adds one product after the other; the run has order "
                          f"{settings.order}")


def _lns(settings, ar, active, depth: int) -> Arithmetic:
    from fxp.trace.circuit import trace
    from lnsarith.lns import spec
    from lnsarith.lns.spec import Number
    from verilog.core.inference.core import Arithmetic
    from verilog.core.parts.lane import Sums
    from verilog.core.parts.word import Word

    plan = ar.affine_plan()
    f, w = ar.formats["activations"], ar.formats["weights"]
    number = Word((("level", *spec.level_range(f)), ("sign", -1, 0)))
    pack = trace(lambda level, sign: spec.pack(Number(level, sign), f),
                 {"level": spec.level_range(f), "sign": (-1, 0)}, name="pack")
    unpack = trace(lambda word: spec.unpack(word, w), {"word": w.words},
                   outputs=("level", "sign"), name="unpack")
    sums = Sums(plan.step, plan.state, plan.scalars, plan.vectors, plan.start,
                absent=plan.absent)
    return Arithmetic(number, pixel_words(ar, number), sums, plan.finish,
                      active_circuit(ar, active), ar.order_circuit(), pack, unpack, settings=told(
                          settings, ("delta", "guard", "underflow")))


def _fixed(settings, ar, active, depth: int) -> Arithmetic:
    from verilog.core.inference.core import Arithmetic
    from verilog.core.parts.lane import Sums
    from verilog.core.parts.word import Word

    accumulator = ar.accumulator("activations", "weights", "activations", "weights")
    if accumulator.kind == "exact":
        accumulator = replace(accumulator, depth=depth)  # the same words in fewer bits
    plan = accumulator.plan()
    f = ar.formats["activations"]
    number = Word((("word", *f.words),))
    sums = Sums(plan.step, plan.state, plan.scalars, plan.vectors, plan.start)
    return Arithmetic(number, pixel_words(ar, number), sums, plan.finish,
                      active_circuit(ar, active), ar.order_circuit(),
                      settings=told(settings, ("accumulator",)))


def _words(ar, arithmetic: Arithmetic, layer, form) -> Layer:
    """Return a dense layer's words as memories hold them."""
    from verilog.core.inference.core import Layer

    def patterns(t, word):
        fields = t.named("b")
        values = [v[:, : t.columns] for v in fields.values()]
        return word.patterns(dict(zip(word.names, values)))

    sums = arithmetic.sums
    assert sums.bias is not None
    return Layer(patterns(layer.w, sums.weight), patterns(layer.b, sums.bias), form=form)


def port_words(network) -> list:
    """Return the words of each layer, int64: its biases in a row above its weights."""
    from nets.layers.dense import Dense
    from nets.layers.spatial.conv import Conv2d
    from nets.network.probe import plain_layer

    layers: list = [x for x in map(plain_layer, network.layers) if type(x) in (Dense, Conv2d)]
    words = network.ar.words
    return [np.vstack([words(x.b), words(x.w)]).astype(np.int64) for x in layers]
