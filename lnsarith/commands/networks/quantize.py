"""lnsarith quantize: make a trained network one of integers, and say what that costs."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.common.options import add_computing, add_data, integer, share
from lnsarith.commands.networks.eval.answer import images_for
from lnsarith.commands.networks.eval.model import open_model

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = ("The folder runs with lnsarith eval and predict. Weights are symmetric, "
                     "activations affine, sums of 32 bits are rescaled by a multiplier and a "
                     "shift (Jacob et al., CVPR 2018); batch normalisation is folded in.")
    parser.add_argument("run_folder", metavar="RUN", help="a folder that train made")
    parser.add_argument("--per", metavar="WHAT", default="channel",
                        help="a scale of weights for each channel (default) or each tensor")
    parser.add_argument("--bits", metavar="N", default="8",
                        help="of weights and activations, 2..8 (default 8)")
    parser.add_argument("--images", metavar="N", default="1000",
                        help="training images that ranges are taken from (default 1000)")
    parser.add_argument("--coverage", metavar="SHARE", default="1",
                        help="share of the numbers that a range holds (default 1: all)")
    parser.add_argument("--out", metavar="DIR", help="folder to write (default RUN/intN)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(parser)
    add_computing(parser)


def run(args: Namespace) -> int:
    """Quantise, write the folder, and print both accuracies."""
    from nets.network.evaluation import flat
    from nets.quantize.folder import GOLDEN, write_integers
    from nets.quantize.network import quantize
    from nets.train.trainer import evaluate

    bits, count = integer("bits", args.bits), integer("images", args.images)
    if count < 1:
        raise ValueError(f"images must be 1 or more, got {count}")
    coverage = share("coverage", args.coverage)
    kept, network, epoch = open_model(args)
    args.dataset = None
    data = images_for(args, kept.folder, kept.settings.dataset, kept.data)
    made = quantize(network, flat(data.train_images[:count]), args.per, bits, coverage)
    folder = Path(args.out) if args.out else kept.folder / f"int{bits}"
    images = flat(data.test_images)
    about = {"run": kept.folder.name, "dataset": data.name, "arith": kept.settings.arith,
             "shape": kept.data["shape"], "classes": kept.data["classes"], "epoch": epoch,
             "per": args.per, "bits": bits, "model_sha256": kept.model_sha256}
    manifest = write_integers(folder, made, about, images[:GOLDEN])
    before = evaluate(network, images, data.test_labels).predicted
    after = made.predict(images)
    labels = data.test_labels
    result = {
        "run": str(kept.folder), "folder": str(folder), "dataset": data.name,
        "arith": kept.settings.arith, "per": args.per, "bits": bits, "images": len(labels),
        "original_accuracy": float((before == labels).mean()),
        "test_accuracy": float((after == labels).mean()),
        "same_class": float((before == after).mean()),
        "weights": sum(row.get("depth", 0) * row.get("channels", 0)
                       for row in manifest["layers"]),
    }
    print(json.dumps(result) if args.json else _text(result))
    return 0


def _text(r: dict) -> str:
    return "\n".join([
        f"{r['run']} on {r['dataset']}: {r['images']:,} test images",
        f"{r['arith']:8} test accuracy {r['original_accuracy']:.2%}",
        f"{'int' + str(r['bits']):8} test accuracy {r['test_accuracy']:.2%}, the same class for "
        f"{r['same_class']:.2%}",
        f"{r['folder']}: {r['weights']:,} weights of {r['bits']} bits, a scale for each "
        f"{r['per']}",
    ])
