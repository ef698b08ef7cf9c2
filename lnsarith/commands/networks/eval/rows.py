"""lnsarith predict --data: the class of every input of a user's own data, a line each."""

from __future__ import annotations

import json
from argparse import Namespace

import numpy as np

from lnsarith.commands.common.which import imported_folder
from lnsarith.commands.networks.eval.imported import wants_words
from lnsarith.commands.networks.eval.opened import opened

__all__ = ["run_rows"]


def run_rows(args: Namespace) -> int:
    """Print number, class and score of every input, with the label it has in the data."""
    predicted, scores, labels, names, folder = (
        _imported(args) if imported_folder(args.run_folder) or wants_words(args)
        else _trained(args))
    rows = [{"input": i, "class": int(p), "name": names[p], "score": float(scores[i, p]),
             "label": int(y)} for i, (p, y) in enumerate(zip(predicted, labels))]
    if args.json:
        print(json.dumps({"run": str(folder), "predictions": rows}, allow_nan=False))
    else:
        print("\n".join(f"{r['input']:6} {r['name']:<16} {r['score']:12.6g}  label "
                        f"{names[r['label']]}" for r in rows))
    return 0


def _imported(args: Namespace):
    from lnsarith.commands.networks.eval.imported import in_words, inputs_for
    from lnsarith.commands.networks.eval.imported import opened as opened_import
    from nets.graph.run import answers

    kept = opened_import(args)
    args.dataset = args.data_dir = None
    _, train, x, y, names = inputs_for(args, kept)
    network, _ = in_words(args, kept, x if train is None else kept.prepared(train))
    scores = network.scores(x) if network else answers(kept.graph, x).reshape(len(x), -1)
    return scores.argmax(axis=1), scores, y, names, kept.folder


def _trained(args: Namespace):
    from lnsarith.commands.networks.eval.answer import own_images

    folder, _, data, logits = opened(args)
    own, names = own_images(args, tuple(data["shape"]), data["classes"])
    scores = np.concatenate([logits(row.reshape(1, -1)) for row in own.test_images])
    return scores.argmax(axis=1), scores, own.test_labels, names, folder
