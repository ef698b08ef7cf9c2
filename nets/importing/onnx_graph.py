"""The graph that an ONNX model is: constants folded, names completed, what cannot run told."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnsarith.host.files.reading import BadFile
from nets.graph.graph import Graph, GraphError, Node, Unsupported, in_order
from nets.graph.operators.quantisers import QUANTISERS
from nets.graph.operators.table import OPERATORS, why_not
from nets.graph.run import run, run_node
from nets.importing.files import attribute, read_model, tensor

__all__ = ["DOMAINS", "graph_of", "read_onnx", "with_domains"]

STANDARD = ("", "ai.onnx")
DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
MOST_NODES, MOST_FOLDED = 100_000, 1 << 24


def with_domains(model):
    """Return the model with its functions in place and an import for every domain that its
    nodes are of: some writers forget it, and QONNX means version 1 then."""
    if model.functions:
        from onnx import inliner

        model = inliner.inline_local_functions(model)
    known = {entry.domain for entry in model.opset_import}
    for domain in {node.domain for node in model.graph.node} - known - {"ai.onnx"}:
        entry = model.opset_import.add()
        entry.domain, entry.version = domain, 1
    return model


def graph_of(model, folder: Path | None = None, shape: tuple[int, ...] = ()) -> Graph:
    """Return the graph of an onnx.ModelProto whose weights may lie in files of a folder.

    shape is that of one input, where the file leaves it open. Raises BadFile for a damaged
    model, GraphError for one that cannot be, Unsupported for one that is not run here.
    """
    g = model.graph
    if len(g.node) > MOST_NODES:
        raise BadFile(f"{len(g.node):,} nodes are more than the {MOST_NODES:,} that are read")
    constants = {t.name: tensor(t, folder) for t in g.initializer}
    if g.sparse_initializer:
        raise Unsupported("sparse tensors are not supported, full ones are")
    inputs = {i.name: _shape(i, shape) for i in g.input if i.name not in constants}
    outputs = tuple(o.name for o in g.output)
    nodes = in_order(_nodes(model, folder), {*constants, *inputs})
    made = {*constants, *inputs, *(name for node in nodes for name in node.outputs)}
    if lost := [name for name in outputs if name not in made]:
        raise GraphError(f"output {lost[0][:60]!r} is given by no node")
    if not outputs or not inputs:
        raise GraphError("the graph has no input or no output")
    graph = _folded(nodes, inputs, outputs, constants)
    return _any_batch(graph) or graph


def _nodes(model, folder) -> list[Node]:
    versions = {entry.domain or "": entry.version for entry in model.opset_import}
    versions.setdefault("", versions.get("ai.onnx", 21))
    used: set[str] = set()
    found = []
    for i, n in enumerate(model.graph.node):
        name = n.name if n.name and n.name not in used else f"{n.op_type}_{i}"
        used.add(name)
        if n.domain not in (*STANDARD, *DOMAINS):
            raise Unsupported(f"node {name} ({n.op_type}): domain {n.domain[:60]!r} is not "
                              f"supported, ONNX's own and {', '.join(DOMAINS)} are")
        if n.op_type not in OPERATORS:
            raise Unsupported(f"node {name} ({n.op_type}): {why_not(n.op_type)}")
        try:
            attributes = {a.name: attribute(a, folder) for a in n.attribute}
        except BadFile as error:
            raise BadFile(f"node {name} ({n.op_type}): {error}") from None
        opset = versions.get(n.domain if n.domain in DOMAINS else "", 1)
        found.append(Node(name, n.op_type, tuple(n.input), tuple(n.output), attributes, opset))
    return found


def _shape(value, given: tuple[int, ...]) -> tuple[int | None, ...]:
    """Return the shape of an input, None for the size of the batch that is left open."""
    if not value.type.HasField("tensor_type"):
        raise Unsupported(f"input {value.name!r} is no tensor: only tensors are supported")
    dims = [d.dim_value if d.HasField("dim_value") else None
            for d in value.type.tensor_type.shape.dim]
    if 0 in dims:
        raise Unsupported(f"input {value.name!r} is of {_told(dims)}: empty tensors are not "
                          "supported")
    if not dims and not given:
        raise GraphError(f"input {value.name!r} has no shape of one input; say it (--shape "
                         "3,32,32)")
    if given:
        rest = dims[1:] or [None] * len(given)
        if len(rest) != len(given) or any(d not in (None, n) for d, n in zip(rest, given)):
            raise GraphError(f"input {value.name!r} is of {_told(dims)}, which "
                             f"{','.join(map(str, given))} does not fit")
        return (dims[0] if dims else None, *given)
    if None in dims[1:]:
        raise GraphError(f"input {value.name!r} is of {_told(dims)}; say the shape of one input "
                         "(--shape 3,32,32)")
    return tuple(dims)


def _told(dims) -> str:
    return " x ".join("?" if d is None else str(d) for d in dims)


def _folded(nodes, inputs, outputs, constants: dict[str, np.ndarray]) -> Graph:
    """Return the graph without nodes that only constants go into, quantisers excepted, and
    without what no output needs."""
    constants, left = dict(constants), []
    for node in nodes:
        fixed = all(name in constants for name in node.inputs if name)
        if fixed and node.op not in QUANTISERS:
            found = run_node(node, constants)
            if sum(v.size for v in found.values()) > MOST_FOLDED:
                raise GraphError(f"node {node}: makes a constant of more than {MOST_FOLDED:,} "
                                 "numbers")
            constants |= found
        else:
            left.append(node)
    needed, kept = set(outputs), []
    for node in reversed(left):
        if needed & set(node.outputs):
            needed |= set(node.inputs)
            kept.append(node)
    used = {name: v for name, v in constants.items() if name in needed}
    return Graph(tuple(reversed(kept)), inputs, outputs, used)


def _any_batch(graph: Graph) -> Graph | None:
    """Return a graph of a fixed batch for one of any size, its reshapes loosened, where that
    gives what the fixed one gives; None where it does not, or the batch is not fixed."""
    size = graph.batch
    if size is None or len(graph.inputs) != 1:
        return None
    constants, nodes = dict(graph.constants), []
    for node in graph.nodes:
        if node.op == "Reshape" and len(node.inputs) == 2 and node.inputs[1] in constants:
            target = np.array(constants[node.inputs[1]])
            if target.ndim == 1 and target.size > 1 and target[0] == size:
                target[0], name = 0, f"{node.inputs[1]}.{node.name}.any"
                constants[name] = target
                node = Node(node.name, node.op, (node.inputs[0], name), node.outputs,
                            {**node.attributes, "allowzero": 0}, node.opset)
        nodes.append(node)
    (name, shape), out = *graph.inputs.items(), graph.outputs[0]
    loose = Graph(tuple(nodes), {name: (None, *shape[1:])}, graph.outputs, constants)
    x = np.random.default_rng(0).random((2 * size, *loose.shape), np.float32)
    try:
        apart = [run(graph, {name: part})[out] for part in (x[:size], x[size:])]
        together = run(loose, {name: x})[out]
    except GraphError:
        return None
    if together.shape[:1] != (2 * size,) or any(len(a) != size for a in apart):
        return None
    whole = np.concatenate(apart)
    reach = np.abs(whole).max(initial=1e-30)
    return loose if np.allclose(together, whole, 1e-4, 1e-5 * reach) else None


def read_onnx(path: Path, shape: tuple[int, ...] = (), output: str | None = None):
    """Return the model in a file, for a judge, and its graph; only the output that is named, or
    the first of floats, and what it needs, are kept. Errors begin with the file's path."""
    from onnx import TensorProto

    model = with_domains(read_model(path))
    names = [o.name for o in model.graph.output]
    if not names:
        raise BadFile(f"{path} has no output")
    floats = [o.name for o in model.graph.output if o.type.tensor_type.elem_type in (
        TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)]
    made = {name for node in model.graph.node for name in node.output}
    if output is not None and output not in made:
        raise GraphError(f"{path}: there is no tensor {output[:60]!r}; its outputs are "
                         f"{', '.join(names)[:200]}")
    chosen = output or next(iter(floats if len(names) > 1 else ()), None) or names[0]
    try:
        _keep(model, chosen)
        return model, graph_of(model, path.parent, shape)
    except Unsupported as error:
        raise Unsupported(f"{path}: {error}") from None
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None
    except BadFile as error:
        text = str(error)
        raise BadFile(text if text.startswith(str(path)) else f"{path}: {text}") from None


def _keep(model, output: str) -> None:
    """Leave of a model one output and the nodes that it needs."""
    makers: dict[str, int] = {}
    for n, node in enumerate(model.graph.node):
        for name in filter(None, node.output):
            if makers.setdefault(name, n) != n:
                raise GraphError(f"tensor {name[:60]!r} is given twice")
    needed: set[int] = set()
    wanted = [output]
    while wanted:
        i = makers.get(wanted.pop())
        if i is not None and i not in needed:
            needed.add(i)
            wanted += model.graph.node[i].input
    kept = [node for i, node in enumerate(model.graph.node) if i in needed]
    if len(model.graph.output) != 1 or model.graph.output[0].name != output:
        found = [o for o in model.graph.output if o.name == output]
        del model.graph.output[:]
        if found:
            model.graph.output.append(found[0])
        else:
            model.graph.output.add().name = output
    del model.graph.node[:]
    model.graph.node.extend(kept)
