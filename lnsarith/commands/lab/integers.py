"""A network of 8-bit integers as a lab takes it: layers, images and answers in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nets.quantize.integer import IntegerNetwork
    from verilog.soc.network import LabLayer, LabNetwork

__all__ = ["integer_network"]


def integer_network(network: IntegerNetwork, pixels: np.ndarray) -> LabNetwork:
    """Return a network of 8-bit integers over images, uint8 rows; FormatError for words of
    more bits."""
    from fxp.format import FormatError
    from verilog.soc.network import LabNetwork

    first, *answers = network.answers(pixels)
    layers = [_layer(step) for step in network.steps]
    weights = [layer.weights for layer in layers if layer.weights is not None]
    for words in (network.table, *answers[:-1], *weights):
        if words.size and (words.min() < -128 or words.max() > 127):
            raise FormatError("a lab takes words of 8 bits, -128..127, got "
                              f"{words.min()}..{words.max()}")
    return LabNetwork(layers, first, answers)


def _layer(step) -> LabLayer:
    from nets.quantize.integer import IntegerExtreme, IntegerProduct
    from verilog.soc.network import LabLayer

    window = step.window
    places: dict[str, Any]
    if window is None:
        shape, places = (1, 1, step.sizes[0]), {"out": (1, 1)}
    else:
        shape = window.shape
        places = {"out": window.out, "size": window.size, "stride": window.stride,
                  "before": window.before, "reach": window.reach()}
    if isinstance(step, IntegerExtreme):
        return LabLayer(step.name, "greatest", shape, channels=shape[2],
                        least=step.least.astype(int), **places)
    r = step.rescale
    product = isinstance(step, IntegerProduct)
    channels = step.weights.shape[1] if product else shape[2]
    biases = step.biases if product else np.zeros(channels, np.int64)
    columns = np.broadcast_arrays(biases, r.positive, r.negative, r.shift)
    return LabLayer(step.name, "product" if product else "average", shape, channels=channels,
                    zero=step.inputs[0] if product else step.zero,
                    weights=step.weights if product else None, scales=np.stack(columns, axis=1),
                    ends=(r.zero, r.low, r.high), **places)
