"""Whether a graph means what its file means: its answers against those of ONNX's own evaluator.

The evaluator is right from opset 21 on (before, its batch normalisation, soft-max and
dequantisation are not those of the standard), so the file is converted first. QONNX's nodes
are given to it as the standard has them, by code of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nets.graph.graph import Graph, GraphError
from nets.graph.operators.quantisers import QUANTISERS
from nets.graph.run import run, run_node
from nets.importing.files import tensor
from nets.importing.qonnx_rules import rules

__all__ = ["TOLERANCE", "Verdict", "judge"]

TOLERANCE = 1e-5  # of the largest number of a tensor
OPSET = 21


@dataclass(frozen=True)
class Verdict:
    """How far answers differ at most, relative to the largest one, over so many inputs; what
    judged; flips tells of quantisers that a last bit before them made answer otherwise."""

    difference: float
    inputs: int
    judge: str
    flips: bool = False


def judge(model, graph: Graph, folder: Path | None, x: np.ndarray) -> Verdict:
    """Return how a graph's answers to inputs compare with the model's; GraphError, naming the
    first node that differs, where that is by more than TOLERANCE."""
    session, name = _session(model, folder)
    size = graph.batch or _fixed(model, graph) or len(x)
    worst, flips = 0.0, False
    for low in range(0, len(x) - size + 1, size):
        fed = {next(iter(graph.inputs)): x[low : low + size]}
        ours = run(graph, fed)
        theirs = dict(zip(session.output_names, session.run(None, fed)))
        for out in graph.outputs:
            far = _difference(ours[out], theirs[out])
            if far > TOLERANCE and not _agree_alone(graph, session, fed):
                raise GraphError(f"output {out!r} differs from that of {name} by {far:.1e} of the "
                                 "largest number, though no node by itself does")
            flips |= far > TOLERANCE
            worst = max(worst, 0.0 if far > TOLERANCE else far)
    return Verdict(worst, len(x) // size * size, name, flips)


def _fixed(model, graph: Graph) -> int | None:
    """Return the size of a batch that the file has, and the graph may have loosened."""
    entry = next(i for i in model.graph.input if i.name in graph.inputs)
    return (entry.type.tensor_type.shape.dim[0].dim_value or None
            if entry.type.tensor_type.shape.dim else None)


def _session(model, folder):
    """Return the evaluator of a model with its weights, and what it is called."""
    import onnx
    from onnx import numpy_helper, version_converter
    from onnx.reference import ReferenceEvaluator

    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    for t in whole.graph.initializer:
        if t.data_location == onnx.TensorProto.EXTERNAL:
            t.CopyFrom(numpy_helper.from_array(tensor(t, folder), t.name))
    opset = next((e.version for e in whole.opset_import if e.domain in ("", "ai.onnx")), OPSET)
    if opset < OPSET:
        try:
            whole = version_converter.convert_version(_modern(whole, opset), OPSET)
        except Exception as error:  # the converter raises RuntimeError and others
            raise GraphError("the file cannot be checked: onnx does not convert opset "
                             f"{opset} to {OPSET} ({' '.join(str(error).split())[:200]})"
                             ) from error
    for node in whole.graph.node:  # what else is wanted: every tensor between
        for name in node.output:
            if name and name not in {o.name for o in whole.graph.output}:
                whole.graph.output.add().name = name
    try:
        session = ReferenceEvaluator(whole, new_ops=rules())
    except Exception as error:
        raise GraphError("the file cannot be checked: onnx does not take it "
                         f"({' '.join(str(error).split())[:200]})") from error
    return session, f"onnx {onnx.__version__}"


def _modern(model, opset: int):
    """Return a model whose slopes and operands of before opset 7 are broadcast as today."""
    from onnx import numpy_helper

    if opset >= 7:
        return model
    arrays = {t.name: t for t in model.graph.initializer}
    for node in model.graph.node:
        told = {a.name: a.i for a in node.attribute if a.name in ("axis", "broadcast")}
        axis = 1 if node.op_type == "PRelu" else told.get("axis", -1)
        legacy = node.op_type in ("Add", "Sub", "Mul", "Div") and "axis" in told
        t = arrays.get(node.input[1]) if len(node.input) > 1 else None
        if not (legacy or node.op_type == "PRelu") or t is None or len(t.dims) != 1:
            continue
        rank = 4 if axis == 1 else len(t.dims)
        value = numpy_helper.to_array(t).reshape(-1, *[1] * (rank - axis - 1))
        fresh = numpy_helper.from_array(value, f"{t.name}.{node.output[0]}")
        model.graph.initializer.append(fresh)
        node.input[1] = fresh.name
        for a in [a for a in node.attribute if a.name == "axis"]:
            node.attribute.remove(a)
    return model


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference, relative to the largest number; inf for other shapes."""
    if ours.shape != theirs.shape:
        return np.inf
    if not ours.size:
        return 0.0
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    reach = np.abs(b[np.isfinite(b)]).max(initial=0.0) or 1.0
    with np.errstate(invalid="ignore"):
        far = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
    return float(np.inf if np.isnan(far).any() else far.max() / reach)


def _agree_alone(graph: Graph, session, fed) -> bool:
    """Whether every node, given the judge's tensors, gives the judge's; GraphError for the
    first that does not. False without a quantiser: then nothing explains a difference."""
    theirs = {**graph.constants, **fed,
              **dict(zip(session.output_names, session.run(None, fed)))}
    for node in graph.nodes:
        if not all(name in theirs for name in (*filter(None, node.inputs), node.outputs[0])):
            continue
        found = run_node(node, theirs)
        far = _difference(found[node.outputs[0]], theirs[node.outputs[0]])
        if far > TOLERANCE:
            raise GraphError(f"node {node} is the first that differs from onnx's evaluator: by "
                             f"{far:.1e} of its largest number")
    return any(node.op in QUANTISERS for node in graph.nodes)
