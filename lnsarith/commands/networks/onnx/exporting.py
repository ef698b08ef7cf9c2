"""lnsarith export: a trained or imported network as an ONNX file."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from lnsarith.commands.common.options import add_computing
from lnsarith.commands.common.which import imported_folder

__all__ = ["options", "run", "trained_graph"]

BOUND = 1 << 24  # whole numbers that float32 holds
KINDS = {"float": "the float twin: weights are the values of the run's words, sums are floats",
         "qonnx": "QONNX: a quantiser behind every sum says the run's words"}


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("run_folder", metavar="RUN", help="a folder of train, prune or import")
    parser.add_argument("file", metavar="FILE.onnx", help="file to write")
    parser.add_argument("--kind", choices=tuple(KINDS), help="; ".join(
        f"{k}: {v}" for k, v in KINDS.items()) + " (default qonnx for fixed point, else float)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_computing(parser)


def run(args: Namespace) -> int:
    """Write the file, judge it, and say what it holds and what it cannot say."""
    from nets.importing.judge import judge
    from nets.importing.write import model_of, write_onnx

    graph, kind, about, limits = _made(args)
    note = f"{KINDS.get(kind, 'as it was imported')}. {' '.join(limits)}".strip()
    model = model_of(graph, about["name"], note, about)
    x = np.random.default_rng(0).random((4 * (graph.batch or 1), *graph.shape), np.float32)
    verdict = judge(model, graph, None, x)
    write_onnx(Path(args.file), model)
    result = {"run": args.run_folder, "file": args.file, "kind": kind, "limits": limits,
              "nodes": len(graph.nodes), "judged": {"by": verdict.judge, "inputs": verdict.inputs,
                                                    "difference": verdict.difference}}
    told = [f"{args.file}: {len(graph.nodes)} nodes, {note}",
            f"answers within {verdict.difference:.1e} of the largest, judged by {verdict.judge}"]
    print(json.dumps(result) if args.json else "\n".join(told))
    return 0


def trained_graph(args: Namespace):
    """Return the graph of a trained run, how its inputs are prepared, the facts of its data and
    the name of its data set."""
    graph, _, how, kept = _trained(args)
    return graph, how, kept.data, kept.settings.dataset


def _trained(args: Namespace, words: bool = False):
    from lnsarith.commands.networks.eval.model import open_model
    from nets.graph.inputs import Preparation
    from nets.graph.trained import graph_of_network
    from nets.settings.settings import parse_real

    kept, network, _ = open_model(args)
    graph = graph_of_network(network, tuple(kept.data["shape"]), words)
    s = kept.settings
    how = Preparation((float(parse_real("input_mean", s.input_mean)),),
                      (float(parse_real("input_scale", s.input_scale)),))
    return graph, network.ar, how, kept


def _made(args: Namespace):
    """Return the graph to write, its kind, what goes with it, and the limits to be said."""
    from fxp.format import Fixed
    from nets.graph.folder import read_graph

    name = Path(args.run_folder).name
    if imported_folder(args.run_folder):
        if args.kind:
            raise ValueError(f"{args.run_folder} was imported and goes out as it came: leave "
                             "--kind out")
        graph, _, how = read_graph(Path(args.run_folder))
        return graph, "imported", {"name": name, "input": json.dumps(how.as_dict())}, []
    graph, ar, how, _ = _trained(args)
    f = ar.formats["activations"]
    kind = args.kind or ("qonnx" if isinstance(f, Fixed) and _sayable(ar, graph) else "float")
    limits = []
    if kind == "qonnx":
        graph, ar, how, _ = _trained(args, True)
        most = _most(graph, f, ar.formats["weights"])
        if most > BOUND:
            limits.append(f"Sums reach {most:.2g} units of their last place, beyond 2^24: "
                          "executors in float32 round some of them otherwise; evaluate in double.")
    elif not isinstance(f, str):
        limits.append(f"The run computes in {f}: the file holds the values of its words, and "
                      "its sums are floats.")
    about = {"name": name, "arith": ar.settings.arith, "input": json.dumps(how.as_dict())}
    return graph, kind, about, limits


def _sayable(ar, graph) -> bool:
    """Whether quantisers can say the words of a network."""
    plain = not {n.op for n in graph.nodes} & {"BatchNormalization", "PRelu"}
    return plain and ar.settings.accumulator == "exact" and not ar.settings.selects


def _most(graph, f, g) -> float:
    """Return the greatest sum of products of words of formats f and g that can be, in units of its
    last place."""
    most = 0.0
    for node in graph.nodes:
        if node.op in ("Gemm", "Conv"):
            w, b = (np.abs(graph.constants[k].astype(np.float64)) if k else np.zeros(1)
                    for k in (*node.inputs, "")[1:3])
            axes = 0 if node.op == "Gemm" else tuple(range(1, w.ndim))
            sums = w.sum(axis=axes) * f.high * f.eps + b
            most = max(most, float(sums.max() / f.eps / g.eps))
    return most
