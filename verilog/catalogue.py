"""Everything that can be generated: the catalogue's operators, and units around them."""

from __future__ import annotations

from collections.abc import Mapping

from lnsarith.catalogue.operator import FAMILIES, Operator
from lnsarith.catalogue.operators import OPERATORS, find, parse_format
from verilog.design.design import Design, operator_design
from verilog.design.name import check_name
from verilog.units.catalogue import UNITS, Unit
from verilog.units.cfu.units import operator_cfu

__all__ = ["design", "find_row", "rows"]


def find_row(name: str, family: str | None = None) -> Operator | Unit:
    """Return an operator or a unit by its full name, or by its plain one (add, dot):
    of the given family, without one lns before fixed. FormatError, with near
    matches, for an unknown name."""
    for full in (name, *(f"{x}-{name}" for x in ([family] if family else ["lns", "fixed"]))):
        if full in UNITS:
            return UNITS[full]
    return find(name, family)


def design(name: str, arith: str | None = None, options: Mapping | None = None, latency: int = 0,
           target_ns: float | None = None, memories: bool = False,
           as_cfu: bool = False, called: str | None = None) -> Design:
    """Return the design that these texts mean; FormatError for what cannot be.

    as_cfu makes it a custom function unit; an operator's latency is then 1 or more.
    called is the design's name, by default what it is.
    """
    own = check_name(called) if called is not None else None
    inner = f"{own}_op" if own and as_cfu else own
    f = parse_format(arith) if arith else None
    family = next((k for k, kind in FAMILIES.items() if isinstance(f, kind)), None)
    row = find_row(name, family)
    f = f or parse_format(row.usual_format)
    if as_cfu and not isinstance(row, Operator):
        return row.as_cfu(f, options, latency, target_ns, memories, own)
    if as_cfu and target_ns is None:
        latency = latency or 1
    if isinstance(row, Operator):
        found = operator_design(row, f, options, latency, target_ns, memories, inner)
    else:
        found = row.design(f, options, latency, target_ns, memories, inner)
    return operator_cfu(found, own) if as_cfu else found


def rows() -> list[dict]:
    """Return what `lnsarith rtl list` tells of every design."""
    every: list[Operator | Unit] = [*OPERATORS.values(), *UNITS.values()]
    return [{"name": o.name, "kind": "operator" if isinstance(o, Operator) else "unit",
             "operands": list(o.operands), "computes": o.summary, "format": o.usual_format,
             "options": [{"name": x.name, "default": x.default, "choices": list(x.choices),
                          "summary": x.summary} for x in o.options]} for o in every]
