"""The xnor unit fed with a dense layer of a binary network, judged by the packed bits."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verilog.design.design import Design

__all__ = ["bits_design"]


def bits_design(args: Namespace, kept, network) -> Design:
    """Return the xnor unit; its words are the layer's, its answers the counts of the
    network in bits. FormatError or DataError for what cannot be."""
    from fxp.format import FormatError
    from lnsarith.commands.operators.check import given_options
    from verilog.catalogue import design, find_row
    from verilog.units.bit_layer import feed_bits
    from verilog.units.catalogue import Unit

    row = find_row(args.op, "fixed")
    if not isinstance(row, Unit) or row.shape != "xnor-unit":
        raise FormatError(f"a layer of binary arithmetic runs on xnor-unit, not on {row.name}")
    layer = _layer(args, kept, network)
    bits = design(row.name, args.arith).inputs["a"][1].bit_length()
    depth = {"depth": str(-(-layer.a.shape[1] // bits))}
    unit = design(row.name, args.arith, {**depth, **given_options(args.option, args.delta)})
    if max(layer.thresholds.max(), layer.counts.max()) > unit.inputs["threshold"][1]:
        raise FormatError(f"the layer counts up to {layer.a.shape[1]:,} bits; the unit takes "
                          f"{unit.inputs['threshold'][1]:,}: leave --option depth out")
    return feed_bits(unit, layer)


def _layer(args: Namespace, kept, network):
    """Return the bits of the layer: inputs, rows, thresholds (0 of the last) and counts."""
    import numpy as np

    from fxp.format import FormatError
    from fxp.run.popcount import BitLayer as Kernel
    from nets.binary.fold import fold
    from nets.binary.windows import unpacked
    from nets.data.sets import load
    from nets.network.evaluation import flat
    from verilog.units.bit_layer import BitLayer

    packed = fold(network)
    dense = [i for i, layer in enumerate(packed.layers) if layer.window is None]
    if not 0 <= args.layer < len(dense):
        raise FormatError(f"layer must be 0..{len(dense) - 1}, got {args.layer}")
    layer = packed.layers[dense[args.layer]]
    if layer.planes != 1:
        raise FormatError("the unit takes one bit a number, and this layer pixels of "
                          f"{layer.planes}; give a later --layer")
    images = flat(load(kept.settings.dataset, args.data_dir).test_images)
    if not 1 <= args.images <= len(images):
        raise FormatError(f"images must be 1..{len(images)}, got {args.images}")
    words = packed.answers(images[: args.images])[dense[args.layer]]
    counts = layer.span - Kernel(layer.rows)(words).astype(np.int64)
    own = layer.thresholds
    return BitLayer(unpacked(words, layer.depth), unpacked(layer.rows, layer.depth),
                    np.zeros(layer.units, np.int64) if own is None else own, counts)
