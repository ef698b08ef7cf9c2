#!/usr/bin/env bash
# Softmax of opset 1 to 12 normalises over all axes from `axis` on (default 1), as if the input were
# a matrix; from 13 on over one axis (default -1). ONNX's reference evaluator applies the new rule
# to old files: on an input of three axes its rows sum to one each, where the file's meaning is that
# all of an image sums to one. After conversion to opset 21 it answers as onnxruntime does.
# Guess: an evaluator that reads `opset_import` applies that opset's rule.
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
from onnx import TensorProto, helper, version_converter
from onnx.reference import ReferenceEvaluator

graph = helper.make_graph(
    [helper.make_node("Softmax", ["x"], ["y"])], "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 2])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 2])])
old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
x = np.zeros((1, 4, 2), np.float32)
session = onnxruntime.InferenceSession(
    old.SerializeToString(), providers=["CPUExecutionProvider"])
print("opset 11, reference: sum", ReferenceEvaluator(old).run(None, {"x": x})[0].sum())
print("opset 11, onnxruntime: sum", session.run(None, {"x": x})[0].sum())
new = version_converter.convert_version(old, 21)
print("converted to 21, reference: sum", ReferenceEvaluator(new).run(None, {"x": x})[0].sum())
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
opset 11, reference: sum 4.0
opset 11, onnxruntime: sum 1.0
converted to 21, reference: sum 1.0
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
