"""Quantised files that others wrote, tensor by tensor against the executor of qonnx.

    pip install '.[onnx]' torch==2.13.0 onnxscript onnxoptimizer brevitas==0.13.4 qonnx==1.0.0
    pip download --no-deps finn-plus-tests==1.6.0
    python -m benchmarks.onnx.quantised --finn finn_plus_tests-1.6.0-py3-none-any.whl

A perceptron and a convolutional network with weights and activations of 4 bits are trained with
Brevitas on the digits and exported: the imported answers against Brevitas' own, to all test
images. The models that ship in qonnx, up to what is not supported, and FINN's, whose labels are
known: every tensor between against qonnx's executor. Differences are relative to the largest
number of a tensor; a quantiser before which a last bit decides moves a word by one, and such words
are counted.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from importlib import metadata, resources
from pathlib import Path

import numpy as np

from benchmarks.common.options import make_parser
from benchmarks.common.rows import Mark, Results, say
from benchmarks.onnx.exporters import imported

CLOSE = Mark("<=", 1e-5)
BETWEEN = 64  # inputs of which Brevitas' tensors are compared
FINN = "tests/example_data/build_dataflow/"
# Files of qonnx, and the tensor up to which their operators are supported (None: all are).
SHIPPED = {
    "mnist-conv/model.onnx": None, "residual_block_clean.onnx": None,
    "eltwise_chanlast_testcase.onnx": None,
    "bsd300x3-espcn/subpixel/quant_model.onnx": "DepthToSpace",
    "bsd300x3-espcn/nn_resize/quant_model.onnx": "Resize"}
COLUMNS = {"row": "file", "judge": "judge", "inputs": "inputs:d", "tensors": "tensors:d",
           "equal": "equal:d", "difference": "difference:.1e", "moved": "words moved:d",
           "mark": "mark", "reached": "reached"}


def compared(graph, x: np.ndarray, model) -> dict:
    """Return how the tensors of a graph differ from those of qonnx by name: how many there are
    and how many equal, the largest difference of a node that is given their tensors, and the
    words that quantisers move where they are given ours."""
    from nets.graph.operators.quantisers import QUANTISERS
    from nets.graph.run import run, run_node

    run_by_qonnx, size = executor(model)
    entry, nodes = next(iter(graph.inputs)), {n.outputs[0]: n for n in graph.nodes}
    differ, moved, worst = set(), 0, 0.0
    for low in range(0, len(x), size):
        feed = {entry: x[low : low + size]}
        theirs = {k: v for k, v in run_by_qonnx(feed[entry]).items() if k in nodes}
        known = {**graph.constants, **feed, **theirs}
        for name, value in run(graph, feed, theirs).items():
            unequal = int((value.reshape(theirs[name].shape) != theirs[name]).sum())
            differ |= {name} if unequal else set()
            moved += unequal if nodes[name].op in QUANTISERS else 0
            if all(i in known for i in nodes[name].inputs if i):
                alone = run_node(nodes[name], known)[name]
                worst = max(worst, relative(alone.reshape(theirs[name].shape), theirs[name]))
    return {"inputs": len(x), "tensors": len(theirs), "equal": len(theirs) - len(differ),
            "moved": moved, "difference": worst}


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference, relative to the largest number."""
    reach = float(np.abs(theirs).max(initial=0)) or 1.0
    return float(np.abs(ours.astype(np.float64) - theirs).max(initial=0)) / reach


