"""Which operators are compared: each in every width, fraction, rounding, overflow, ..."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fxp.format import Fixed, FormatError
from fxp.trace.circuit import Circuit
from fxp.trace.graph import SpecError
from lnsarith.catalogue.operator import Operator
from lnsarith.catalogue.operators import OPERATORS, find
from lnsarith.lns.format import Lns

__all__ = ["Case", "axes", "cases", "covering"]

WIDTHS = range(4, 33)
FRACS = ("none", "one", "middle", "most but one", "most")
OTHER = ("narrow", "fraction", "whole", "other")  # formats beside the operator's own
LARGEST_TABLE = 1 << 14  # entries; larger ones cost seconds to write into a module
VALUES = {  # of options that have no list of choices
    "delta": ("exact", "lut", "lut:r=1/8,dmax=12", "lut:index=truncate,sample=mid",
              "lut:r=1,sample=mean", "bitshift", "mitchell", "interp", "pwl",
              "pwl:error=1/3", "balanced"),
    "beta": ("-1", "-7", "-31"),
    "to": OTHER, "source": OTHER, "exponent": OTHER,
    "ratio": ("1", "3/2"), "gain": ("1", "249/128"),
    "units": ("0:+2^-16,0:-2^4:left", "offset=1/2,0:-1,1:+2^-3,3:+1/2"),
    "segments": ("1/4:0,1:-256:1", "0:-1/1048576,0:2^-16:-3,2:0:1/2"),
}


class Case(NamedTuple):
    """An operator with everything chosen."""

    name: str
    circuit: Circuit


def axes(operator: Operator) -> dict[str, tuple]:
    """Return what can be chosen of an operator, and from what."""
    found: dict[str, tuple] = {"bits": tuple(WIDTHS), "frac": FRACS}
    if operator.family == "fixed":
        found["signed"] = (True, False)
    found.update((o.name, o.choices if o.read is None else VALUES[o.name])
                 for o in operator.options)
    return found


def cases(whole: bool, refused: dict[str, str] | None = None, only: str = "") -> Iterator[Case]:
    """Give the cases of all operators, or of one: all combinations, or such that any three
    choices meet (any two, of operators with large circuits). What an operator refuses is
    left out and, by name, put into refused."""
    for operator in [find(only)] if only else OPERATORS.values():
        every = axes(operator)
        large = operator.family == "lns" or {"units", "segments"} & set(every)
        strength = 2 if large else 3
        rows = itertools.product(*every.values()) if whole else covering(every, strength)
        seen: set[str] = set()
        for row in rows:
            choices = dict(zip(every, row))
            name = f"{operator.name} {' '.join(f'{k}={v}' for k, v in choices.items())}"
            try:
                circuit = _circuit(operator, choices)
            except (FormatError, SpecError) as error:
                if refused is not None:
                    refused[name] = str(error)
                continue
            if circuit.digest not in seen:
                seen.add(circuit.digest)
                yield Case(name, circuit)


def covering(every: Mapping[str, tuple], strength: int) -> list[tuple]:
    """Return rows, a value for each axis, such that any values of so many axes meet."""
    names = list(every)
    missing = {group: None for some in itertools.combinations(names, min(strength, len(names)))
               for group in itertools.product(*([(n, v) for v in every[n]] for n in some))}
    rows = []
    while missing:
        row: dict[str, Any] = dict(next(iter(missing)))
        for name in names:
            if name not in row:
                row[name] = max(every[name], key=lambda value, name=name: sum(
                    g in missing for g in _groups({**row, name: value}, names, strength)
                    if (name, value) in g))
        for group in _groups(row, names, strength):
            missing.pop(group, None)
        rows.append(tuple(row[name] for name in names))
    return rows


def _groups(row: Mapping, names: list[str], strength: int) -> Iterator[tuple]:
    """Give the choices of a row, so many at a time, in the order of names."""
    chosen = [(name, row[name]) for name in names if name in row]
    return itertools.combinations(chosen, min(strength, len(names)))


def _circuit(operator: Operator, choices: Mapping) -> Circuit:
    f = _format(operator, choices)
    options = {o.name: _option(o.name, choices[o.name], f, operator) for o in operator.options}
    circuit = operator.circuit(f, **options)
    if any(len(table) > LARGEST_TABLE for table in circuit.tables):
        raise FormatError(f"a table of more than {LARGEST_TABLE} entries")
    return circuit


def _format(operator: Operator, choices: Mapping):
    bits, frac = choices["bits"], choices["frac"]
    if operator.name == "fixed-xnor-popcount":  # it takes no others
        return Fixed(bits, 0, False)
    most = bits if operator.family == "fixed" else bits - 2
    at = {"none": 0, "one": 1, "middle": most // 2, "most but one": most - 1, "most": most}[frac]
    return Fixed(bits, at, choices["signed"]) if operator.family == "fixed" else Lns(bits, at)


def _option(name: str, value, f, operator: Operator):
    """Return the value of an option; of a format, one that lies so towards f."""
    if value not in OTHER:
        return value
    option = next(o for o in operator.options if o.name == name)
    if isinstance(option.value(option.default), Lns):
        return {"narrow": Lns(5, 1), "fraction": Lns(f.bits, f.bits - 2), "whole": Lns(32, 9),
                "other": Lns(16, 10)}[value]
    return {"narrow": Fixed(5, 2), "fraction": Fixed(f.bits, f.bits), "whole": Fixed(32, 0),
            "other": Fixed(16, 16, False)}[value]
