"""An imported network in Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from lnsarith.commands.common.options import settings_by_name

__all__ = ["ImportedRun", "from_sklearn"]


class ImportedRun:
    """An imported network in its folder; shape is that of one input, classes how many scores
    it answers with.

    Without settings it runs in float32; with arith="lns12" and others of `lnsarith eval`
    (delta, guard, accumulator, calibrate: inputs that ranges are taken from) in words.
    """

    def __init__(self, folder):
        from argparse import Namespace

        from lnsarith.commands.networks.eval.imported import opened

        self._kept = opened(Namespace(run_folder=os.fspath(folder)))
        self.folder, self.classes = self._kept.folder, self._kept.classes
        self.shape: tuple[int, ...] = self._kept.graph.shape

    def __repr__(self) -> str:
        return f"lnsarith.load({str(self.folder)!r})"

    def scores(self, inputs, *, calibrate=None, threads: int = 1, backend: str = "vector",
               **settings: Any) -> np.ndarray:
        """Return the scores of inputs, one row each: uint8 images or arrays of floats, prepared
        as the run says. ValueError for inputs that do not fit."""
        from nets.graph.run import answers
        from nets.graph.words.network import WordNetwork, reaches
        from nets.settings.settings import Settings

        x = self._kept.prepared(np.asarray(inputs))
        if not len(x):
            raise ValueError("there are no inputs")
        if not settings:
            return answers(self._kept.graph, x).reshape(len(x), -1)
        given = settings_by_name({"val": 0, **settings})
        reach = None
        if calibrate is not None:
            reach = reaches(self._kept.graph, self._kept.prepared(np.asarray(calibrate)))
        words = WordNetwork.of(self._kept.graph, Settings(**given), threads, backend, reach)
        return words.scores(x)

    def predict(self, inputs, **settings) -> np.ndarray:
        """Return the class of each input; see `scores`."""
        return self.scores(inputs, **settings).argmax(axis=1)

    def evaluate(self, inputs, labels, **settings):
        """Return how the network does on inputs with labels: accuracy, correct, predicted."""
        from nets.network.evaluation import Evaluation

        truth, predicted = np.asarray(labels), self.predict(inputs, **settings)
        if truth.shape != predicted.shape or truth.dtype.kind not in "iu":
            raise ValueError(f"{len(predicted)} inputs need {len(predicted)} integers as labels, "
                             f"got {truth.dtype} of shape {truth.shape}")
        if len(truth) and not 0 <= truth.min() <= truth.max() < self.classes:
            raise ValueError(f"labels must be 0..{self.classes - 1}, got {truth.min()}.."
                             f"{truth.max()}")
        return Evaluation(int((predicted == truth).sum()), None, None, predicted)


def from_sklearn(model, out, name: str) -> ImportedRun:
    """Write a fitted MLPClassifier as an imported network into a folder and return it; its
    answers are held against the model's."""
    from nets.graph.folder import write_graph
    from nets.graph.graph import GraphError
    from nets.graph.inputs import Preparation
    from nets.graph.run import answers
    from nets.importing.judge import TOLERANCE
    from nets.importing.sklearn import graph_of_mlp

    graph = graph_of_mlp(model)
    x = np.random.default_rng(0).standard_normal((64, *graph.shape), np.float32)
    z = answers(graph, x).astype(np.float64)
    shares = np.exp(z - z.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    far = float(np.abs(shares - model.predict_proba(x)).max())
    if far > 10 * TOLERANCE:
        raise GraphError(f"the graph's shares differ from the model's by {far:.1e}")
    classes = [str(c) for c in model.classes_]
    about = {"name": name, "classes": len(classes), "shape": list(graph.shape),
             "class_names": classes, "source": {"sklearn": type(model).__name__},
             "judged": {"by": "scikit-learn", "inputs": 64, "difference": far, "flips": False}}
    write_graph(Path(out), graph, about, Preparation())
    return ImportedRun(out)
