"""lnsarith study: what batch size, learning rate or activation does to a network."""

from __future__ import annotations

import dataclasses
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fxp.text.numbers import whole
from lnsarith.commands.common.figure import add_figure
from lnsarith.commands.common.options import add_data, add_settings, given_settings, plain
from lnsarith.commands.networks.study import activations as study_activations
from lnsarith.commands.networks.study import backbone as study_backbone
from lnsarith.commands.networks.study import faults as study_faults
from lnsarith.commands.networks.study import heads as study_heads
from lnsarith.commands.networks.study import products as study_products
from lnsarith.commands.networks.train.epochs import counted, loss_text, say
from nets.train.study_values import VALUES

__all__ = ["options"]

DEFAULTS = {"model": "bnn", "epochs": 5}


def options(parser: ArgumentParser) -> None:
    """Add the actions, one for each setting that is varied."""
    actions = parser.add_subparsers(
        metavar="batch|rate|faults|products|heads|activations|backbone", required=True)
    for what, (_, values) in VALUES.items():
        action = actions.add_parser(what, help=f"vary the {what} of a network's training")
        _value_options(action, values)
        action.set_defaults(run=_run_values, what=what)
    action = actions.add_parser("faults", help="flip bits of weights, activations and tables")
    study_faults.options(action)
    action.set_defaults(run=study_faults.run)
    action = actions.add_parser("products", help="another register or order of one product's sums")
    study_products.options(action)
    action.set_defaults(run=study_products.run)
    action = actions.add_parser("heads", help="discriminant analyses as heads of LNS neurons")
    study_heads.options(action)
    action.set_defaults(run=study_heads.run)
    action = actions.add_parser("activations", help="compare activations over data sets and seeds")
    study_activations.options(action)
    action.set_defaults(run=study_activations.run)
    action = actions.add_parser("backbone", help="compare activations on frozen networks' features")
    study_backbone.options(action)
    action.set_defaults(run=study_backbone.run)


def _value_options(parser: ArgumentParser, values) -> None:
    from nets.settings.suited import settings_for

    text = ",".join(map(str, values))
    parser.add_argument("--values", metavar="A,B", help=f"values to try (default {text})")
    add_settings(parser, defaults={**vars(settings_for(DEFAULTS)), "model": "bnn"})
    group = parser.add_argument_group("study")
    group.add_argument("--out", metavar="DIR", help="folder (default studies/WHAT)")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    add_figure(group)
    add_data(group)


def _run_values(args: Namespace) -> int:
    """Train with every value, write study.json and study.png, print a table."""
    from nets.data.sets import load
    from nets.network.model import write_atomic
    from nets.settings.suited import settings_for
    from nets.train.forms import STUDY as KIND
    from nets.train.forms import require_study
    from nets.train.study_values import draw, study

    settings = settings_for(_given(args))
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


def _given(args: Namespace) -> dict:
    """Return the settings given, those of a binary network unless others are meant."""
    given = given_settings(args)
    own = {k: v for k, v in DEFAULTS.items() if k != "model" or "arith" not in given}
    return {**own, **given}


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
    net = f"{s.model} {plain(s.hidden)}" if s.model == "mlp" else s.model
    bits = f", input {s.binarize_input}" if s.binary else ""
    return f"{s.dataset}, {s.arith}, {net}{bits}, {counted(s.epochs, 'epoch')}, seed {s.seed}"


def _text(what: str, rows: list[dict]) -> str:
    lines = [f"{what:>8}  {'loss':>8}  {'val':>7}  {'test':>7}  {'s/epoch':>8}"]
    for row in rows:
        val = "-" if row["val_accuracy"] is None else f"{row['val_accuracy']:.2%}"
        lines.append(f"{row['value']!s:>8}  {loss_text(row['loss']):>8}  {val:>7}  "
                     f"{row['test_accuracy']:>7.2%}  {row['seconds']:>8.2f}")
    return "\n".join(lines)
