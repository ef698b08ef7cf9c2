"""Small ONNX models made node by node, for tests."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

__all__ = ["model", "residual"]


def model(nodes, shape, out, constants, opset=21, imports=(), batch="n"):
    """Return a ModelProto of one input x and the outputs named; nodes are (op, inputs, outputs,
    attributes[, domain])."""
    made = [helper.make_node(op, ins, outs, f"{op.lower()}{i}", domain=rest[0] if rest else "",
                             **attributes)
            for i, (op, ins, outs, attributes, *rest) in enumerate(nodes)]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])
    exits = [helper.make_tensor_value_info(name, kind, None)
             for name, kind in ((o, TensorProto.FLOAT) if isinstance(o, str) else o for o in out)]
    stored = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(made, "test", [entry], exits, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), *(
        helper.make_opsetid(*pair) for pair in imports)])


def residual(seed=0, side=12):
    """Return a model with branches: strides, asymmetric padding, groups, dilation, batch norm,
    pooling of both kinds, a concatenation and a soft-max."""
    r = np.random.default_rng(seed)

    def real(*shape, scale=0.4):
        return (scale * r.standard_normal(shape)).astype(np.float32)

    norm = {"g": 1 + real(8, scale=0.2), "h": real(8), "m": real(8),
            "v": 1 + r.random(8, np.float32)}
    constants = {
        "w1": real(8, 3, 3, 3), "b1": real(8), "w2": real(8, 1, 3, 3), "w3": real(8, 8, 1, 1),
        "w4": real(4, 4, 3, 3), "w5": real(12, 10), "b5": real(10), **norm,
        "low": np.float32(0), "high": np.float32(6), "form": np.array([0, -1]),
        "factor": 1 + real(1, 8, 1, 1, scale=0.1)}
    nodes = [
        ("Conv", ["x", "w1", "b1"], ["a"], {"strides": [2, 2], "pads": [0, 0, 1, 1]}),
        ("BatchNormalization", ["a", "g", "h", "m", "v"], ["a2"], {"epsilon": 1e-3}),
        ("Clip", ["a2", "low", "high"], ["a3"], {}),
        ("Conv", ["a3", "w2"], ["c"], {"group": 8, "pads": [1, 1, 1, 1]}),
        ("HardSwish", ["c"], ["c2"], {}),
        ("Conv", ["a3", "w3"], ["d"], {}),
        ("Mul", ["d", "factor"], ["d1"], {}),
        ("Add", ["c2", "d1"], ["s"], {}),
        ("LeakyRelu", ["s"], ["s2"], {"alpha": 0.05}),
        ("MaxPool", ["s2"], ["p"], {"kernel_shape": [3, 3], "strides": [2, 2],
                                    "pads": [1, 1, 1, 1]}),
        ("Split", ["p"], ["q1", "q2"], {"axis": 1, "num_outputs": 2}),
        ("Conv", ["q1", "w4"], ["q3"], {"dilations": [2, 2], "pads": [2, 2, 2, 2]}),
        ("AveragePool", ["q2"], ["q4"], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("Concat", ["q3", "q4", "q1"], ["r"], {"axis": 1}),
        ("Relu", ["r"], ["r2"], {}),
        ("GlobalAveragePool", ["r2"], ["t"], {}),
        ("Reshape", ["t", "form"], ["u"], {}),
        ("Gemm", ["u", "w5", "b5"], ["z"], {}),
        ("Softmax", ["z"], ["y"], {}),
    ]
    return model(nodes, (3, side, side), ["y"], constants)
