"""The graph of scikit-learn's multilayer perceptrons."""

from __future__ import annotations

import numpy as np

from nets.graph.graph import Graph, Node, Unsupported

__all__ = ["graph_of_mlp"]

ACTIVATIONS = {"relu": "Relu", "logistic": "Sigmoid", "tanh": "Tanh", "identity": "Identity"}


def graph_of_mlp(model) -> Graph:
    """Return the graph of a fitted MLPClassifier: its scores before the soft-max; of two
    classes, which it tells apart by one number z, the scores 0 and z.

    TypeError for another kind of model, ValueError for one that is not fitted, Unsupported for
    several labels at a time.
    """
    from sklearn.neural_network import MLPClassifier
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(model, MLPClassifier):
        raise TypeError(f"an MLPClassifier of scikit-learn is taken, got {type(model).__name__}")
    check_is_fitted(model)
    kind = model._label_binarizer.y_type_
    if model.out_activation_ not in ("softmax", "logistic") or (
            kind not in ("binary", "multiclass")):
        raise Unsupported("several labels at a time are not supported, one of two or more is")
    constants: dict[str, np.ndarray] = {}
    nodes, name = [], "x"
    count = len(model.coefs_)
    for i, (w, b) in enumerate(zip(model.coefs_, model.intercepts_)):
        w, b = (np.asarray(v, np.float32) for v in (w, b))
        if i == count - 1 and w.shape[1] == 1:
            w, b = np.hstack([0 * w, w]), np.hstack([0 * b, b])
        constants |= {f"w{i}": w, f"b{i}": b}
        nodes.append(Node(f"dense{i + 1}", "Gemm", (name, f"w{i}", f"b{i}"), (f"z{i}",)))
        name = f"z{i}"
        if i < count - 1:
            nodes.append(Node(f"active{i + 1}", ACTIVATIONS[model.activation], (name,), (f"a{i}",)))
            name = f"a{i}"
    return Graph(tuple(nodes), {"x": (None, len(model.coefs_[0]))}, (name,), constants)