def executor(model):
    """Return what gives every tensor by name for inputs, by qonnx, and how many it takes."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    wrapped = ModelWrapper(model).transform(InferShapes())
    name = wrapped.graph.input[0].name
    return (lambda x: execute_onnx(wrapped, {name: x}, True)), wrapped.get_tensor_shape(name)[0]


def shipped(results: Results, versions: dict) -> None:
    """Add the rows of the files that qonnx ships."""
    import onnx

    from nets.importing.onnx_graph import read_onnx

    folder = Path(str(resources.files("qonnx"))) / "data" / "onnx"
    for name, end in SHIPPED.items():
        say(f"  {name} ...")
        model = onnx.load(str(folder / name))
        output = next((n.input[0] for n in model.graph.node if n.op_type == end), None)
        _, graph = read_onnx(folder / name, (), output)
        x = np.random.default_rng(0).integers(0, 256, (2 * (graph.batch or 1), *graph.shape))
        x = x.astype(np.float32) / (255 if name.startswith("bsd") else 1)
        row = compared(graph, x, model)
        up_to = f", up to {end}" if end else ""
        results.add({"row": f"qonnx {name}{up_to}", "judge": "qonnx's executor", **row,
                     "writers": versions}, row["difference"], CLOSE)


def finn(results: Results, wheel: Path, folder: Path, versions: dict) -> None:
    """Add the row of FINN's file; ValueError if its labels are not those given."""
    import onnx

    with zipfile.ZipFile(wheel) as archive:
        for name in ("model.onnx", "input.npy", "expected_output.npy"):
            (folder / name).write_bytes(archive.read(FINN + name))
    graph = imported(folder / "model.onnx", folder / "finn")
    x = np.load(folder / "input.npy").astype(np.float32)
    wanted = np.load(folder / "expected_output.npy").ravel()
    row = compared(graph, x, onnx.load(str(folder / "model.onnx")))
    from nets.graph.run import answers

    labels = answers(graph, x).ravel()
    if labels.tolist() != wanted.tolist():
        raise ValueError(f"labels are {labels.tolist()}, should be {wanted.tolist()}")
    results.add({"row": f"finn build_dataflow, labels {' '.join(map(str, wanted.astype(int)))}",
                 "judge": "qonnx's executor", **row, "writers": versions}, row["difference"],
                CLOSE)


def brevitas(results: Results, folder: Path, versions: dict) -> None:
    """Add the rows of fresh exports."""
    import onnx
    import torch
    from brevitas.export import export_qonnx

    from benchmarks.onnx.brevitas_networks import NETWORKS, trained
    from nets.graph.run import answers

    for name in NETWORKS:
        network, x, y = trained(name)
        with torch.no_grad():
            theirs = network(x).numpy()
        file = folder / f"{name}.onnx"
        export_qonnx(network, args=x[:1], export_path=str(file))
        graph = imported(file, folder / f"{name}.run")
        ours = answers(graph, x.numpy())
        far = relative(ours, theirs)
        accuracy = float((theirs.argmax(1) == y).mean())
        results.add({"row": f"Brevitas {name}, {accuracy:.2%} of digits", "judge": "Brevitas",
                     "inputs": len(x), "tensors": 1, "difference": far,
                     "equal": int(np.array_equal(ours, theirs)), "moved": 0,
                     "writers": versions}, far, CLOSE)
        between = compared(graph, x.numpy()[:BETWEEN], onnx.load(str(file)))
        results.add({"row": f"Brevitas {name}, tensors between", "judge": "qonnx's executor",
                     **between, "writers": versions}, between["difference"], CLOSE)


def main(argv: list[str] | None = None) -> int:
    """Export, import, compare; print the table and return the exit code."""
    parser = make_parser("onnx.quantised", __doc__, dataset=False)
    parser.add_argument("--finn", type=Path, metavar="WHEEL", help="finn-plus-tests 1.6.0")
    args = parser.parse_args(argv)
    results = Results("onnx", args.results)
    versions = {name: metadata.version(name) for name in (
        "qonnx", "brevitas", "torch", "onnx", "onnxruntime")}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shipped(results, versions)
        if args.finn:
            finn(results, args.finn, folder, versions)
        brevitas(results, folder, versions)
    return results.finish(COLUMNS)


if __name__ == "__main__":
    sys.exit(main())
