"""A Delta method against its oracle: at every gap, and in every sum of small words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache

from fxp.run.backend import BACKENDS
from lnsarith.catalogue.operators import find
from lnsarith.delta.methods import Delta, parse
from lnsarith.lns.format import Lns
from lnsarith.plugins.load import load_plugin
from lnsarith.testing.hardware import check_hardware
from lnsarith.testing.operators import compare
from lnsarith.testing.report import Report, demand_same
from lnsarith.testing.words import plain_add

__all__ = ["check_delta"]

FORMATS = ("lns6.2", "lns8.3", "lns8.6")
OCTAVES = 6  # beyond frac + OCTAVES octaves every D is 0 or less than a unit
CANCEL = -(1 << 40)

Oracle = Callable[..., "int | None"]


def check_delta(plugin, method: str, oracle: Oracle, formats: Iterable[str] = FORMATS,
                fracs: Iterable[int] = (1, 3, 6, 10), hardware: bool = True) -> Report:
    """Return what was compared of a Delta method; AssertionError where something differs.

    plugin is the file that brings it, None for one that is known; method is as on the command
    line, ramp or ramp:width=3. oracle(gap, opposite, frac, **options) returns D in units of
    2**-frac for a gap in units, None where the sum is exactly zero; it gets the options that
    are not their defaults. At each of fracs it is asked for every gap; in each of formats for
    every pair of words, whose sums the plain adder of `lnsarith.testing.words` takes by it.
    hardware adds the Verilog of an adder in the first format.
    """
    if plugin is not None:
        load_plugin(plugin)
    delta, report = parse(method), Report(method, backends=BACKENDS)
    options = _options(delta)
    for frac in fracs:
        report.compared[f"gaps at {frac} fraction bits"] = _gaps(delta, oracle, frac, options)
    add = find("lns-add")

    @cache  # thousands of pairs have the same gap
    def asked(gap: int, opposite: bool, frac: int) -> int | None:
        return oracle(gap, opposite, frac, **options)

    for text in formats:
        f = Lns.parse(text)

        def right(x: int, y: int, f: Lns = f) -> int:
            return plain_add(x, y, f.bits, lambda gap, opposite: asked(gap, opposite, f.frac))

        report.compared[text] = compare(add, f, {"delta": method}, right)
    if hardware:
        check_hardware(report, "lns-add", tuple(formats)[0], {"delta": method})
    return report


def _options(delta: Delta) -> dict:
    """Return the options of a method that are not their defaults."""
    return {field.name: getattr(delta, field.name) for field in fields(delta)
            if getattr(delta, field.name) != field.default}


def _gaps(delta: Delta, oracle: Oracle, frac: int, options: dict) -> int:
    """Compare the method with its oracle at every gap; return how many there were."""
    spec = delta.at(frac, CANCEL)

    def rows():
        for gap in range((frac + OCTAVES) << frac):
            for opposite in (False, True):
                word = int(spec(gap, -int(opposite)))
                yield ({"gap": gap, "opposite": opposite}, None if word == CANCEL else word,
                       oracle(gap, opposite, frac, **options))

    return demand_same(f"{delta} at {frac} fraction bits", rows())
