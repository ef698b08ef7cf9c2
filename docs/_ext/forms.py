"""Tables of files' keys, made from the forms by which the program reads them."""

import inspect
import sqlite3
import tomllib
from dataclasses import fields
from pathlib import Path

from fxp.text.numbers import WORD
from lnsarith.delta import file as design
from lnsarith.host.files import schema
from lnsarith.spindle.file import FIT
from nets.binary import folder as bits
from nets.experiments.jobs import plan, store
from nets.graph import folder as graph
from nets.graph.words import choice
from nets.network import memh
from nets.network.model import META
from nets.quantize import folder as integers
from nets.settings.settings import Settings
from nets.train.forms import CONFIG, RECORD

ROW = schema.table({"name": schema.text(most=100), "kind": schema.text(*integers.ROWS)},
                   {k: form for row in integers.ROWS.values() for k, form in row.items()})
EXPORT = {**memh.ABOUT, "sha256": schema.mapping(schema.text(most=64)), "golden": memh.GOLDEN}
FORMS = {
    "config": CONFIG, "record": RECORD, "model": META, "graph": graph.FORM, "formats": choice.FORM,
    "sweep": plan.FORM, "design": design.FORM, "fit": FIT,
    "integers": schema.table({"kind": schema.text(integers.KIND), **EXPORT, **integers.FORMS,
                              "layers": schema.listed(ROW, 1, 1000)}),
    "bits": schema.table({"kind": schema.text(bits.KIND), **EXPORT, **bits.FORMS})}
LEFT_OUT = {"config": {f.name for f in fields(Settings)}}  # each setting: the page of commands
FUNCTIONS = {"flag": "true or false", "file_name": "a file's name"}


def pages() -> dict[str, str]:
    """Return the table of each form by its name; KeyError where a key has no meaning told, or a
    meaning no key."""
    meanings = tomllib.loads((Path(__file__).parents[1] / "_parts" / "keys.toml").read_text())
    found = {name: _table([row for row in _rows(form) if row[0] not in LEFT_OUT.get(name, ())],
                          dict(meanings[name])) for name, form in FORMS.items()}
    return {**found, **{name: _table(rows, dict(meanings[name]))
                        for name, rows in _columns().items()}}


def _table(rows: list[tuple[str, str]], meanings: dict[str, str]) -> str:
    lines = ["| key | what | meaning |", "|---|---|---|",
             *(f"| `{key}` | {what} | {meanings.pop(key)} |" for key, what in rows)]
    if meanings:
        raise KeyError(f"no form has {', '.join(meanings)}")
    return "\n".join(lines) + "\n"


def _rows(form, above: str = "") -> list[tuple[str, str]]:
    """Return each key of a table, and of tables in it, with what may stand there."""
    known = _known(form)
    if "needed" not in known:
        inner = known.get("own")
        return _rows(inner, above + _SIGNS.get(_name(form), "")) if inner else []
    found = []
    for key, own in known["forms"].items():
        optional = "" if key in known["needed"] else ", or missing"
        found.append((f"{above}.{key}".lstrip("."), _words(own) + optional))
        found += _rows(own, f"{above}.{key}".lstrip("."))
    return found


def _span(span: str) -> str:
    low, _, high = span.strip().partition("..")
    return f" from {low}" if high in ("inf", str(WORD[1])) else span


_SIGNS = {"listed": "[]", "mapping": ".*"}


def _words(form) -> str:
    """Return what a form takes, in words."""
    known, name = _known(form), _name(form)
    if name in ("number", "floating"):
        return ("an integer" if name == "number" else "a number") + _span(known["span"])
    if name == "text":
        return " or ".join(f"`{c}`" for c in known["choices"]) if known["choices"] else "text"
    if name in ("listed", "mapping"):
        return f"{'list' if name == 'listed' else 'object'} of {_words(known['own'])}"
    if name == "maybe":
        return f"{_words(known['own'])}, or null"
    return "object" if name == "table" else FUNCTIONS.get(name, "any")


def _known(form) -> dict:
    return dict(inspect.getclosurevars(form).nonlocals)


def _name(form) -> str:
    return form.__qualname__.partition(".")[0]


def _columns() -> dict[str, list[tuple[str, str]]]:
    """Return the columns of each table of the store."""
    with sqlite3.connect(":memory:") as memory:
        memory.executescript(store.TABLES)
        return {f"store-{name}": [(row[1], row[2].lower() + ("" if row[3] else ", or null"))
                                  for row in memory.execute(f"PRAGMA table_info({name})")]
                for name in ("runs", "claims", "costs")}
