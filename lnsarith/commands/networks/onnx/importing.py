"""lnsarith import: take over a network from an ONNX file, and hold it against a judge."""

from __future__ import annotations

import hashlib
import json
import re
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from fxp.text.numbers import real
from lnsarith.commands.common.options import integer

__all__ = ["add_preparation", "options", "preparation", "run"]

INPUTS = 8  # that answers are compared on


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = ("The folder runs with lnsarith eval and predict, in float32 and in any "
                     "arithmetic, and goes out again with lnsarith export.")
    parser.add_argument("file", metavar="FILE.onnx", help="an ONNX or QONNX file; weights beside "
                        "it are read from its folder alone")
    parser.add_argument("--out", metavar="RUN", help="folder to write (default runs/NAME)")
    parser.add_argument("--name", help="what the network is called (default: the file's name)")
    parser.add_argument("--shape", metavar="N,N,N", help="of one input, where the file leaves it "
                        "open: 3,32,32")
    parser.add_argument("--output", metavar="TENSOR", help="the tensor that has the scores "
                        "(default: the first output of floats)")
    parser.add_argument("--inputs", metavar="N", default=str(INPUTS), help="random inputs that "
                        f"answers are compared on (default {INPUTS})")
    add_preparation(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_preparation(parser) -> None:
    """Add what is done to pixels before a network sees them."""
    group = parser.add_argument_group("inputs", "A pixel is v / 255, a feature what it is.")
    group.add_argument("--input-mean", metavar="X[,X,X]", help="what is taken from it, one number "
                       "or one for each channel (default 0)")
    group.add_argument("--input-scale", metavar="X[,X,X]", help="what it is multiplied with after "
                       "that (default 1; 255 for a network of pixels 0..255)")
    group.add_argument("--channel-order", choices=("rgb", "bgr"), help="of the channels (default "
                       "rgb)")


def preparation(args: Namespace, kept=None):
    """Return how inputs are prepared: as options say, else as kept."""
    from nets.graph.inputs import Preparation

    kept = kept or Preparation()
    return Preparation(_reals("input-mean", args.input_mean) or kept.mean,
                       _reals("input-scale", args.input_scale) or kept.scale,
                       args.channel_order or kept.order)


def _reals(name: str, text: str | None) -> tuple[float, ...]:
    return tuple(float(real(name, part)) for part in text.split(",")) if text else ()


def run(args: Namespace) -> int:
    """Read, judge and write a network, and say what it is."""
    from nets.graph.folder import write_graph
    from nets.graph.head import scores_of
    from nets.graph.run import answers
    from nets.importing.onnx_graph import read_onnx

    path, count = Path(args.file), integer("inputs", args.inputs)
    shape = tuple(integer("shape", n) for n in args.shape.split(",")) if args.shape else ()
    how = preparation(args)
    model, graph = read_onnx(path, shape, args.output)
    x = _trials(graph, how, max(1, count))
    verdict = _judged(model, graph, path, x)
    scores = answers(scores_of(graph), x)
    classes = int(np.prod(scores.shape[1:]))
    name = args.name or re.sub(r"[^A-Za-z0-9.]+", "-", path.stem).strip("-.") or "network"
    about = {"name": name, "classes": max(1, classes), "shape": list(graph.shape),
             "source": {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
             "judged": {"by": verdict.judge, "inputs": verdict.inputs,
                        "difference": verdict.difference, "flips": verdict.flips}}
    folder = Path(args.out) if args.out else Path("runs") / name
    write_graph(folder, graph, about, how)
    weights = sum(v.size for v in graph.constants.values())
    ops: dict[str, int] = {}
    for node in graph.nodes:
        ops[node.op] = ops.get(node.op, 0) + 1
    result = {"run": str(folder), **about, "nodes": len(graph.nodes), "operators": ops,
              "weights": weights, "batch": graph.batch}
    print(json.dumps(result, allow_nan=False) if args.json else _text(result))
    return 0


def _trials(graph, how, count: int) -> np.ndarray:
    """Return random inputs: half of pixels as prepared, half normal."""
    from nets.graph.inputs import prepared

    rng, size = np.random.default_rng(0), graph.batch or 1
    count = -(-count // (2 * size)) * 2 * size
    pixels = rng.integers(0, 256, (count // 2, *graph.shape)).astype(np.float32) / 255
    normal = rng.standard_normal((count - len(pixels), *graph.shape), np.float32)
    try:
        pixels = prepared(pixels, graph.shape, how)
    except ValueError as error:
        raise ValueError(f"inputs cannot be prepared so: {error}") from None
    return np.concatenate([pixels, normal])


def _judged(model, graph, path: Path, x: np.ndarray):
    from nets.graph.graph import GraphError
    from nets.importing.judge import judge

    try:
        return judge(model, graph, path.parent, x)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error


def _text(result: dict) -> str:
    judged = result["judged"]
    ops = ", ".join(f"{op} {n}" for op, n in sorted(result["operators"].items(),
                                                   key=lambda row: -row[1]))
    size = f"of {result['batch']} at a time" if result["batch"] else "of any number"
    flips = ("; a last bit decides some of its quantisers otherwise, each node by itself agrees"
             if judged["flips"] else "")
    return "\n".join([
        f"{result['name']}: inputs of {' x '.join(map(str, result['shape']))}, {size}, "
        f"{result['classes']} classes, {result['weights']:,} constants",
        f"nodes: {ops}",
        f"answers within {judged['difference']:.1e} of the largest, judged by {judged['by']} on "
        f"{judged['inputs']} inputs{flips}",
        result["run"]])
