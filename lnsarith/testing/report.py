"""What a check of one's own operator has compared, and how its differences are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["Report", "demand_same", "given"]

SHOWN = 5


@dataclass
class Report:
    """How many words were compared with the oracle, by format; the backends that gave them;
    the designs that were read, simulated and proved; and the proofs, by their statements."""

    name: str
    compared: dict[str, int] = field(default_factory=dict)
    backends: tuple[str, ...] = ()
    designs: list[str] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)


def demand_same(what: str, rows: Iterable[tuple[Mapping, int | None, int | None]]) -> int:
    """Return how many rows (operands, what came, what is right) there are; AssertionError that
    shows the first which differ, or for none at all."""
    count = 0
    wrong: list[str] = []
    for operands, came, right in rows:
        count += 1
        if came != right and len(wrong) < SHOWN:
            words = " ".join(f"{k}={v}" for k, v in operands.items())
            wrong.append(f"{words} gives {came}, expected {right}")
    if wrong:
        raise AssertionError(f"{what}: " + "; ".join(wrong))
    if not count:
        raise AssertionError(f"{what}: nothing was compared")
    return count


def given(options: Mapping) -> str:
    """Return options as they are written, "" for none."""
    return "".join(f", {k} {v}" for k, v in options.items())
