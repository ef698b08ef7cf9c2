"""Units that are more than one operator: their names, options and how they are built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fxp import spec as fixed
from fxp.format import Fixed, FormatError
from fxp.text.numbers import whole
from lnsarith.catalogue.operator import FAMILIES, Option
from lnsarith.catalogue.operators import DELTA, GAIN, OVERFLOW, RATIO, UNDERFLOW
from verilog.design.design import Design
from verilog.design.name import design_name
from verilog.units.cfu.rescale import rescale_unit
from verilog.units.cfu.units import array_cfu, inner_name, mac_cfu, rescale_cfu
from verilog.units.dot import dot
from verilog.units.mac_unit import mac_unit
from verilog.units.macs import Mac, fixed_mac, lns_mac, minselect_mac, xnor_mac
from verilog.units.systolic import LARGEST, output_stationary, weight_stationary
from verilog.units.xnor_unit import xnor_unit

__all__ = ["UNITS", "Unit"]


def _count(name: str, low: int, high: int) -> Callable[[str], int]:
    def read(given: str) -> int:
        return whole(name, given, low, high)

    return read


def _number(name: str, default: int, low: int, high: int, summary: str) -> Option:
    return Option(name, str(default), summary, read=_count(name, low, high))


def _format_or_same(given: str) -> Fixed | str:
    return given if given == "same" else Fixed.parse(given)


ROUNDING = Option("rounding", "nearest-even", "how the sum is rounded",
                  tuple(r for r in fixed.ROUNDINGS if r != "stochastic"))
GUARD = _number("guard", 0, 0, 16, "more fraction bits in the register")
KIND = Option("kind", "exact", "the register: all bits, limited, or each product rounded",
              ("exact", "limited", "each"))
BITS = _number("bits", 48, 8, 62, "bits of a limited register")
DEPTH = _number("depth", 1024, 1, 1 << 16, "products that an exact register has room for")
TO = Option("to", "same", "the format of the sum", read=_format_or_same)
WIDE_TO = replace(TO, default="ufixed16.0", read=Fixed.parse)
N = _number("n", 7, 1, 64, "products")
ROWS = _number("rows", 4, 1, LARGEST, "rows of the array")
COLUMNS = _number("columns", 4, 1, LARGEST, "columns of the array")
STATIONARY = Option("stationary", "output", "what stays in its place", ("output", "weight"))
ARRAY = (ROWS, COLUMNS, STATIONARY)


def _lns(f, o) -> Mac:
    return lns_mac(f, o["delta"], o["guard"], o["underflow"])


def _fixed(f, o) -> Mac:
    to = f if o.get("to", "same") == "same" else o["to"]
    return fixed_mac(f, to, o["kind"], o["bits"], o["depth"], o.get("rounding", "nearest-even"),
                     o.get("overflow", "saturate"))


def _minselect(f, o) -> Mac:
    return minselect_mac(f, o["ratio"], o["gain"], o["depth"], o["rounding"], o["overflow"])


def _xnor(f, o) -> Mac:
    return xnor_mac(f, o.get("to", Fixed(32, 0, False)), o["depth"])


LNS = (DELTA, GUARD, UNDERFLOW)
FIXED = (TO, KIND, BITS, DEPTH, ROUNDING, OVERFLOW)
MINSELECT = (RATIO, GAIN, DEPTH, ROUNDING, OVERFLOW)
XNOR = (WIDE_TO, DEPTH)


@dataclass(frozen=True)
class Unit:
    """A unit of the family fixed or lns: what it computes, its options, its Mac.

    shape is mac-unit, dot, systolic, xnor-unit or rescale.
    """

    name: str
    summary: str
    shape: str
    mac: Callable[[Any, Mapping], Mac]
    options: tuple[Option, ...]
    usual_format: str

    @property
    def family(self) -> str:
        return self.name.partition("-")[0]

    @property
    def operands(self) -> tuple[str, ...]:
        """The data ports that take words."""
        weight = ("load", "swap", "go", "a", "w", "init")
        return {"mac-unit": ("start", "last", "init", "a", "b"), "dot": ("a", "b"),
                "xnor-unit": ("start", "last", "threshold", "a", "b"),
                "rescale": ("function", "inputs_0", "inputs_1"),
                "systolic": ("start", "last", "a", "b", "or", *weight)}[self.shape]

    def settings(self, options: Mapping) -> dict[str, Any]:
        """Return the value of every option, by default the default."""
        for name in options:
            if name not in {o.name for o in self.options}:
                takes = ", ".join(o.name for o in self.options)
                raise FormatError(f"{self.name} has no option {name!r}; it takes {takes}")
        return {o.name: o.value(options.get(o.name, o.default)) for o in self.options}

    def design(self, f: Any, options: Mapping | None = None, latency: int = 0,
               target_ns: float | None = None, memories: bool = False,
               name: str | None = None) -> Design:
        """Return the unit in a format; FormatError for what cannot be."""
        kind: Any = FAMILIES[self.family]
        if not isinstance(f, kind):
            raise FormatError(f"{self.name} takes a format such as {self.usual_format}, got {f}")
        given = self.settings(options or {})
        settings = {k: str(value) for k, value in {"format": f, **given}.items()}

        def called(latency: int) -> str:
            return name or design_name(self.name, f, self.options, given, latency, memories)

        if self.shape == "dot":
            mac = self.mac(f, {**given, "kind": "exact", "bits": 62, "depth": given["n"]})
            return dot(called, self.summary, mac, given["n"], settings, latency, target_ns,
                       memories)
        if latency or target_ns is not None:
            raise FormatError(f"{self.name} has registers of its own: no latency, no target")
        if self.shape == "rescale":
            return rescale_unit(called(0), self.summary, f, settings)
        if self.shape == "xnor-unit":
            return xnor_unit(called(0), self.summary, f, given["depth"], settings)
        if self.shape == "mac-unit":
            return mac_unit(called(0), self.summary, self.mac(f, given), settings, memories)
        build = output_stationary if given["stationary"] == "output" else weight_stationary
        return build(called(0), self.summary, self.mac(f, given), given["rows"], given["columns"],
                     settings, memories)

    def as_cfu(self, f: Any, options: Mapping | None = None, latency: int = 0,
               target_ns: float | None = None, memories: bool = False,
               name: str | None = None) -> Design:
        """Return the unit as a custom function unit, its commands around the same sums;
        FormatError for what cannot be."""
        kind: Any = FAMILIES[self.family]
        if not isinstance(f, kind):
            raise FormatError(f"{self.name} takes a format such as {self.usual_format}, got {f}")
        if latency or target_ns is not None:
            raise FormatError(f"{self.name} has registers of its own: no latency, no target")
        given = self.settings(self._suited(f, options or {}))
        settings = {k: str(value) for k, value in {"format": f, **given}.items()}
        called = f"{name}_op" if name else inner_name(
            design_name(self.name, f, self.options, given, 0, memories))
        mac = self.mac(f, {"kind": "exact", "bits": 62, "depth": 1024, **given})
        if self.shape == "systolic":
            unit = array_cfu(called, self.summary, mac, given["rows"], given["columns"],
                             settings, called=name, memories=memories)
        elif self.shape == "rescale":
            unit = rescale_cfu(called, self.summary, f, settings, name)
        else:
            unit = mac_cfu(called, self.summary, mac, settings, given.get("n", 1), called=name,
                           memories=memories, fires=self.shape == "xnor-unit")
        return unit.whole

    def _suited(self, f: Any, options: Mapping) -> dict:
        """Return the options, with what suits two operands of 32 bits where none is given."""
        if self.shape == "systolic":
            if options.get("stationary", "weight") != "weight":
                raise FormatError("as a custom function unit an array keeps its weights: give "
                                  "stationary=weight, or none")
            return {"stationary": "weight", **options}
        if self.shape == "dot":
            return {"n": str(32 // f.bits), **options}
        return dict(options)


def _family(prefix: str, what: str, mac, options, usual: str) -> list[Unit]:
    """Return the unit, the tree and the array of one kind of sum; a tree has room for
    just its n products."""
    tree = (N, *(o for o in options if o not in (KIND, BITS, DEPTH)))
    return [
        Unit(f"{prefix}mac-unit", f"{what}, a product a cycle", "mac-unit", mac, options, usual),
        Unit(f"{prefix}dot", f"{what}, n products at once", "dot", mac, tree, usual),
        Unit(f"{prefix}systolic", f"{what}, a systolic array", "systolic", mac,
             (*ARRAY, *options), usual)]


UNITS: dict[str, Unit] = {u.name: u for u in (
    *_family("fixed-", "fixed-point sums of products", _fixed, FIXED, "fixed16"),
    *_family("fixed-minselect-", "sums of min-selector products", _minselect, MINSELECT,
             "fixed16"),
    *_family("fixed-xnor-", "counts of equal bits", _xnor, XNOR, "ufixed16.0"),
    Unit("fixed-xnor-unit", "counts of equal bits against a threshold", "xnor-unit", _xnor,
         (DEPTH,), "ufixed32.0"),
    Unit("fixed-rescale", "sums of 32 bits as words of 8: multiplier, shift, clamp", "rescale",
         _fixed, (), "fixed8.0"),
    *_family("lns-", "logarithmic sums of products", _lns, LNS, "lns16"),
)}
