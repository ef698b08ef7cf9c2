"""Options of the commands that deal with networks: one for each setting, TOML files."""

from __future__ import annotations

import dataclasses
import difflib
import os
from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from fxp.format import Fixed
from fxp.text.numbers import real, shown, whole
from lnsarith.host.files.reading import read_toml
from lnsarith.lns.format import Lns
from nets.settings.setting import GROUPS, about
from nets.settings.settings import Settings

__all__ = [
    "ONE_RUN",
    "add_computing",
    "add_data",
    "add_own",
    "add_settings",
    "given_settings",
    "integer",
    "plain",
    "settings_by_name",
    "share",
    "thread_count",
]

FIELDS = {field.name: field for field in dataclasses.fields(Settings)}
DEFAULTS: dict[str, Any] = {name: field.default for name, field in FIELDS.items()}
ONE_RUN = {**DEFAULTS, "recipe": "best for a perceptron where of the arithmetic nothing but a "
           "format that has it is given, and nothing that it sets; else icassp2020"}


class HelpAll(Action):
    """Prints the help with every option, those that --help leaves out among them."""

    def __init__(self, option_strings, dest, **kwargs):
        super().__init__(option_strings, dest, nargs=0, help="show every setting and exit")
        self.hidden: list[tuple[Any, str, str]] = []  # what of whom --help does not show

    def __call__(self, parser, namespace, values, option_string=None):
        for part, name, text in self.hidden:
            setattr(part, name, text)
        parser.print_help()
        parser.exit()


def add_settings(parser: ArgumentParser, fields=FIELDS, defaults=DEFAULTS) -> None:
    """Add --config, and an option for each setting among fields, group by group, with these
    defaults in its help.

    --help shows the few that most people need; --help-all has them all.
    """
    more = parser.add_argument("--help-all", action=HelpAll)
    assert isinstance(more, HelpAll)
    first = parser.add_argument_group(
        "settings", "Where a data set, model or arithmetic has defaults of its own, they differ "
        "from those told here. There are more settings: --help-all.")
    first.add_argument("--config", metavar="FILE|RUN", help="take settings from a TOML file, a "
                       "run's folder or its config.json; options beat it")
    for name in (n for n, f in fields.items() if about(f).first):
        _add_setting(first, name, defaults)
    for title, text in GROUPS.items():
        group = parser.add_argument_group(title)
        more.hidden.append((group, "description", text))
        for name, field in fields.items():
            if about(field).group == title and not about(field).first:
                action = _add_setting(group, name, defaults)
                more.hidden.append((action, "help", action.help))
                action.help = SUPPRESS


def _add_setting(group, name: str, defaults):
    what, default = about(FIELDS[name]), defaults[name]
    told = f" (default {plain(default)})" if default != "" else ""
    return group.add_argument(_flag(name), metavar=what.metavar,
                              help=(what.text + told).replace("%", "%%"))


def add_data(parser) -> None:
    """Add --data-dir."""
    text = "folder of the data sets (default $LNSARITH_DATA, else the user's cache)"
    parser.add_argument("--data-dir", metavar="DIR", help=text)


def add_own(parser) -> None:
    """Add the user's own data."""
    parser.add_argument("--data", metavar="PATH", help="your own data: a folder of images (a "
                        "folder a class) or IDX files, x.npz with x and y, x.npy,y.npy, or x.csv")
    parser.add_argument("--label", metavar="NAME", help="of a .csv: the column of the labels "
                        "(default label, class, target or y, else the last)")


def add_computing(parser) -> None:
    """Add what changes the speed of a network and not a bit of it."""
    parser.add_argument("--threads", metavar="N", help="processor threads (default: one a core)")
    parser.add_argument(
        "--backend",
        choices=("vector", "numpy"),
        default="vector",
        help="compiled kernels, or the same circuits in NumPy, which is slow",
    )


def given_settings(args: Namespace, fields=FIELDS) -> dict:
    """Return the settings that the file and the options give, the options' first."""
    given = _from_file(Path(args.config), fields) if args.config else {}
    for name in fields:
        if (text := getattr(args, name)) is not None:
            given[name] = _read(name, text, fields)
    return given


def settings_by_name(values: dict, fields=FIELDS) -> dict:
    """Return settings given by name as values of Python, None being none; TypeError for a
    name that no setting has."""
    for name in values:
        if name not in fields:
            raise TypeError(f"no setting is called {name!r}; {_hint(name, fields)}")
    return {name: _read(name, _written(value), fields) for name, value in values.items()
            if value is not None}


def thread_count(text: str | None) -> int:
    """Return the threads meant by --threads."""
    if text is None:
        affinity = getattr(os, "sched_getaffinity", None)
        return len(affinity(0)) if affinity else os.cpu_count() or 1
    count = integer("threads", text)
    if not 1 <= count <= 1024:
        raise ValueError(f"threads must be 1..1024, got {count}")
    return count


def share(name: str, text: str) -> float:
    """Return a share in 0..1 written as 0.95 or 95%."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = real(name, number) / (100 if percent else 1)
    except ValueError:
        value = float("nan")
    if 0 <= value <= 1:
        return value
    hint = f"; write {number}%" if 1 < value <= 100 and not percent else ""
    raise ValueError(f"{name} must be a share such as 0.95 or 95%, got {shown(text)}{hint}")


def plain(value) -> str:
    """Return a setting as it is written on the command line."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    return str(value)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _from_file(path: Path, fields) -> dict:
    """Return the settings of a TOML file, a run's folder or its config.json."""
    path = path / "config.json" if path.is_dir() else path
    settings = {}
    for key, value in (_of_run(path) if path.suffix == ".json" else read_toml(path)).items():
        name = key.replace("-", "_")
        if name not in fields:
            raise ValueError(f"{path}: no setting is called {shown(key)}; {_hint(name, fields)}")
        if name in settings:
            raise ValueError(f"{path}: {name} comes twice in it")
        try:
            settings[name] = _read(name, value, fields)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return settings


def _of_run(path: Path) -> dict:
    """Return the settings that a run's config.json has, and nothing else of it."""
    from nets.settings.suited import given_for
    from nets.train.run import Run, RunError

    if path.name != "config.json":
        raise RunError(f"{path} is no config.json of a run, and no TOML file by its name")
    settings = Run.open(path.parent).settings
    return {"recipe": settings.recipe, **given_for(settings)}


def _hint(name: str, fields) -> str:
    near = difflib.get_close_matches(name, fields, 1, 0.6)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(fields)}"


def _written(value):
    """Return a value as TOML would have it: paths, Fractions, formats as text, arrays as lists."""
    if isinstance(value, (tuple, list, np.ndarray)):
        return [_written(part) for part in value]
    if isinstance(value, (os.PathLike, Fraction, Fixed, Lns)):
        return str(value)
    return value.item() if isinstance(value, np.generic) else value


def _read(name: str, value, fields):
    """Return a setting given as text or as a value of TOML."""
    kind = type(fields[name].default)
    if kind is tuple:
        if isinstance(value, str):
            value = [] if value.strip().lower() in ("", "none") else value.split(",")
        units = value if isinstance(value, list | tuple) else [value]
        return tuple(integer(name, v) for v in units)
    if kind is int:
        return integer(name, value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{name} must be text or a number, got {shown(value)}")


def integer(name: str, value) -> int:
    """Return an integer given as text or as a value of TOML."""
    return whole(name, value)
