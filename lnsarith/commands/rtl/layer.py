"""A unit fed with a layer of a trained network, judged by the engine that trained it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verilog.design.design import Design

__all__ = ["add_layer", "layer_design", "own_options"]


def add_layer(parser: ArgumentParser) -> None:
    """Add --run, --layer, --images."""
    group = parser.add_argument_group("a layer of a trained network instead of random words")
    group.add_argument("--run", dest="run_folder", metavar="RUN",
                       help="a folder that lnsarith train made; OP is mac-unit or systolic, of a "
                       "binary network xnor-unit")
    group.add_argument("--layer", type=int, default=0, metavar="N",
                       help="which dense layer, from 0")
    group.add_argument("--images", type=int, default=8, metavar="N",
                       help="how many test images (default 8)")
    group.add_argument("--data-dir", metavar="DIR", help="folder of the data sets")


def layer_design(args: Namespace) -> Design:
    """Return the unit args.op in the arithmetic of the run; its words are the layer's
    inputs, weights and biases, its answers the engine's. FormatError, RunError or
    DataError for what cannot be."""
    from fxp.format import FormatError
    from lnsarith.commands.networks.eval.model import open_model
    from lnsarith.commands.operators.check import given_options
    from lnsarith.commands.rtl.bits import bits_design
    from verilog.catalogue import design, find_row
    from verilog.units.catalogue import Unit
    from verilog.units.layer import Layer, feed

    kept, network, _ = open_model(Namespace(run_folder=args.run_folder, threads="1",
                                            backend="vector"))
    settings = kept.settings
    if settings.binary:
        return bits_design(args, kept, network)
    a, w, bias, out = _layer_words(args, kept, network)
    if settings.selects:
        raise FormatError(f"a layer of {settings.arith} scales its sums, which no unit does yet; "
                          "give a run of another arithmetic")
    formats = {settings.format(role) for role in ("weights", "activations")}
    if len(formats) != 1:
        raise FormatError("weights and activations of different formats have no unit: "
                          + ", ".join(sorted(map(str, formats))))
    f = formats.pop()
    own = own_options(settings, f)
    row = find_row(args.op, "lns" if hasattr(f, "zero") else "fixed")
    if not isinstance(row, Unit) or row.shape not in ("mac-unit", "systolic"):
        raise FormatError(f"a layer runs on a mac-unit or a systolic array, not on {row.name}")
    options = {**own, **given_options(args.option, args.delta)}
    unit = design(row.name, str(f), options, memories=args.memh, called=args.name)
    mac = row.mac(f, row.settings(options))
    exact = options.get("guard", "0") == "0" and options.get("kind", "each") == "each"
    layer = Layer(a, w, bias, out, mac.zero_word, _one(f), mac.multiply if exact else None)
    return feed(unit, row.shape, layer, str(options.get("stationary", "output")))


def _layer_words(args: Namespace, kept, network):
    """Return inputs, weights, biases and outputs of a layer as words."""
    import numpy as np

    from fxp.format import FormatError
    from nets.data.sets import load

    dense = [i for i, layer in enumerate(network.layers) if set(layer.parameters()) == {"w", "b"}]
    if not 0 <= args.layer < len(dense):
        raise FormatError(f"layer must be 0..{len(dense) - 1}, got {args.layer}")
    images = load(kept.settings.dataset, args.data_dir).test_images
    if not 1 <= args.images <= len(images):
        raise FormatError(f"images must be 1..{len(images)}, got {args.images}")
    program = network.program(args.images, False)
    program.run(images[: args.images].reshape(args.images, -1),
                np.zeros(args.images, np.int64))
    at = dense[args.layer]
    if program.values[at + 1].role == "logits" and kept.settings.logits:
        raise FormatError(f"the last layer's sums are words of {kept.settings.logits}, and a unit "
                          "has one format; give another --layer, or a run without --logits")
    ar, own = network.ar, network.layers[at].parameters()
    tensors = program.values[at], own["w"], own["b"], program.values[at + 1]
    a, w, bias, out = (ar.words(t).astype(np.int64) for t in tensors)
    return a, w, bias[0], out


def own_options(settings, f) -> dict[str, str]:
    """Return the options of a unit that computes as the run does."""
    from fxp.format import FormatError

    if hasattr(f, "zero"):
        if settings.order == "tree":
            raise FormatError("a unit adds one product after the other; the run has order "
                              f"{settings.order}")
        if settings.register_bits:
            raise FormatError("a unit's register has the integer bits of a word; the run has "
                              f"register_bits {settings.register_bits}")
        return {"delta": settings.delta, "guard": str(settings.guard),
                "underflow": settings.underflow}
    kind = settings.accumulator
    if kind.startswith("limited"):
        return {"kind": "limited", "bits": kind[7:]}
    if kind == "exact" and 2 * f.bits > 44:
        return {"kind": "limited", "bits": "62"}
    return {"kind": kind}


def _one(f) -> int:
    return 0 if hasattr(f, "zero") else 1 << f.frac
