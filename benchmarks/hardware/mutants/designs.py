"""The designs whose Verilog gets faults, one of every kind of emitter."""

from __future__ import annotations

from dataclasses import dataclass, field

from verilog.catalogue import design
from verilog.design.design import Design
from verilog.prove.design import prove_design

__all__ = ["CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """A design by the texts of the command line; plain are modules that get no faults."""

    name: str
    arith: str
    options: dict[str, str] = field(default_factory=dict)
    latency: int = 0
    cfu: bool = False

    def made(self) -> Design:
        return design(self.name, self.arith, self.options, self.latency, as_cfu=self.cfu)

    def modules(self, made: Design) -> set[str]:
        """Return the names of the modules that are the design's own, its bench left out."""
        names = {m.name for m in made.modules}
        return names - {made.name} if self.cfu else names

    def claimed_whole(self, made: Design, seconds: float) -> bool:
        """Whether `prove` proves the design, and says of no part that it is not."""
        proofs = prove_design(made, seconds)
        return all(p.passed and "not proved" not in p.statement for p in proofs)

    def __str__(self) -> str:
        more = [f"{k}={v}" for k, v in self.options.items()]
        more += [f"latency={self.latency}"] if self.latency else []
        return " ".join([self.name, self.arith, *more, *(["cfu"] if self.cfu else [])])


CASES = (
    Case("lns-add", "lns12"),
    Case("lns-add", "lns12", {"delta": "balanced"}),
    Case("lns-mac", "lns12", {"delta": "exact"}),
    Case("lns-mac", "lns9.4", latency=3),
    Case("fixed-mul", "fixed12"),
    Case("fixed-spindle", "fixed12", latency=2),
    Case("lns-mac-unit", "lns12", {"guard": "2"}),
    Case("fixed-mac-unit", "fixed9.4", {"kind": "limited", "bits": "20"}),
    Case("fixed-minselect-mac", "fixed12", latency=1),
    Case("lns-dot", "lns9.4", {"n": "3"}, 2),
    Case("xnor-unit", "ufixed8.0", {"depth": "40"}),
    Case("lns-mul", "lns9.4", cfu=True),
    Case("fixed-mac", "fixed9.4", latency=3, cfu=True),
    Case("fixed-systolic", "fixed8", {"rows": "2", "columns": "3"}),
    Case("lns-systolic", "lns9.4", {"rows": "3", "columns": "2", "stationary": "weight"}),
)
