"""What PyTorch's two exporters and Keras' write, imported, against their own answers.

    pip install '.[onnx]' torch==2.13.0 onnxscript keras
    python -m benchmarks.onnx.exporters            PyTorch, with and without an open batch
    python -m benchmarks.onnx.exporters --keras    Keras on PyTorch: model.export(format="onnx")
    KERAS_BACKEND=tensorflow ...                   Keras on TensorFlow: pip install tensorflow-cpu
                                                   tf2onnx, without PyTorch

Each file goes through `lnsarith import`; answers to 64 random inputs may differ by 1e-5 of the
largest number. How far those in words of 24 bits differ is told beside it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks.common.options import make_parser
from benchmarks.common.rows import Mark, Results

CLOSE = Mark("<=", 1e-5)
INPUTS, WORDS = 64, 8
WRITERS = {"torch": ("torch", "onnxscript"), "tensorflow": ("tensorflow_cpu", "tf2onnx")}
COLUMNS = {"row": "network", "exporter": "exporter", "batch": "batch", "opset": "opset:d",
           "nodes": "nodes:d", "difference": "difference:.1e", "words": "in fixed24:.1e",
           "mark": "mark", "reached": "reached"}


def imported(file: Path, folder: Path):
    """Return the graph that lnsarith import makes of a file."""
    from lnsarith.cli import main as lnsarith
    from nets.graph.folder import read_graph

    with contextlib.redirect_stdout(io.StringIO()):
        if lnsarith(["import", str(file), "--out", str(folder)]):
            raise SystemExit(f"{file.name} is not imported")
    return read_graph(folder)[0]


def difference(graph, x: np.ndarray, theirs: np.ndarray) -> float:
    """Return how far answers differ at most, relative to the largest number."""
    from nets.graph.run import answers

    return float(np.abs(answers(graph, x) - theirs).max() / np.abs(theirs).max())


def in_words(graph, x: np.ndarray, theirs: np.ndarray) -> float:
    """Return the same of answers in words of fixed point, 24 bits each."""
    from nets.graph.words.network import WordNetwork, reaches
    from nets.settings.settings import Settings

    network = WordNetwork.of(graph, Settings(arith="fixed24", val=0), reach=reaches(graph, x))
    found = network.scores(x).reshape(theirs.shape)
    return float(np.abs(found - theirs).max() / np.abs(theirs).max())


def torch_files(folder: Path):
    """Give each network of PyTorch as each exporter writes it: its name, how, the batch, the
    file, inputs and PyTorch's answers."""
    import torch

    from benchmarks.onnx.torch_networks import NETWORKS, seeded

    for name in NETWORKS:
        network, shape = seeded(name)
        x = torch.randn(INPUTS, *shape)
        with torch.no_grad():
            y = network(x).numpy()
        for dynamo in (True, False):
            for batch in ("open", "1"):
                how = {} if batch == "1" else (
                    {"dynamic_shapes": ({0: torch.export.Dim("batch")},)} if dynamo else
                    {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}})
                file = folder / f"{name.split(',')[0]}-{dynamo}-{batch}.onnx"
                example = torch.randn(1 if batch == "1" else 2, *shape)
                with contextlib.redirect_stdout(io.StringIO()):
                    torch.onnx.export(network, (example,), str(file), dynamo=dynamo, **how)
                exporter = "dynamo=True" if dynamo else "dynamo=False"
                yield name, f"PyTorch {exporter}", batch, file, x.numpy(), y


def keras_files(folder: Path):
    """Give the same of Keras."""
    import keras

    from benchmarks.onnx.keras_networks import NETWORKS, seeded

    for name in NETWORKS:
        network, shape = seeded(name)
        x = np.random.default_rng(0).standard_normal((INPUTS, *shape), np.float32)
        file = folder / f"{name.split(',')[0]}.onnx"
        y = network.predict(x, batch_size=INPUTS, verbose=0)
        network.export(str(file), format="onnx", verbose=False)
        yield name, f"Keras on {keras.backend.backend()}", "open", file, x, y


def main(argv: list[str] | None = None) -> int:
    """Export, import, compare; print the table and return the exit code."""
    parser = make_parser("onnx.exporters", __doc__, dataset=False)
    parser.add_argument("--keras", action="store_true", help="Keras instead of PyTorch")
    args = parser.parse_args(argv)
    import onnx

    results = Results("onnx", args.results)
    backend = os.environ.setdefault("KERAS_BACKEND", "torch") if args.keras else "torch"
    names = ("onnx", *(("keras",) if args.keras else ()), *WRITERS[backend])
    versions = {name: metadata.version(name) for name in names}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = (keras_files if args.keras else torch_files)(folder)
        for name, exporter, batch, file, x, theirs in files:
            graph = imported(file, folder / f"{file.stem}.run")
            opset = onnx.load(str(file), load_external_data=False).opset_import[0].version
            row = {"row": name, "exporter": exporter, "batch": batch, "opset": opset,
                   "nodes": len(graph.nodes), "difference": difference(graph, x, theirs),
                   "words": in_words(graph, x[:WORDS], theirs[:WORDS]), "writers": versions}
            results.add(row, row["difference"], CLOSE)
    return results.finish(COLUMNS)


if __name__ == "__main__":
    sys.exit(main())
