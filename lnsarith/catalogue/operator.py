"""What a row of the catalogue is: an operator, its ports and options, ready to trace."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fxp.format import Fixed, FormatError, as_format
from fxp.once import cached_property
from fxp.trace.circuit import Circuit, trace
from lnsarith.lns import spec as lns
from lnsarith.lns.format import Lns

__all__ = ["FAMILIES", "Operator", "Option"]

FAMILIES = {"fixed": Fixed, "lns": Lns}


@dataclass(frozen=True)
class Option:
    """A named choice of an operator; values are given as text or as what `read` returns.

    choices lists what can be given (for delta: the names, parameters may follow).
    """

    name: str
    default: str
    summary: str
    choices: Collection[str] = field(default=(), hash=False)  # of Delta methods, a live view
    read: Callable | None = None

    def value(self, given):
        """Return what is given, read from text; raise FormatError if it cannot be."""
        if self.read:
            return self.read(str(given)) if isinstance(given, (str, int)) else given
        if given not in self.choices:
            raise FormatError(f"{self.name} must be one of {', '.join(self.choices)}, "
                              f"got {given!r}")
        return given


def _dropped(f, settings: Mapping) -> int:
    """Return how many bits a product of words of f, or a change of format, drops."""
    return f.frac - settings["to"].frac if "to" in settings else f.frac


@dataclass(frozen=True)
class Operator:
    """One operator of the family fixed or lns.

    spec is traced; its operands are the parameters of `real` that are no options.
    They have the family's format f unless `formats` names an option that holds
    theirs; so does `output`, for the result. With rounding=stochastic there is one
    more port, `random`: as many uniform bits as the rounding drops, which `dropped`
    tells of f and the settings. `real` may take f itself. `example` is a format that
    suits, by default of 16 bits. `gradient`, a spec of (x, d, f, g), returns the word of format g
    that is d times the derivative at x: then training takes the operator, of one operand, as
    an activation. `laws` holds each `verilog.prove.law.Law` that it keeps.
    """

    name: str
    summary: str
    spec: Callable
    real: Callable
    options: tuple[Option, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    output: str | Fixed = "f"
    dropped: Callable[[Any, Mapping], int] = _dropped
    example: str = ""
    gradient: Callable | None = None
    laws: tuple = ()

    @property
    def family(self) -> str:
        """fixed or lns: the kind of format f."""
        return self.name.partition("-")[0]

    @property
    def oracle(self) -> str:
        """The name of the function in tests/oracles/exact.py that says what is right."""
        return self.name.replace("-", "_")

    @property
    def doc(self) -> str:
        """What the spec says that it returns."""
        return inspect.cleandoc(self.spec.__doc__ or "")

    @cached_property
    def operands(self) -> tuple[str, ...]:
        """The ports that stand for real numbers, in order."""
        options = {"f", *(o.name for o in self.options)}
        return tuple(p for p in inspect.signature(self.real).parameters if p not in options)

    def settings(self, options: Mapping) -> dict:
        """Return the value of every option, by default the default."""
        for name in options:
            if name not in {o.name for o in self.options}:
                takes = ", ".join(o.name for o in self.options) or "no options"
                raise FormatError(f"{self.name} has no option {name!r}; it takes {takes}")
        return {o.name: o.value(options.get(o.name, o.default)) for o in self.options}

    def port_formats(self, f, **options) -> dict[str, Fixed | Lns]:
        """Return the format of every operand."""
        known = {"f": self.check_format(f), **self.settings(options)}
        return {p: known[self.formats.get(p, "f")] for p in self.operands}

    def output_format(self, f, **options) -> Fixed | Lns:
        """Return the format of the result; that of a comparison is Fixed(4, 0)."""
        known = {"f": self.check_format(f), **self.settings(options)}
        return known[self.output] if isinstance(self.output, str) else self.output

    def ports(self, f, **options) -> dict[str, tuple[int, int]]:
        """Return the range of words of every input port, `random` last."""
        f = self.check_format(f)
        formats = self.port_formats(f, **options)
        ports = {name: port.words for name, port in formats.items()}
        settings = self.settings(options)
        if settings.get("rounding") == "stochastic":
            dropped = self.dropped(f, settings)
            if dropped > 0:
                ports["random"] = (0, (1 << dropped) - 1)
        return ports

    def circuit(self, f, **options) -> Circuit:
        """Return the operator in the format f; its output port is `out`."""
        f = self.check_format(f)
        ports, settings = self.ports(f, **options), self.settings(options)
        known = {**settings, "f": f, "mode": settings.get("overflow")}
        if "delta" in settings:
            settings["delta"].check(f.frac)
            known["delta"] = settings["delta"].at(f.frac, lns.zero_level(f))
        wanted = inspect.signature(self.spec, follow_wrapped=False).parameters
        given = {p: known[p] for p in wanted if p in known and p not in ports}
        circuit = trace(self.spec, ports, name=self.oracle, **given)
        return replace(circuit, params={k: str(v) for k, v in {"f": f, **settings}.items()})

    def truth(self, values: Mapping, f=None, **options):
        """Return the real function of float64 numbers or of `lnsarith.catalogue.real.Real`s."""
        known = {**values, "f": f, **self.settings(options)}
        return self.real(**{p: known[p] for p in inspect.signature(self.real).parameters})

    @property
    def usual_format(self) -> str:
        """A format that suits the operator, as text."""
        return self.example or f"{self.family}16"

    def check_format(self, f):
        """Return f, or the format that it names; raise FormatError if it is of another
        family."""
        f = as_format(f, FAMILIES[self.family])
        if not isinstance(f, FAMILIES[self.family]):
            article = {"lns": "an lns", "fixed": "a fixed"}[self.family]
            raise FormatError(f"{self.name} takes {article} format such as "
                              f"{self.usual_format}, got {f}")
        return f
