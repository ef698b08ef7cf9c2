"""What cores of every arithmetic take of a network: its layers in order, their forms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fxp.format import FormatError

if TYPE_CHECKING:
    from verilog.core.inference.form import Form

__all__ = ["Step", "active_circuit", "form_of", "pixel_words", "steps_of", "told", "window_form"]

# What may stand behind a product, in this order.
ORDER = ("MaxPool", "BatchNorm", "an activation", "AveragePool")


@dataclass(frozen=True)
class Step:
    """A layer of products with its form, pooling included, and what stands behind it."""

    product: Any
    form: Form
    norm: Any = None
    active: Any = None


def steps_of(network, kinds) -> list[Step]:
    """Return the layers of these kinds, each with what stands behind it; FormatError for
    others, by name, and for another order."""
    from nets.layers.dropout import Dropout
    from nets.network.probe import plain_layer

    layers = [layer for layer in map(plain_layer, network.layers)
              if not isinstance(layer, Dropout)]
    found: list[Step] = []
    behind: list[str] = []  # what stands behind the last product so far
    for layer in layers:
        if type(layer) in kinds:
            if found and not found[-1].active:
                raise FormatError("a core has an activation between any two of its layers, and "
                                  f"this network none before {type(layer).__name__}")
            found.append(Step(layer, form_of(layer)))
            behind = []
            continue
        place = _place(layer)
        if not found or any(ORDER.index(place) <= ORDER.index(b) for b in behind) or (
                place == "AveragePool" and "MaxPool" in behind):
            raise FormatError(f"a core has no {type(layer).__name__} there yet: behind a layer "
                              "may stand max pooling, batch norm, an activation, or the last "
                              "two of these and average pooling")
        behind.append(place)
        found[-1] = _with(found[-1], place, layer)
    if not found or behind:
        raise FormatError("a core takes dense layers and convolutions, each but the last with an "
                          "activation behind it, got "
                          + ", ".join(type(x).__name__ for x in layers))
    return found


def _place(layer) -> str:
    """Return which part of ORDER a layer is; FormatError, which names it, for others."""
    from nets.layers.norm import BatchNorm
    from nets.layers.spatial.pool import AveragePool, MaxPool

    for kind in (MaxPool, BatchNorm, AveragePool):
        if isinstance(layer, kind):
            return kind.__name__
    _kind(layer)
    return "an activation"


def _with(step: Step, place: str, layer) -> Step:
    if place == "BatchNorm":
        return replace(step, norm=layer)
    if place == "an activation":
        return replace(step, active=layer)
    return replace(step, form=replace(step.form, pool=layer.window.size,
                                      average=place == "AveragePool"))


def form_of(layer) -> Form:
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
    """Return how an activation is called."""
    from nets.layers.dense import LeakyReLU, ReLU
    from nets.layers.spindle import Frozen

    kinds = {LeakyReLU: "leaky", ReLU: "relu", Frozen: "spindle"}
    for kind, name in kinds.items():
        if isinstance(layer, kind):
            return name
    raise FormatError(f"a core has no {type(layer).__name__} layer yet; it has dense layers, "
                      "convolutions, pooling, batch norm, leaky ReLU, ReLU and SPINDLE units")


def active_circuit(ar, steps: list[Step]):
    """Return the circuit of the activation behind steps, None where there is none."""
    layer = steps[0].active
    if layer is None:
        return None
    kind = _kind(layer)
    if kind == "spindle":
        return ar.spindle_plan(layer.function).circuit
    return {"leaky": ar.slope_plan, "relu": ar.relu_plan}[kind]().circuit


def told(settings, names) -> dict[str, str]:
    every = ("dataset", "model", "hidden", "arith", *names, "activation")
    values = {k: getattr(settings, k) for k in every}
    if settings.norm != "none":
        values["norm"] = settings.norm
    return {k: ",".join(map(str, v)) if isinstance(v, tuple | list) else str(v)
            for k, v in values.items()}


def pixel_words(ar, number) -> tuple[int, ...]:
    """Return the words of pixels 0..255 as memories hold them."""
    table = ar.pixel_table()
    return tuple(number.patterns({k: table[k] for k in number.names}).tolist())
