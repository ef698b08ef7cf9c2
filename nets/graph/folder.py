"""A graph on disk: manifest.json with its nodes and how inputs are prepared, model.npz with
its constants.

The folder appears whole or not at all. Constants are numbered in the archive, for tensors may
have any names.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from lnsarith.host.files.arrays import read_npz
from lnsarith.host.files.reading import BadFile, read_json
from lnsarith.host.files.schema import check, floating, listed, mapping, maybe, number, table, text
from lnsarith.host.files.whole import new_folder
from nets.graph.graph import Graph, GraphError, Node, in_order
from nets.graph.inputs import Preparation
from nets.network.model import RunError, write_arrays

__all__ = ["KIND", "MANIFEST", "read_graph", "write_graph"]

KIND, ARRAYS, MANIFEST = "lnsarith imported network 1", "lnsarith constants 1", "manifest.json"
MOST = 1 << 32

NAME = text(most=1024)
NODE = table({"name": NAME, "op": text(most=64), "inputs": listed(NAME), "outputs": listed(NAME),
              "attributes": mapping(lambda value, where: None), "opset": number(0, 1 << 16)})
FORM = table({
    "kind": text(KIND), "name": NAME, "classes": number(1, 1 << 20),
    "graph": table({"nodes": listed(NODE), "outputs": listed(NAME, 1),
                    "inputs": mapping(listed(maybe(number(1, 1 << 24)), 0, 8)),
                    "constants": listed(NAME)}),
    "input": table({"mean": listed(floating(), 1, 4096), "scale": listed(floating(), 1, 4096),
                    "order": text("rgb", "bgr")}),
}, open_ended=True)


def write_graph(folder: Path, graph: Graph, about: dict, how: Preparation,
                beside: dict[str, str] | None = None, instead: str = "") -> None:
    """Write a graph into a folder that is new or empty, or holds but a file `instead` of which
    the graph comes; RunError for any other.

    about is plain data, name and classes among it; beside has texts of other files by name.
    """
    arrays = [np.asarray(v) for v in graph.constants.values()]
    nodes = [{"name": n.name, "op": n.op, "inputs": list(n.inputs), "outputs": list(n.outputs),
              "attributes": {k: _plain(v, arrays) for k, v in n.attributes.items()},
              "opset": n.opset} for n in graph.nodes]
    manifest = {"kind": KIND, **about, "input": how.as_dict(), "graph": {
        "nodes": nodes, "inputs": {k: list(v) for k, v in graph.inputs.items()},
        "outputs": list(graph.outputs), "constants": list(graph.constants)}}
    if folder.exists() and any(p.name != instead for p in folder.iterdir()):
        raise RunError(f"{folder} is not empty; choose another --out")
    try:
        with new_folder(Path(os.path.abspath(folder))) as fresh:
            (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1, allow_nan=False) + "\n")
            write_arrays(fresh / "model.npz", {f"c{i}": v for i, v in enumerate(arrays)},
                         {"kind": ARRAYS, "epoch": 0, "step": 0})
            for name, content in (beside or {}).items():
                (fresh / name).write_text(content)
    except OSError as error:
        raise RunError(f"cannot make {folder}: {error.strerror}; choose another --out") from error


def read_graph(folder: Path) -> tuple[Graph, dict, Preparation]:
    """Return the graph in a folder, its manifest, and how its inputs are prepared.

    RunError for a folder that holds none, or a damaged one.
    """
    try:
        manifest = read_json(folder / MANIFEST, FORM)
        found = read_npz(folder / "model.npz", MOST)
        found.pop("meta", None)
        g = manifest["graph"]
        arrays = [found[f"c{i}"] for i in range(len(found))]
        constants = dict(zip(g["constants"], arrays))
        inputs = {k: tuple(v) for k, v in g["inputs"].items()}
        nodes = [Node(n["name"], n["op"], tuple(n["inputs"]), tuple(n["outputs"]),
                      {k: _value(v, arrays) for k, v in n["attributes"].items()}, n["opset"])
                 for n in g["nodes"]]
        graph = Graph(in_order(nodes, {*constants, *inputs}), inputs, tuple(g["outputs"]),
                      constants)
        how = manifest["input"]
        return graph, manifest, Preparation(tuple(how["mean"]), tuple(how["scale"]), how["order"])
    except (BadFile, GraphError) as error:
        raise RunError(f"{folder}: {error}") from error
    except PermissionError:
        raise
    except Exception as error:  # broken archives raise a dozen kinds
        raise RunError(f"{folder} holds no imported network, or a damaged one ({error}); import "
                       "it anew") from error


def _plain(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return an attribute as JSON has it: an array is named by its number in the archive."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, float) and not np.isfinite(value):
        return {"real": str(value)}
    return value


def _value(value: Any, arrays: list[np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    check(value, table({}, {"array": number(0, len(arrays) - 1), "real": text("inf", "-inf")}),
          "attribute")
    return arrays[value["array"]] if "array" in value else float(value["real"])
