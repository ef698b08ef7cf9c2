"""The rows of the front: which networks, in which words, with which registers in the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CORE", "LANES", "ROWS", "TRAINER", "Asked"]

CORE, TRAINER = "inference", "trainer"
LANES = 16
INTEGER_IMAGES = 1000  # training images that the ranges of integers are taken from


@dataclass(frozen=True)
class Asked:
    """A row: its arithmetic as text, the settings of its training, the registers in the loop of
    its lanes; integers are made of the network that these settings train."""

    arith: str
    given: Mapping[str, object] = field(default_factory=dict)
    pipeline: int = 5
    kind: str = CORE
    integers: bool = False

    @property
    def name(self) -> str:
        return f"{self.arith} trainer" if self.kind == TRAINER else self.arith


def _lns(form: str, delta: str, kind: str = CORE, pipeline: int = 5) -> Asked:
    return Asked(f"{form} {delta}", {"arith": form, "delta": delta}, pipeline, kind)


ROWS = (
    Asked("fixed16", {"arith": "fixed16"}, 2),
    Asked("fixed12", {"arith": "fixed12"}, 2),
    Asked("int8", {"arith": "fixed16"}, 2, integers=True),
    _lns("lns16", "lut"),
    *(_lns("lns12", delta) for delta in ("lut", "pwl", "exact", "interp", "balanced")),
    Asked("minselect16", {"arith": "minselect16"}, 4),
    Asked("binary", {"arith": "binary"}, 4),
    Asked("fixed16", {"arith": "fixed16"}, 2, TRAINER),
    _lns("lns16", "lut", TRAINER, 2),
    _lns("lns12", "lut", TRAINER, 2),
)
