"""Everything that can be generated: the catalogue's operators, and units around them."""

from __future__ import annotations

from lnsarith.catalogue import OPERATORS

__all__ = ["rows"]


def rows() -> list[dict]:
    """Return what `lnsarith rtl list` tells of every design."""
    return [{"name": o.name, "operands": list(o.operands), "computes": o.summary,
             "returns": o.doc, "options": [
                 {"name": x.name, "default": x.default, "choices": list(x.choices),
                  "summary": x.summary} for x in o.options]}
            for o in OPERATORS.values()]
