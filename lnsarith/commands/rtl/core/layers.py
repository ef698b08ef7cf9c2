"""What cores of every arithmetic take of a network: its layers in order, their forms."""

from __future__ import annotations

from dataclasses import replace

from fxp.format import FormatError

__all__ = ["active_circuit", "dense_layers", "pixel_words", "product_layers", "told",
           "window_form"]


def dense_layers(network, kind):
    """Return the dense layers of a kind, and the one kind of layer between them (None:
    nothing)."""
    found, active = product_layers(network, (kind,))
    return [layer for layer, _ in found], active


def product_layers(network, kinds):
    """Return the layers of these kinds, each with its form, and the one kind of layer between
    them (None: nothing); FormatError for others, by name, and for another order."""
    from nets.layers.dropout import Dropout
    from nets.layers.spatial.pool import MaxPool
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
    raise FormatError(f"a core has no {type(layer).__name__} layer yet; it has dense layers, "
                      "convolutions, max pooling, leaky ReLU, ReLU and SPINDLE units")


def active_circuit(ar, layer):
    """Return the circuit of an activation."""
    if layer is None:
        return None
    kind = _kind(layer)
    if kind == "spindle":
        return ar.spindle_plan(layer.function).circuit
    return {"leaky": ar.slope_plan, "relu": ar.relu_plan}[kind]().circuit


def told(settings, names) -> dict[str, str]:
    every = ("dataset", "model", "hidden", "arith", *names, "activation")
    values = {k: getattr(settings, k) for k in every}
    return {k: ",".join(map(str, v)) if isinstance(v, tuple | list) else str(v)
            for k, v in values.items()}


def pixel_words(ar, number) -> tuple[int, ...]:
    """Return the words of pixels 0..255 as memories hold them."""
    table = ar.pixel_table()
    return tuple(number.patterns({k: table[k] for k in number.names}).tolist())
