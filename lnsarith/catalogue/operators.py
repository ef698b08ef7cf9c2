"""Every operator, once: its spec, its ports and options, and the real function it means.

From this list follow the choices of the commands, the tests against the oracle,
and the Verilog. A new operator is a spec, a line in tests/oracles/exact.py under the
operator's name, and a row here.

    operator = find("lns-add")              or find("add", "lns")
    operator.ports(f)                       {"x": (low, high), "y": (low, high)}
    operator.circuit(f, delta="lut:r=1/4")  what is compiled, printed and proved
    operator.truth({"x": 1.5, "y": 2.5})    4.0
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

import numpy as np

from fxp import spec as fixed
from fxp.format import Fixed, FormatError
from fxp.operators.minselect import dropped_bits, minselect, minselect_mac, read_gain, read_ratio
from fxp.operators.segments import Segments, pwl
from fxp.operators.spindle import Spindle, spindle
from fxp.operators.xnor import equal_bits, xnor_popcount
from fxp.text.numbers import whole
from lnsarith.catalogue.operator import FAMILIES, Operator, Option
from lnsarith.catalogue.real import choose
from lnsarith.delta import methods as delta
from lnsarith.lns import convert
from lnsarith.lns import spec as lns
from lnsarith.lns.format import Lns
from lnsarith.spindle.file import WRITES, read_fit

__all__ = ["OPERATORS", "Operator", "Option", "find", "operator_for", "parse_format"]

ORDER = Fixed(4, 0)  # holds the -1, 0, 1 of a comparison
COUNT = Fixed(6, 0, False)  # holds a number of bits, 0..32


def _beta(given) -> int:
    return whole("beta", given, -31, 0)


def _fitted(key: str, parse: Callable) -> Callable:
    """Return the reader of a text, or of @FILE, which has it under a key."""

    def read(text: str):
        if not text.startswith("@"):
            return parse(text)
        found = read_fit(text[1:])
        if found.get(key) is None:
            raise FormatError(f"{text[1:]} holds no {key} that fit; {WRITES}")
        try:
            return parse(found[key])
        except FormatError as error:
            raise FormatError(f"{text[1:]} holds no {key} that fit ({error})") from None

    return read


OVERFLOW = Option("overflow", "saturate", "what a result outside the format becomes",
                  fixed.OVERFLOWS)
ROUNDING = Option("rounding", "nearest-even", "how dropped bits are rounded", fixed.ROUNDINGS)
LNS_ROUNDING = replace(ROUNDING, choices=("nearest-even", "stochastic"))
PLAIN_ROUNDING = replace(ROUNDING, choices=tuple(r for r in fixed.ROUNDINGS if r != "stochastic"))
UNDERFLOW = Option("underflow", "zero", "what a result below the smallest number becomes",
                   ("zero", "smallest"))
DELTA = Option("delta", "lut", "how the logarithm of a sum is approximated",
               delta.METHODS.keys(), delta.parse)
BETA = Option("beta", "-7", "log2 of the slope below zero", read=_beta)
TO = Option("to", "fixed8", "the format of the result", read=Fixed.parse)
LNS_TO = replace(TO, default="lns8", read=Lns.parse)
SOURCE = Option("source", "fixed16", "the format of the operand", read=Fixed.parse)
FIXED_TO = replace(TO, default="fixed16")
SHIFT_ROUNDING = replace(PLAIN_ROUNDING, default="down")
RATIO = Option("ratio", "1", "the mean |x| by the mean |y|: 1, 1/4, 3/2, ...", read=read_ratio)
GAIN = Option("gain", "1", "what multiplies the smaller magnitude; 249/128 fits half-normal "
              "operands best", read=read_gain)
UNITS = Option("units", "logistic8", "shifted ReLUs, offset=NUMBER,KNEE:GAIN[:left],..., or "
               "@FILE of lnsarith spindle fit", read=_fitted("units", Spindle.parse))
SEGMENTS = Option("segments", "logistic9", "lines, SLOPE:INTERCEPT,START:SLOPE:INTERCEPT,..., "
                  "or @FILE", read=_fitted("segments", Segments.parse))
EXPONENT = Option("exponent", "fixed8.4", "the format of the exponent y", read=Fixed.parse)


@wraps(lns.resize)
def _lns_resize(x, f, to, underflow, random=None):
    return lns.pack(lns.resize(lns.unpack(x, f), f, to, underflow, random), to)


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


def _compare(x, y):
    return (x > y) * 1.0 - (x < y) * 1.0


def _minselect(x, y, ratio, gain):
    size = np.minimum(abs(x), float(ratio) * abs(y))
    return np.sign(x) * np.sign(y) * float(gain) * size


def _minselect_bits(f, settings) -> int:
    return dropped_bits(settings["ratio"], settings["gain"])


def _leaky(x, beta):
    return choose(x < 0, x * 2.0**beta, x)


OPERATORS: dict[str, Operator] = {row.name: row for row in (
    Operator("fixed-add", "x + y", fixed.add, lambda x, y: x + y, (OVERFLOW,)),
    Operator("fixed-sub", "x - y", fixed.sub, lambda x, y: x - y, (OVERFLOW,)),
    Operator("fixed-neg", "-x", fixed.neg, lambda x: -x, (OVERFLOW,)),
    Operator("fixed-abs", "|x|", fixed.absolute, lambda x: abs(x), (OVERFLOW,)),
    Operator("fixed-mul", "x * y", fixed.mul, lambda x, y: x * y, (ROUNDING, OVERFLOW)),
    Operator("fixed-mac", "acc + x * y, rounded once", fixed.mac,
             lambda acc, x, y: acc + x * y, (ROUNDING, OVERFLOW)),
    Operator("fixed-resize", "x in another fixed-point format", fixed.resize, lambda x: x,
             (TO, ROUNDING, OVERFLOW), output="to"),
    Operator("fixed-compare", "-1, 0 or 1 as x <, = or > y", fixed.compare, _compare,
             output=ORDER),
    Operator("fixed-min", "the smaller of x and y", fixed.least,
             lambda x, y: choose(x < y, x, y)),
    Operator("fixed-max", "the larger of x and y", fixed.greatest,
             lambda x, y: choose(x > y, x, y)),
    Operator("fixed-leaky-relu", "x, times 2**beta if negative", fixed.leaky_relu, _leaky,
             (BETA, PLAIN_ROUNDING)),
    Operator("fixed-minselect", "x * y by the smaller magnitude", minselect, _minselect,
             (RATIO, GAIN, ROUNDING, OVERFLOW), dropped=_minselect_bits),
    Operator("fixed-minselect-mac", "acc + minselect, rounded once", minselect_mac,
             lambda acc, x, y, ratio, gain: acc + _minselect(x, y, ratio, gain),
             (RATIO, GAIN, ROUNDING, OVERFLOW), dropped=_minselect_bits),
    Operator("fixed-spindle", "a sum of shifted ReLUs of x", spindle,
             lambda x, units: units.real(x), (UNITS, FIXED_TO, SHIFT_ROUNDING), output="to"),
    Operator("fixed-pwl", "lines of x with slopes 2**n", pwl,
             lambda x, segments: segments.real(x), (SEGMENTS, FIXED_TO, PLAIN_ROUNDING),
             output="to"),
    Operator("fixed-xnor-popcount", "how many bits of x and y agree", xnor_popcount,
             equal_bits, output=COUNT, example="ufixed16.0"),
    Operator("lns-add", "x + y", lns.add, lambda x, y: x + y, (DELTA, UNDERFLOW)),
    Operator("lns-sub", "x - y", lns.sub, lambda x, y: x - y, (DELTA, UNDERFLOW)),
    Operator("lns-mul", "x * y", lns.mul, lambda x, y: x * y, (UNDERFLOW,)),
    Operator("lns-div", "x / y", lns.div, lambda x, y: x / y, (UNDERFLOW,)),
    Operator("lns-mac", "acc + x * y, the product a word", lns.mac,
             lambda acc, x, y: acc + x * y, (DELTA, UNDERFLOW)),
    Operator("lns-neg", "-x", lns.neg, lambda x: -x),
    Operator("lns-abs", "|x|", lns.absolute, lambda x: abs(x)),
    Operator("lns-resize", "x in another logarithmic format", _lns_resize, lambda x: x,
             (LNS_TO, LNS_ROUNDING, UNDERFLOW), output="to"),
    Operator("lns-compare", "-1, 0 or 1 as x <, = or > y", lns.compare, _compare,
             output=ORDER),
    Operator("lns-min", "the smaller of x and y", lns.least,
             lambda x, y: choose(x < y, x, y)),
    Operator("lns-max", "the larger of x and y", lns.greatest,
             lambda x, y: choose(x > y, x, y)),
    Operator("lns-sqrt", "the square root of x", lns.sqrt, lambda x: x**0.5),
    Operator("lns-power", "|x| ** y, y fixed-point", _lns_power, lambda x, y: abs(x) ** y,
             (EXPONENT, UNDERFLOW), formats={"y": "exponent"}),
    Operator("lns-leaky-relu", "x, times 2**beta if negative", _lns_leaky_relu, _leaky,
             (BETA,)),
    Operator("lns-to-fixed", "x as a fixed-point word", _to_fixed, lambda x: x,
             (FIXED_TO,), output="to"),
    Operator("lns-from-fixed", "x as a logarithmic word", _from_fixed,
             lambda x: x, (SOURCE,), formats={"x": "source"}),
)}


def parse_format(text: str) -> Fixed | Lns:
    """Return the format that a name such as lns16, lns9.4, fixed16 or ufixed8.8 means."""
    if text.startswith("lns"):
        return Lns.parse(text)
    if text.startswith(("fixed", "ufixed")):
        return Fixed.parse(text)
    raise FormatError(f"unknown format {text!r}; try lns16, lns9.4, fixed16 or ufixed8.8")


def operator_for(name: str, f=None) -> tuple[Operator, Fixed | Lns]:
    """Return an operator by its name, of the family of a format f or of its name where both
    have one, and that format, by default one that suits."""
    f = parse_format(f) if isinstance(f, str) else f
    family = next((key for key, kind in FAMILIES.items() if isinstance(f, kind)), None)
    operator = find(name, family)
    return operator, parse_format(operator.usual_format) if f is None else f


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
