#!/usr/bin/env bash
# A file may state any opset that the standard has, and onnxruntime has no code for some operators of
# the oldest ones: a BatchNormalization of opset 6 and an Add of opset 6 are refused when the session
# is made, a Conv or Relu of the same opset runs. The checker of ONNX accepts all four.
# Guess: onnxruntime runs what the checker accepts.
# Seen 29 November 2026: onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
got=$("$work/env/bin/python" - <<'EOF'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CASES = {"BatchNormalization": (4, {"is_test": 1}), "Add": (1, {}), "Conv": (1, {}), "Relu": (0, {})}
for kind, (count, attributes) in CASES.items():
    names = [f"c{i}" for i in range(count)]
    shape = [1, 1, 1, 1] if kind in ("Conv", "Add") else [1]
    constants = [numpy_helper.from_array(np.ones(shape, np.float32), n) for n in names]
    sizes = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, 1, 1]) for n in "xy"]
    inputs = [sizes[0]] + [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in names]
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", *names], ["y"], **attributes)], "g", inputs, sizes[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 6)], ir_version=3)
    onnx.checker.check_model(model)
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        verdict = "runs"
    except Exception as error:
        verdict = "NOT_IMPLEMENTED" if "NOT_IMPLEMENTED" in str(error) else type(error).__name__
    print(f"opset 6 {kind}: {verdict}")
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
opset 6 BatchNormalization: NOT_IMPLEMENTED
opset 6 Add: NOT_IMPLEMENTED
opset 6 Conv: runs
opset 6 Relu: runs
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
