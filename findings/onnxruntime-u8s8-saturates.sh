#!/usr/bin/env bash
# Products of unsigned by signed bytes, MatMulInteger's and those of a QDQ network of uint8 activations
# and int8 weights, are summed up in 16 bits by pairs where an x86 processor has AVX2 and no VNNI, and
# saturate there: 64 products of 255 and 127 come to 64 / 2 * 32767. Two int8 or two uint8 operands are
# exact. The QDQ network is right without graph optimisations, for it is in floats then; with the
# defaults its 64 x 1 x 1 comes to half. ONNX's reference evaluator gives the exact sums.
# OpenVINO's documentation describes the same of its own 8-bit kernels, and that VNNI has it not
# (docs.openvino.ai, "Saturation (overflow) issue workaround"); with VNNI this was not run.
# Guess: MatMulInteger, whose sums are int32, is exact everywhere, and a graph's optimiser keeps values.
# Seen 30 November 2026: onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6, AMD Zen 3.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
got=$("$work/env/bin/python" 2>"$work/log" - <<'EOF'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

OFF, ON = (getattr(ort.GraphOptimizationLevel, f"ORT_{x}_ALL") for x in ("DISABLE", "ENABLE"))


def model(nodes, constants, kind, out):
    x, y = (helper.make_tensor_value_info(n, t, s)
            for n, t, s in (("x", kind, [4, 64]), ("y", out, [4, 16])))
    given = [numpy_helper.from_array(v, n) for n, v in constants.items()]
    return helper.make_model(helper.make_graph(nodes, "g", [x], [y], given),
                             opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def runs(m, x, level=ON):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    session = ort.InferenceSession(m.SerializeToString(), options, ["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0][0, 0]


for a, b in (("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")):
    x, w = (np.full(s, np.iinfo(t).max, t) for s, t in (((4, 64), a), ((64, 16), b)))
    m = model([helper.make_node("MatMulInteger", ["x", "w"], ["y"])], {"w": w},
              helper.np_dtype_to_tensor_dtype(x.dtype), TensorProto.INT32)
    print(a, b, runs(m, x), "exact", int(x[0].astype(int) @ w[:, 0].astype(int)))

node = helper.make_node
qdq = model(
    [node("QuantizeLinear", ["x", "sx", "zx"], ["xq"]),
     node("DequantizeLinear", ["xq", "sx", "zx"], ["xd"]),
     node("DequantizeLinear", ["w", "sw", "zw"], ["wd"]), node("MatMul", ["xd", "wd"], ["f"]),
     node("QuantizeLinear", ["f", "sy", "zx"], ["fq"]),
     node("DequantizeLinear", ["fq", "sy", "zx"], ["y"])],
    {"w": np.full((64, 16), 127, np.int8), "sx": np.float32(1 / 255), "zx": np.uint8(0),
     "sw": np.float32(1 / 127), "zw": np.int8(0), "sy": np.float32(64 / 255)},
    TensorProto.FLOAT, TensorProto.FLOAT)
ones = np.ones((4, 64), np.float32)
print("QDQ as it stands", round(float(runs(qdq, ones, OFF)), 2), "optimised",
      round(float(runs(qdq, ones)), 2), "reference",
      round(float(ReferenceEvaluator(qdq).run(None, {"x": ones})[0][0, 0]), 2))
EOF
)
echo "$got"
saturated=1048544 half=32.38
if [ "$(uname -m)" != x86_64 ] || grep -qE ' avx(512)?_vnni' /proc/cpuinfo; then
    saturated=2072640 half=64.0
fi
wanted=$(cat <<EOF
uint8 int8 $saturated exact 2072640
uint8 uint8 4161600 exact 4161600
int8 int8 1032256 exact 1032256
QDQ as it stands 64.0 optimised $half reference 64.0
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
