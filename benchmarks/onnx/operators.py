"""The operator tests that ship in the onnx package, through this project's importer and floats.

    python -m benchmarks.onnx             a table: passed, not supported (why), failed
    python -m benchmarks.onnx --failed    what failed or is not supported, case by case
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from nets.graph.graph import GraphError, Unsupported
from nets.graph.run import run
from nets.importing.onnx_graph import graph_of, with_domains

KINDS = ("node", "pytorch-converted", "pytorch-operator")


def cases(kind: str):
    """Give each case of a kind: its name, model, pairs of inputs and outputs, tolerances."""
    import onnx
    from onnx.backend.test.loader import load_model_tests

    for case in load_model_tests(kind=kind):
        if case.model is not None:
            yield case.name, case.model, case.data_sets, case.rtol, case.atol
            continue
        folder = Path(case.model_dir)
        sets = [tuple([onnx.load_tensor(str(path)) for path in
                       sorted(data.glob(f"{part}_*.pb"), key=_number)]
                      for part in ("input", "output"))
                for data in sorted(folder.glob("test_data_set_*"))]
        yield case.name, onnx.load(str(folder / "model.onnx")), sets, case.rtol, case.atol


def _number(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def outcome(model, sets, rtol: float, atol: float) -> str:
    """Return "passed", "failed: ..." or "not supported: ..."; weights given as inputs are bound."""
    from onnx import numpy_helper

    try:
        for inputs, outputs in sets:
            arrays = [_array(value, numpy_helper) for value in inputs]
            if any(v is None or v.dtype.kind not in "biuf" for v in arrays):
                return "not supported: sequences, texts and words of less than a byte"
            why = _differs(model, arrays, [_array(v, numpy_helper) for v in outputs], rtol, atol)
            if why:
                return f"failed: {why}"
    except Unsupported as error:
        return f"not supported: {error}"
    except (GraphError, ValueError) as error:
        return f"not supported: {error}" if "not supported" in str(error) else f"failed: {error}"
    return "passed"


def _array(value, numpy_helper):
    if isinstance(value, (list, dict)) or value is None:
        return None
    if isinstance(value, np.ndarray):
        return value
    return numpy_helper.to_array(value) if hasattr(value, "data_type") else None


def _differs(model, arrays, wanted, rtol: float, atol: float) -> str:
    """Return how a model's answers differ from those wanted, nothing where they do not."""
    from onnx import ModelProto, numpy_helper

    bound = ModelProto()
    bound.CopyFrom(model)
    names = [i.name for i in bound.graph.input]
    stored = {t.name for t in bound.graph.initializer}
    free = [name for name in names if name not in stored]
    for name, array in list(zip(free, arrays))[1:]:
        bound.graph.initializer.append(numpy_helper.from_array(array, name))
    if not free:
        raise Unsupported("a graph without inputs is not supported")
    if not arrays[0].ndim:
        raise Unsupported("an input without a batch axis is not supported")
    graph = graph_of(with_domains(bound))
    found = run(graph, {free[0]: arrays[0]})
    for name, want in zip(graph.outputs, wanted):
        if want is None:
            raise Unsupported("an output that is no tensor is not supported")
        got = found[name]
        if got.shape != want.shape or got.dtype != want.dtype:
            return f"{name} is {got.dtype} {got.shape}, should be {want.dtype} {want.shape}"
        if not np.allclose(got, want, rtol, atol, equal_nan=True):
            return f"{name} differs by {np.abs(got.astype(float) - want.astype(float)).max():.3g}"
    return ""


def results(kind: str) -> dict[str, str]:
    """Return the outcome of every case of a kind by its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: outcome(model, sets, rtol, atol)
                for name, model, sets, rtol, atol in cases(kind)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--failed", action="store_true", help="tell every case that did not pass")
    args = parser.parse_args()
    print("| kind | cases | passed | not supported | failed |\n|---|---|---|---|---|")
    for kind in KINDS:
        found = results(kind)
        counts = Counter(text.partition(":")[0] for text in found.values())
        print(f"| {kind} | {len(found)} | {counts['passed']} | {counts['not supported']} | "
              f"{counts['failed']} |", flush=True)
        if args.failed:
            for name, text in found.items():
                if text != "passed":
                    print(f"    {name}: {text}")
