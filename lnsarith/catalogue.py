"""Every operator, once: its spec, its ports and options, and the real function it means.

From this list follow the choices of the commands, the tests against the oracle,
and the Verilog. A new operator is a spec, a line in tests/oracle.py under the
operator's name, and a row here.

    operator = find("lns-add")              or find("add", "lns")
    operator.ports(f)                       {"x": (low, high), "y": (low, high)}
    operator.circuit(f, delta="lut:r=1/4")  what is compiled, printed and proved
    operator.truth({"x": 1.5, "y": 2.5})    4.0
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps

from fxp import spec as fixed
from fxp.circuit import Circuit, trace
from fxp.format import Fixed, FormatError, check_integer
from lnsarith import convert, delta
from lnsarith import spec as lns
from lnsarith.format import Lns
from lnsarith.real import choose

__all__ = ["OPERATORS", "Operator", "Option", "find", "parse_format"]

ORDER = Fixed(4, 0)  # holds the -1, 0, 1 of a comparison
FAMILIES = {"fixed": Fixed, "lns": Lns}


@dataclass(frozen=True)
class Option:
    """A named choice of an operator; values are given as text or as what `read` returns.

    choices lists what can be given (for delta: the names, parameters may follow).
    """

    name: str
    default: str
    summary: str
    choices: tuple[str, ...] = ()
    read: Callable | None = None

    def value(self, given):
        """Return what is given, read from text; raise FormatError if it cannot be."""
        if self.read:
            return self.read(given) if isinstance(given, (str, int)) else given
        if given not in self.choices:
            raise FormatError(f"{self.name} must be one of {', '.join(self.choices)}, "
                              f"got {given!r}")
        return given


@dataclass(frozen=True)
class Operator:
    """One operator of the family fixed or lns.

    spec is traced; its operands are the parameters of `real` that are no options.
    They have the family's format f unless `formats` names an option that holds
    theirs; so does `output`, for the result. With rounding=stochastic there is one
    more port, `random`: as many uniform bits as the rounding drops.
    """

    name: str
    summary: str
    spec: Callable
    real: Callable
    options: tuple[Option, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    output: str | Fixed = "f"

    @property
    def family(self) -> str:
        """fixed or lns: the kind of format f."""
        return self.name.partition("-")[0]

    @property
    def oracle(self) -> str:
        """The name of the function in tests/oracle.py that says what is right."""
        return self.name.replace("-", "_")

    @cached_property
    def operands(self) -> tuple[str, ...]:
        """The ports that stand for real numbers, in order."""
        options = {o.name for o in self.options}
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
        formats = self.port_formats(f, **options)
        ports = {name: port.words for name, port in formats.items()}
        settings = self.settings(options)
        if settings.get("rounding") == "stochastic":
            dropped = f.frac - settings["to"].frac if "to" in settings else f.frac
            if dropped > 0:
                ports["random"] = (0, (1 << dropped) - 1)
        return ports

    def circuit(self, f, **options) -> Circuit:
        """Return the operator in the format f; its output port is `out`."""
        ports, settings = self.ports(f, **options), self.settings(options)
        known = {**settings, "f": f, "mode": settings.get("overflow")}
        if "delta" in settings:
            known["delta"] = settings["delta"].at(f.frac, lns.zero_level(f))
        wanted = inspect.signature(self.spec, follow_wrapped=False).parameters
        given = {p: known[p] for p in wanted if p in known and p not in ports}
        circuit = trace(self.spec, ports, name=self.oracle, **given)
        return replace(circuit, params={k: str(v) for k, v in {"f": f, **settings}.items()})

    def truth(self, values: Mapping, **options):
        """Return the real function of float64 numbers or of `lnsarith.real.Real`s."""
        settings = self.settings(options)
        wanted = inspect.signature(self.real).parameters
        return self.real(**{p: settings[p] if p in settings else values[p] for p in wanted})

    def check_format(self, f):
        """Return f; raise FormatError if it is of another family."""
        if not isinstance(f, FAMILIES[self.family]):
            article = {"lns": "an lns", "fixed": "a fixed"}[self.family]
            raise FormatError(f"{self.name} takes {article} format such as "
                              f"{self.family}16, got {f}")
        return f


def parse_format(text: str) -> Fixed | Lns:
    """Return the format that a name such as lns16, lns9.4, fixed16 or ufixed8.8 means."""
    if text.startswith("lns"):
        return Lns.parse(text)
    if text.startswith(("fixed", "ufixed")):
        return Fixed.parse(text)
    raise FormatError(f"unknown format {text!r}; try lns16, lns9.4, fixed16 or ufixed8.8")


def find(name: str, family: str | None = None) -> Operator:
    """Return an operator by its full name (lns-add), or by its plain one (add).

    Of plain names the given family's is meant, without one lns before fixed.
    Raises FormatError, with near matches, for an unknown name.
    """
    for full in (name, *(f"{x}-{name}" for x in ([family] if family else ["lns", "fixed"]))):
        if full in OPERATORS:
            return OPERATORS[full]
    plain = name.split("-", 1)[-1] if name.startswith(("lns-", "fixed-")) else name
    names = {n.split("-", 1)[1] for n in OPERATORS} | set(OPERATORS)
    near = [n for n in OPERATORS if n.split("-", 1)[1] == plain] or (
        difflib.get_close_matches(name, sorted(names), 3, 0.5))
    hint = f"did you mean {' or '.join(near)}?" if near else "see lnsarith ops"
    within = f" for {family} formats" if family else ""
    raise FormatError(f"unknown operator {name!r}{within}; {hint}")


def _beta(given) -> int:
    try:
        return check_integer("beta", int(given), -31, 0)
    except ValueError:
        raise FormatError(f"beta must be an integer from -31 to 0, got {given!r}") from None


OVERFLOW = Option("overflow", "saturate", "what a result outside the format becomes",
                  fixed.OVERFLOWS)
ROUNDING = Option("rounding", "nearest-even", "how dropped bits are rounded", fixed.ROUNDINGS)
PLAIN_ROUNDING = replace(ROUNDING, choices=tuple(r for r in fixed.ROUNDINGS if r != "stochastic"))
UNDERFLOW = Option("underflow", "zero", "what a result below the smallest number becomes",
                   ("zero", "smallest"))
DELTA = Option("delta", "lut", "how the logarithm of a sum is approximated",
               tuple(delta.METHODS), delta.parse)
BETA = Option("beta", "-7", "log2 of the slope below zero", read=_beta)
TO = Option("to", "fixed8", "the format of the result", read=Fixed.parse)
SOURCE = Option("source", "fixed16", "the format of the operand", read=Fixed.parse)
EXPONENT = Option("exponent", "fixed8.4", "the format of the exponent y", read=Fixed.parse)


@wraps(fixed.leaky_relu)
def _fixed_leaky_relu(x, f, beta, rounding):
    return fixed.leaky_relu(x, f, beta, rounding)


@wraps(lns.leaky_relu)
def _lns_leaky_relu(x, f, beta):
    return lns.pack(lns.leaky_relu(lns.unpack(x, f), f, beta), f)


@wraps(lns.power)
def _lns_power(x, y, f, exponent, underflow):
    return lns.power(x, y, f, exponent.frac, underflow)


@wraps(convert.to_fixed)
def _to_fixed(x, f, to):
    return convert.to_fixed(x, f, to)


@wraps(convert.from_fixed)
def _from_fixed(x, f, source):
    return convert.from_fixed(x, source, f)
