"""How an operator is asked for and judged: options to try, and the oracle's function for it."""

import dataclasses
import inspect
from fractions import Fraction

from oracles import exact as oracle

from fxp.format import Fixed
from fxp.operators.segments import Segments
from fxp.operators.spindle import Spindle
from lnsarith.catalogue.operator import Operator
from lnsarith.delta.methods import Delta
from lnsarith.lns.format import Lns

GAINED = [{"ratio": "1/4", "gain": "4"}, {"ratio": "3/2"}, {"gain": "3", "overflow": "wrap"},
          {"gain": "1/2", "rounding": "down"},
          {"ratio": "5/256", "gain": "249/128", "rounding": "stochastic"},
          {"ratio": "1/2", "gain": "2^-3", "rounding": "stochastic", "overflow": "wrap"}]
MORE = {  # options that are no choice of a few
    "fixed-minselect": GAINED,
    "fixed-minselect-mac": GAINED,
    "fixed-spindle": [
        {"units": "-1:+2^-2,1.5:-2^1:left,0.25:+2^-6:left,2:-1", "to": "fixed8.4"},
        {"units": "offset=-3,0:4", "to": "fixed8.2", "rounding": "toward-zero"},
        {"units": "offset=5/4096,0:+2^-1", "to": "ufixed12.12"}],
    "fixed-pwl": [
        {"segments": "-1/2:3,-1.5:2^2:1/4096,0.75:0:-7", "to": "fixed8.2"},
        {"segments": "-2^-9:0", "to": "fixed12.10", "rounding": "toward-zero"},
        {"segments": "0:0,0:1:0", "to": "ufixed8.4", "rounding": "nearest-up"}],
}


# Oracle lines that tests/oracles/exact.py has not got yet; its own come first.

def fixed_leaky_relu(x, bits, frac, signed, beta, rounding):
    value = oracle.fixed_value(x, bits, frac, signed)
    slope = Fraction(1, 2**-beta) if value < 0 else 1
    return oracle.fixed_quantise(value * slope, bits, frac, signed, rounding)


def lns_min(x, y, bits, frac):
    return y if oracle.lns_compare(x, y, bits, frac) > 0 else x


def lns_max(x, y, bits, frac):
    return y if oracle.lns_compare(x, y, bits, frac) < 0 else x


def lns_leaky_relu(x, bits, frac, beta):
    sign, log = oracle.lns_decode(x, bits)
    return oracle.lns_encode(sign, log + beta * 2**frac if sign < 0 else log, bits)


def lns_to_fixed(x, bits, frac, to_bits, to_frac, to_signed):
    real = Fraction(oracle.lns_to_real(x, bits, frac))
    return oracle.fixed_quantise(real, to_bits, to_frac, to_signed)


def lns_from_fixed(x, bits, frac, source_bits, source_frac, source_signed):
    real = oracle.fixed_value(x, source_bits, source_frac, source_signed)
    return oracle.lns_from_real(real, bits, frac)


def truth(operator: Operator):
    """Return the oracle's function for an operator, or None."""
    return getattr(oracle, operator.oracle, None) or globals().get(operator.oracle)


def arguments(operator: Operator, f, settings: dict) -> dict:
    """Return what the oracle's function takes besides words, by parameter name."""
    known = dict(dataclasses.asdict(f), **settings)
    known |= {k: str(v) for k, v in settings.items() if isinstance(v, (Segments, Spindle))}
    for name, value in settings.items():
        if isinstance(value, (Fixed, Lns)):
            known |= {f"{name}_{k}": v for k, v in dataclasses.asdict(value).items()}
    if "delta" in settings:
        known["delta"] = delta_line(settings["delta"], f.frac)
    wanted = inspect.signature(truth(operator)).parameters
    return {k: v for k, v in known.items() if k in wanted}


def delta_line(method: Delta, frac: int):
    """Return D(gap, opposite) that a method is judged by: the oracle's, or, where the oracle
    has only a bound, which a test of its own holds it to, the method's."""
    options = dataclasses.asdict(method)
    if line := getattr(oracle, f"delta_{method.name}", None):
        return lambda gap, opposite: line(gap, opposite, frac, **options)
    assert hasattr(oracle, f"bound_{method.name}"), f"nothing judges {method.name}"
    cancel = -(1 << 40)
    spec = method.at(frac, cancel)

    def own(gap, opposite):
        word = int(spec(gap, -int(opposite)))
        return None if word == cancel else word

    return own
