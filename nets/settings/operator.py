"""The activation op:NAME: an operator of the catalogue that has a gradient, in hidden layers."""

from __future__ import annotations

from fxp.format import FormatError
from lnsarith.catalogue.operator import Operator
from lnsarith.catalogue.operators import OPERATORS

__all__ = ["PREFIX", "check_operator", "operator_of"]

PREFIX = "op:"


def operator_of(s, family: str) -> Operator:
    """Return the operator that is the activation of settings over words of this family."""
    name = s.activation.removeprefix(PREFIX)
    row = OPERATORS.get(name if name.startswith(f"{family}-") else f"{family}-{name}")
    able = [o.name for o in OPERATORS.values() if o.gradient and o.family == family]
    if row is None or row.gradient is None or len(row.operands) != 1 or row.output != "f":
        found = ", ".join(able) or f"no {family} operator has one"
        raise FormatError(f"activation {s.activation} must be an operator of one operand with a "
                          f"gradient: {found} (--plugin FILE.py brings others)")
    return row


def check_operator(s, family: str | None) -> None:
    """Raise FormatError for an activation op:NAME that there is not; family is None of floats."""
    if not s.activation.startswith(PREFIX):
        return
    if family is None or s.mode == "paper":
        what = s.arith if family is None else f"{s.arith} in mode paper"
        raise FormatError(f"activation {s.activation} goes with lns or fixed arithmetic, "
                          f"not with {what}")
    operator_of(s, family)
