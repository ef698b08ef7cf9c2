"""lnsarith eval: how well the model of a run does on test images."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from lnsarith.commands.common.options import add_computing, add_data, add_own
from lnsarith.commands.common.which import imported_folder
from lnsarith.commands.networks.eval.answer import images_for, tell
from lnsarith.commands.networks.eval.exported import is_export, run_export
from lnsarith.commands.networks.eval.imported import add_words, wants_words
from lnsarith.commands.networks.eval.model import open_model

__all__ = ["options", "run"]

def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("run_folder", metavar="RUN", help="a folder of train, prune, quantize or "
                        "import")
    parser.add_argument(
        "--dataset", help="other images of the same size and number of classes"
    )
    parser.add_argument("--layers", action="store_true",
                        help="list the layers by number, name and shape instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_own(parser)
    add_words(parser)
    add_data(parser)
    add_computing(parser)


def run(args: Namespace) -> int:
    """Print the accuracy, and what is taken for what most often."""
    from nets.train.trainer import evaluate

    if imported_folder(args.run_folder) or wants_words(args):
        from lnsarith.commands.networks.eval.imported import run_imported

        return run_imported(args)
    if args.layers:
        return _layers(args)
    if is_export(args.run_folder):
        return run_export(args)
    kept, network, epoch = open_model(args)
    dataset = images_for(args, kept.folder, kept.settings.dataset, kept.data)
    evaluation = evaluate(network, dataset.test_images, dataset.test_labels)
    head = {"run": str(kept.folder), "dataset": dataset.name, "epoch": epoch}
    tell(args, head, dataset, evaluation.predicted, evaluation.loss, kept.model_sha256)
    return 0


def _layers(args: Namespace) -> int:
    """Print what RUN:LAYER of lnsarith spindle fit can name."""
    from nets.layers.window import shown
    from nets.network.spindle_inputs import layer_names, layer_shapes

    kept, network, _ = open_model(args)
    layers = [{"number": i, "name": name, "shape": list(shape)} for i, (name, shape)
              in enumerate(zip(layer_names(network), layer_shapes(network), strict=True))]
    if args.json:
        print(json.dumps({"run": str(kept.folder), "layers": layers}))
    else:
        for layer in layers:
            print(f"{layer['number']:2} {layer['name']:<12} {shown(layer['shape'])}")
    return 0
