#!/usr/bin/env bash
# ONNX's own reference evaluator gives another answer for one BatchNormalization, depending on the
# opset that the file states. In a file of opset 9 (no training attribute exists there, inference is
# the only reading) the answer leans on the mean and variance of the batch; the same node after
# conversion to opset 21, and onnxruntime on either file, use the stored mean and variance alone.
# Guess: the reference evaluator is the judge, whatever opset a file has.
# Seen 29 November 2026: onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
got=$("$work/env/bin/python" - <<'EOF'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnx.reference import ReferenceEvaluator

constants = dict(scale=[1.0], bias=[0.0], mean=[10.0], var=[4.0])
graph = helper.make_graph(
    [helper.make_node("BatchNormalization", ["x", *constants], ["y"], epsilon=0.0)], "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 1, 1, 1])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 1, 1, 1])],
    [numpy_helper.from_array(np.float32(v), k) for k, v in constants.items()])
old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=6)
new = version_converter.convert_version(old, 21)
x = np.float32([10, 14]).reshape(2, 1, 1, 1)
for name, model in (("9", old), ("21", new)):
    reference = ReferenceEvaluator(model).run(None, {"x": x})[0].ravel()
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"])
    print(f"opset {name}: reference {reference.round(4).tolist()},",
          f"onnxruntime {session.run(None, {'x': x})[0].ravel().round(4).tolist()}")
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
opset 9: reference [-0.10000000149011612, 1.899999976158142], onnxruntime [0.0, 2.0]
opset 21: reference [0.0, 2.0], onnxruntime [0.0, 2.0]
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
