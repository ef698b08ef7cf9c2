"""What an inference core takes of a trained network: circuits of its plans, and its words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fxp.format import FormatError

if TYPE_CHECKING:
    from verilog.core.inference.core import Arithmetic, Layer

__all__ = ["active_circuit", "core_parts", "dense_layers", "parts_of", "pixel_words",
           "port_words", "told",
           "window_form"]


def parts_of(settings, network):
    """Return the arithmetic, the layers and the words of the load port of a network's core;
    FormatError, which names it, for what no core can do yet."""
    if settings.selects and not settings.arith.endswith("float"):
        from lnsarith.commands.rtl.core.selectors import selector_parts

        return selector_parts(settings, network)
    if settings.binary:
        from lnsarith.commands.rtl.core.bits import bit_parts

        return bit_parts(settings, network)
    return (*core_parts(settings, network), port_words(network))


def core_parts(settings, network) -> tuple[Arithmetic, list[Layer]]:
    """Return the arithmetic and the layers of a network's core; FormatError, which names
    it, for what no core can do yet."""
    from nets.layers.conv import Conv2d
    from nets.layers.dense import Dense

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


def dense_layers(network, kind):
    """Return the dense layers of a kind, and the one kind of layer between them (None:
    nothing)."""
    found, active = product_layers(network, (kind,))
    return [layer for layer, _ in found], active


def product_layers(network, kinds):
    """Return the layers of these kinds, each with its form, and the one kind of layer between
    them (None: nothing); FormatError for others, by name, and for another order."""
    from nets.layers.dropout import Dropout
    from nets.layers.pool import MaxPool
    from nets.network.probe import plain_layer

    layers = [layer for layer in map(plain_layer, network.layers)
              if not isinstance(layer, Dropout)]
    found: list = []
    active: list = []
    for layer in layers:
        if type(layer) in kinds:
            if len(active) != len(found):
                raise FormatError("a core has an activation between any two of its layers, and "
                                  f"this network none before {type(layer).__name__}")
            found.append((layer, form_of(layer)))
        elif isinstance(layer, MaxPool) and found and len(active) < len(found):
            product, form = found[-1]
            found[-1] = product, replace(form, pool=layer.window.size)
        else:
            _kind(layer)
            active.append(layer)
    if len(active) != len(found) - 1 or not found:
        raise FormatError("a core takes dense layers and convolutions, each but the last with an "
                          "activation behind it, got "
                          + ", ".join(type(x).__name__ for x in layers))
    return found, active[0] if active else None


def form_of(layer):
    """Return the form of a dense layer or a convolution."""
    from verilog.core.inference.form import Form, dense_form

    window = getattr(layer, "window", None)
    if window is None:
        return dense_form(layer.w.rows, layer.w.columns)
    return window_form(window, layer.w.columns, Form)


def window_form(window, outputs: int, form):
    """Return the form of a convolution; FormatError for a stride, which no core has yet."""
    if window.stride != 1:
        raise FormatError(f"a core's convolutions go by 1, and {window.layer} by {window.stride}")
    height, width, channels = window.shape
    return form(channels, outputs, height, width, window.size, window.before, window.out)


def _kind(layer) -> str:
    """Return how a layer between dense ones is called."""
    from nets.layers.dense import LeakyReLU, ReLU
    from nets.layers.spindle import Frozen

    kinds = {LeakyReLU: "leaky", ReLU: "relu", Frozen: "spindle"}
    for kind, name in kinds.items():
        if isinstance(layer, kind):
            return name
    raise FormatError(f"a core has no {type(layer).__name__} layer yet; it has dense ones with "
                      "leaky ReLU, ReLU or SPINDLE units")


def active_circuit(ar, layer):
    """Return the circuit of an activation."""
    if layer is None:
        return None
    kind = _kind(layer)
    if kind == "spindle":
        return ar.spindle_plan(layer.function).circuit
    return {"leaky": ar.slope_plan, "relu": ar.relu_plan}[kind]().circuit


def _lns(settings, ar, active, depth: int) -> Arithmetic:
    from fxp.trace.circuit import trace
    from lnsarith import spec
    from lnsarith.spec import Number
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


def told(settings, names) -> dict[str, str]:
    every = ("dataset", "model", "hidden", "arith", *names, "activation")
    values = {k: getattr(settings, k) for k in every}
    return {k: ",".join(map(str, v)) if isinstance(v, tuple | list) else str(v)
            for k, v in values.items()}


def pixel_words(ar, number) -> tuple[int, ...]:
    """Return the words of pixels 0..255 as memories hold them."""
    table = ar.pixel_table()
    return tuple(number.patterns({k: table[k] for k in number.names}).tolist())


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
    from nets.layers.conv import Conv2d
    from nets.layers.dense import Dense
    from nets.network.probe import plain_layer

    layers: list = [x for x in map(plain_layer, network.layers) if type(x) in (Dense, Conv2d)]
    words = network.ar.words
    return [np.vstack([words(x.b), words(x.w)]).astype(np.int64) for x in layers]
