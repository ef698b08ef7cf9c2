#!/usr/bin/env bash
# ONNX's reference evaluator normalises as many channels of LRN as the batch has images, and leaves
# the others undivided: with one image, channel 0 alone is normalised. onnxruntime does them all.
# Guess: the reference loops over the channels.
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
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

shape = ["n", 4, 1, 1]
graph = helper.make_graph(
    [helper.make_node("LRN", ["x"], ["y"], size=3, alpha=3.0, beta=0.5, bias=1.0)], "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
session = onnxruntime.InferenceSession(
    model.SerializeToString(), providers=["CPUExecutionProvider"])
for images in (1, 3):
    x = np.ones((images, 4, 1, 1), np.float32)
    for name, y in (("reference", ReferenceEvaluator(model).run(None, {"x": x})[0]),
                    ("onnxruntime", session.run(None, {"x": x})[0])):
        print(f"batch {images}, {name}: {y[0].ravel().round(4).tolist()}")
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
batch 1, reference: [0.5774000287055969, 1.0, 1.0, 1.0]
batch 1, onnxruntime: [0.5774000287055969, 0.5, 0.5, 0.5774000287055969]
batch 3, reference: [0.5774000287055969, 0.5, 0.5, 1.0]
batch 3, onnxruntime: [0.5774000287055969, 0.5, 0.5, 0.5774000287055969]
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
