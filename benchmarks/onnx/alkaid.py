"""The words of an exported fixed-point perceptron against alkaid's, which traces the same file.

    pip install alkaid==0.8.2
    lnsarith train --dataset digits --arith fixed10.6 --activation relu --hidden 12 --out runs/small
    lnsarith export runs/small small.onnx
    python -m benchmarks.onnx.alkaid small.onnx

alkaid reads no ONNX: nodes are taken one by one from the file and traced as its own arrays,
quantisers as its RND_CONV (half to even) and SAT; of its input it takes words alone, so pixels
are rounded before. Its interpreter of the traced logic then gives the words.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

PIXELS = 16  # values of random pixels


def traced(model, initial):
    """Return alkaid's logic of a model, from its first quantiser on, which is the input's."""
    from alkaid.trace import FVArrayInput, trace

    first, *nodes = model.graph.node
    if first.op_type != "Quant":
        raise ValueError(f"the file begins with {first.op_type}, not with a Quant of its input")
    size = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    x = FVArrayInput((size,))
    values = {first.output[0]: x.quantize(*_kif(first, initial), "WRAP", "TRN")}
    for node in nodes:
        a = values[node.input[0]]
        if node.op_type == "Gemm":
            y = a @ initial[node.input[1]].astype(np.float64) + initial[node.input[2]]
        elif node.op_type == "Relu":
            y = np.maximum(a, 0)
        elif node.op_type == "Quant":
            y = a.quantize(*_kif(node, initial), "SAT", "RND_CONV")
        else:
            raise ValueError(f"{node.op_type} is none of Gemm, Relu, Quant")
        values[node.output[0]] = y
    return trace(x, values[model.graph.output[0].name])


def _kif(node, initial) -> tuple[int, int, int]:
    """Return sign, integer bits and fraction bits of a quantiser's words."""
    scale, bits = (float(np.ravel(initial[node.input[i]])[0]) for i in (1, 3))
    frac = round(-np.log2(scale))
    if 2.0**-frac != scale:
        raise ValueError(f"scale {scale:g} is no power of two")
    return 1, int(bits) - 1 - frac, frac


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--images", type=int, default=500)
    args = parser.parse_args()
    from onnx import numpy_helper

    from nets.graph.run import answers, run
    from nets.importing.onnx_graph import read_onnx

    model, graph = read_onnx(args.file)
    initial = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    rng = np.random.default_rng(0)
    x = rng.integers(0, PIXELS + 1, (args.images, *graph.shape)).astype(np.float32) / PIXELS
    first = model.graph.node[0].output[0]
    words = run(graph, {model.graph.input[0].name: x}, [first])[first]
    begin = time.process_time()
    logic = traced(model, initial)
    print(f"traced in {time.process_time() - begin:.1f} s of the processor: {len(logic.ops)} "
          "operations")
    theirs = logic.predict(words.astype(np.float64))
    ours = answers(graph, x)
    differ = int((theirs.reshape(ours.shape) != ours).sum())
    print(f"{ours.size:,} words of {args.images} inputs, {len(np.unique(ours))} different ones: "
          f"{differ} differ")
    raise SystemExit(bool(differ))


if __name__ == "__main__":
    main()
