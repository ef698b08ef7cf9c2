#!/usr/bin/env bash
# qonnx's execute_onnx takes a dictionary of inputs. A name that the graph does not have is ignored,
# and an input that is not given is all zeros: a spelling mistake gives the network's answer to zero
# and no message. onnxruntime raises for either.
# Guess: an unknown or a missing input is an error.
# Seen 29 November 2026: qonnx 1.0.0, onnx 1.23.2.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check qonnx==1.0.0 onnx==1.23.2 setuptools==65.5.0
got=$("$work/env/bin/python" - 2> "$work/errors" <<'EOF'
import numpy as np
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

graph = helper.make_graph(
    [helper.make_node("Neg", ["x"], ["y"])], "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])])
model = ModelWrapper(helper.make_model(
    graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8))
for name in ("x", "X"):
    answer = execute_onnx(model, {name: np.float32([1, 2])})["y"]
    print(f"given as {name}: {np.abs(answer).tolist()}")
EOF
) || { tail -n 3 "$work/errors"; exit 1; }
echo "$got"
wanted=$(cat <<'EOF'
given as x: [1.0, 2.0]
given as X: [0.0, 0.0]
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
