"""lnsarith study heads: discriminant analyses in the place of a network's last layer."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from lnsarith.commands.common.options import add_data, thread_count
from lnsarith.commands.networks.experiments.tables import add_forms, percent, print_table
from lnsarith.commands.networks.train.epochs import say

__all__ = ["options", "run"]

NOTE = ("the slides only name the idea (LDA, QDA); trained, linear and quadratic heads see the "
        "same features, words are of the run's format and sums")


def options(parser: ArgumentParser) -> None:
    """Add the options of the action."""
    parser.description = NOTE
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders that lnsarith train made "
                        "of LNS")
    parser.add_argument("--threads", metavar="N", help="processor threads (default: one a core)")
    parser.add_argument("--out", metavar="DIR", default="studies/heads",
                        help="folder of study.json (default studies/heads)")
    add_forms(parser)
    add_data(parser)


def run(args: Namespace) -> int:
    """Fit and map both heads of every run, write study.json, print a table."""
    from nets.network.model import write_atomic
    from nets.train.forms import STUDY, require_study

    folder = Path(args.out)
    require_study(folder, "heads")
    rows = [row for path in args.runs for row in _of_run(args, Path(path))]
    folder.mkdir(parents=True, exist_ok=True)
    result = {"kind": STUDY, "what": "heads", "rows": rows, "notes": [NOTE]}
    write_atomic(folder / "study.json", (json.dumps(result, indent=1) + "\n").encode())
    lines = [[r["name"], r["head"], percent(r["words"]), percent(r["floats"]),
              str(r["products"]), "-" if r["regular"] is None else f"{r['regular']:g}"]
             for r in rows]
    print_table(args, ["run", "head", "words, test %", "floats, test %", "products", "reg"],
                lines, result, ["", NOTE])
    return 0


def _of_run(args: Namespace, path: Path) -> list[dict]:
    """Return the rows of a run: its own head, the linear one, the quadratic one."""
    from lnsarith.commands.networks.eval.model import open_model
    from nets.data.sets import load
    from nets.experiments.results.front import named
    from nets.experiments.studies import heads
    from nets.train.trainer import Trainer

    kept, network, _ = open_model(Namespace(
        run_folder=str(path), threads=str(thread_count(args.threads)), backend="vector"))
    settings = kept.settings
    heads.require_head(network, settings)
    trainer = Trainer(settings, load(settings.dataset, args.data_dir))
    held, held_labels = trainer.held
    if not len(held_labels):
        raise ValueError(f"{path} held no images back (--val), by which the quadratic head is "
                         "chosen")
    _, x, _ = heads.features(network, trainer.images)
    _, x_held, _ = heads.features(network, held)
    tensors, x_test, logits = heads.features(network, trainer.test[0])
    labels = trainer.test[1]
    own = network.parameters()
    last = max(own, key=lambda name: int(name.partition(".")[0])).partition(".")[0]
    w, b = (network.ar.reals(own[f"{last}.{k}"]) for k in "wb")
    found = [("trained", heads.Dense(w, b[0])), ("linear", heads.fit_linear(x, trainer.labels)),
             ("quadratic", heads.fit_quadratic(x, trainer.labels, x_held, held_labels))]
    rows: list[dict] = []
    for name, head in found:
        if head is None:
            say(f"{path}: no quadratic head can be fitted: a class has too few images")
            continue
        scores = logits if name == "trained" else _scores(network.ar, head, tensors)
        rows.append({"run": str(path), "name": f"{settings.dataset} {named(settings.resolved())}",
                     "head": name, "words": float((scores.argmax(axis=1) == labels).mean()),
                     "floats": float((head.reals(x_test).argmax(axis=1) == labels).mean()),
                     "products": int(head.products),
                     "regular": getattr(head, "regular", None)})
        say(f"{rows[-1]['name']}, {name}: {percent(rows[-1]['words'])} % in words")
    return rows


def _scores(ar, head, tensors):
    import numpy as np

    return np.concatenate([head.words(ar, x) for x in tensors])
