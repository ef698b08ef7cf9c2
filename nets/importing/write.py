"""Graphs as ONNX files: standard operators, and QONNX's in their domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnsarith.host.files.whole import write_whole
from nets.graph.graph import Graph, GraphError
from nets.graph.operators.quantisers import QUANTISERS

__all__ = ["model_of", "write_onnx"]

QONNX = "qonnx.custom_op.general"
STANDARD = ("QuantizeLinear", "DequantizeLinear")
IR = 10  # of opset 21


def model_of(graph: Graph, name: str, note: str, about: dict[str, str]):
    """Return the onnx.ModelProto of a graph; note says what it holds, about goes with it.

    GraphError for nodes of different opsets, which no file can have.
    """
    import onnx
    from onnx import helper, numpy_helper

    special = {n.op for n in graph.nodes} & set(QUANTISERS) - set(STANDARD)
    opsets = {n.opset for n in graph.nodes if n.op not in special}
    if len(opsets) > 1:
        raise GraphError(f"nodes of opsets {sorted(opsets)} are in one graph")
    opset = opsets.pop() if opsets else 21
    nodes = [helper.make_node(n.op, n.inputs, n.outputs, n.name,
                              domain=QONNX if n.op in special else "",
                              **{k: _stored(v) for k, v in n.attributes.items()})
             for n in graph.nodes]
    inputs = [helper.make_tensor_value_info(k, onnx.TensorProto.FLOAT, ["batch" if d is None else d
                                                                        for d in shape])
              for k, shape in graph.inputs.items()]
    outputs = [helper.make_tensor_value_info(k, onnx.TensorProto.FLOAT, None)
               for k in graph.outputs]
    stored = [numpy_helper.from_array(np.ascontiguousarray(v).reshape(np.shape(v)), k)
              for k, v in graph.constants.items()]
    made = helper.make_graph(nodes, name, inputs, outputs, stored, note)
    imports = [helper.make_opsetid("", opset)]
    if special:
        version = max((n.opset for n in graph.nodes if n.op in special), default=1)
        imports.append(helper.make_opsetid(QONNX, version))
    model = helper.make_model(made, opset_imports=imports, producer_name="lnsarith",
                              ir_version=IR if opset <= 21 else helper.find_min_ir_version_for(
                                  imports, True))
    model.doc_string = note
    helper.set_model_props(model, about)
    return model


def _stored(value):
    if isinstance(value, np.ndarray):
        from onnx import numpy_helper

        return numpy_helper.from_array(value)
    return value


def write_onnx(path: Path, model) -> None:
    """Write a model whole or not at all."""
    write_whole(path, lambda part: part.write_bytes(model.SerializeToString(deterministic=True)))
