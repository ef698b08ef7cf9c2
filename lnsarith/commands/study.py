"""lnsarith study: what batch size, learning rate or activation does to a network."""

from __future__ import annotations

import dataclasses
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fxp.numbers import whole
from lnsarith.commands import study_activations
from lnsarith.commands.options import add_data, add_settings, given_settings
from lnsarith.commands.train_binary import FIELDS, TEXTS
from lnsarith.commands.training import loss_text, say
from nets.binary.study import VALUES

__all__ = ["options"]

EPOCHS = 5


def options(parser: ArgumentParser) -> None:
    """Add the actions, one for each setting that is varied."""
    actions = parser.add_subparsers(metavar="batch|rate|activations", required=True)
    for what, (_, values) in VALUES.items():
        action = actions.add_parser(what, help=f"vary the {what} of a binary network's training")
        _binary_options(action, values)
        action.set_defaults(run=_run_binary, what=what)
    action = actions.add_parser("activations", help="compare activations over data sets and seeds")
    study_activations.options(action)
    action.set_defaults(run=study_activations.run)


def _binary_options(parser: ArgumentParser, values) -> None:
    text = ",".join(map(str, values))
    parser.add_argument("--values", metavar="A,B", help=f"values to try (default {text})")
    fields = {name: field for name, field in FIELDS.items() if name != "model"}
    own = dataclasses.field(default=EPOCHS)
    add_settings(parser, {**fields, "epochs": own}, TEXTS)
    group = parser.add_argument_group("study")
    group.add_argument("--out", metavar="DIR", help="folder (default studies/WHAT)")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    add_data(group)


def _run_binary(args: Namespace) -> int:
    """Train with every value, write study.json and study.png, print a table."""
    from nets.binary.run import binary_settings
    from nets.binary.study import draw, study
    from nets.data import load
    from nets.model import write_atomic
    from nets.run_forms import STUDY as KIND
    from nets.run_forms import require_study

    args.model = None
    given = {"epochs": EPOCHS, **given_settings(args, FIELDS)}
    settings = binary_settings(given)
    values = _values(args, settings)
    folder = Path(args.out) if args.out else Path("studies") / args.what
    dataset = load(settings.dataset, args.data_dir)
    require_study(folder, args.what)
    rows = study(args.what, settings, dataset, values, _told)
    folder.mkdir(parents=True, exist_ok=True)
    result = {"kind": KIND, "what": args.what, "settings": settings.resolved(), "rows": rows,
              "plot": str(folder / "study.png")}
    write_atomic(folder / "study.png", draw(args.what, rows, _title(settings)))
    write_atomic(folder / "study.json", (json.dumps(result, indent=1) + "\n").encode())
    if args.json:
        print(json.dumps(result, allow_nan=False))
    else:
        print(_text(args.what, rows))
        print(folder / "study.png")
    return 0


def _values(args: Namespace, settings) -> list:
    """Return the values to try, each checked before anything is trained."""
    name, values = VALUES[args.what]
    given = list(values) if args.values is None else args.values.split(",")
    found = []
    for value in given:
        if name == "batch":
            value = whole(name, value)
        dataclasses.replace(settings, **{name: value})
        found.append(value)
    return found


def _told(value, record) -> None:
    say(f"{value}: epoch {record.epoch}  loss {loss_text(record.loss)}  "
        f"test {record.test_accuracy:.2%}  {record.seconds:.2f} s")


def _title(s) -> str:
    return (f"{s.dataset}, binary network {','.join(map(str, s.hidden))}, "
            f"input {s.binarize_input}, {s.epochs} epochs, seed {s.seed}")


def _text(what: str, rows: list[dict]) -> str:
    lines = [f"{what:>8}  {'loss':>8}  {'val':>7}  {'test':>7}  {'s/epoch':>8}"]
    for row in rows:
        val = "-" if row["val_accuracy"] is None else f"{row['val_accuracy']:.2%}"
        lines.append(f"{row['value']!s:>8}  {loss_text(row['loss']):>8}  {val:>7}  "
                     f"{row['test_accuracy']:>7.2%}  {row['seconds']:>8.2f}")
    return "\n".join(lines)
