"""What a plugin brings, checked before any of it is known to the catalogue.

A plugin is a Python module with one or both of

    DELTAS = [Ramp]                    subclasses of lnsarith.delta.method.Delta
    OPERATORS = [Operator("fixed-mean", ...)]      rows as in lnsarith.catalogue.operators

From then on they are as any other: of the command line, training, kernels, Verilog, proofs.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from types import ModuleType

from fxp.format import FormatError
from lnsarith.catalogue.operator import FAMILIES, Operator
from lnsarith.catalogue.operators import OPERATORS
from lnsarith.delta.methods import METHODS, READERS, Delta

__all__ = ["PluginError", "names_of", "register"]

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
ROW = re.compile(rf"({'|'.join(FAMILIES)})(-[a-z][a-z0-9]*)+")
LISTS = ("DELTAS", "OPERATORS")


class PluginError(FormatError):
    """A plugin that cannot be loaded, or is not what it was."""


def register(module: ModuleType, where: str) -> None:
    """Make the Delta methods and operators of a module known, all of them or none.

    PluginError, naming `where` it came from, for what is none, and for names that are taken.
    """
    deltas, operators = (_listed(module, name, where) for name in LISTS)
    if not deltas and not operators:
        raise PluginError(f"{where} has neither DELTAS = [...] nor OPERATORS = [...]")
    for delta in deltas:
        _check_delta(delta, where)
    for row in operators:
        _check_operator(row, where)
    _demand_new([d.name for d in deltas], METHODS, where)
    _demand_new([row.name for row in operators], OPERATORS, where)
    METHODS.update({d.name: d for d in deltas})
    OPERATORS.update({row.name: row for row in operators})


def names_of(module: ModuleType) -> list[str]:
    """Return the names of what a module brings."""
    return [each.name for name in LISTS for each in getattr(module, name, ())]


def _listed(module: ModuleType, name: str, where: str) -> list:
    found = getattr(module, name, [])
    if not isinstance(found, (list, tuple)):
        raise PluginError(f"{where}: {name} must be a list, got {type(found).__name__}")
    return list(found)


def _check_delta(delta, where: str) -> None:
    if not (isinstance(delta, type) and issubclass(delta, Delta)):
        raise PluginError(f"{where}: DELTAS holds classes made from Delta, got {delta!r}")
    name = getattr(delta, "name", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise PluginError(f"{where}: {delta.__name__}.name must be small letters such as "
                          f"my-method, got {name!r}")
    if delta.at is Delta.at:
        raise PluginError(f"{where}: {delta.__name__} has no method at(self, frac, cancel)")
    for field in dataclasses.fields(delta):
        if type(field.default) not in READERS:
            kinds = ", ".join(kind.__name__ for kind in READERS)
            raise PluginError(f"{where}: {delta.__name__}.{field.name} must have a default of "
                              f"{kinds}")
    if own := [k for k in vars(delta).get("__annotations__", {})
               if k != "name" and k not in {f.name for f in dataclasses.fields(delta)}]:
        raise PluginError(f"{where}: {delta.__name__} has options ({', '.join(own)}): put "
                          "@dataclass(frozen=True) above it")


def _check_operator(row, where: str) -> None:
    if not isinstance(row, Operator):
        raise PluginError(f"{where}: OPERATORS holds rows Operator(name, ...), got {row!r:.60}")
    if not ROW.fullmatch(row.name):
        raise PluginError(f"{where}: an operator's name is fixed-NAME or lns-NAME in small "
                          f"letters, got {row.name!r}")


def _demand_new(names: list[str], known: Iterable[str], where: str) -> None:
    for name in names:
        if name in known or names.count(name) > 1:
            raise PluginError(f"{where}: the name {name} is taken; choose another")
