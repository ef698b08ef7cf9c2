"""Every operator and unit of the catalogue: how far off an operator is, and what each costs.

Of an operator in its usual format and in one of eight bits, with its defaults: the largest and
the RMS error in units of the last place over all words, or over corners and 2^18 random ones
where there are more; what has no such error (saturated, cancelled) is left out, as `lnsarith check`
tells. Two-input gates, inverters, flip-flops and depth after Yosys in its default flow, or in
`unswept` where that does not end, of operators and of units in eight bits. None of it depends on
how loaded the machine is.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.common.options import make_parser, names_of
from benchmarks.common.rows import Results, say
from fxp.format import FormatError
from lnsarith.catalogue.operators import OPERATORS
from verilog.units.catalogue import UNITS

FEW, SAMPLES = 1 << 20, 1 << 18
SECONDS = 300.0  # for one run of Yosys

COLUMNS = {"row": "name", "format": "format", "max_ulp": "largest ULP:.3g",
           "rms_ulp": "RMS ULP:.3g", "tried": "words", "gates": "gates",
           "flip_flops": "flip-flops", "depth": "depth", "flow": "flow"}


def main(argv: list[str] | None = None) -> int:
    """Judge every row in each of its formats, print the table and return the exit code."""
    options = _parser().parse_args(argv)
    results = Results("hardware/catalogue", options.results)
    for name in options.names:
        for f in formats(name):
            say(f"{name} {f}")
            try:
                errors = _errors(name, f) if name in OPERATORS else {}
            except FormatError as error:  # the defaults of fits ask for longer words
                say(f"  left out: {error}")
                continue
            results.add({"row": name, "format": f, **errors, **_cost(name, f)})
    return results.finish(COLUMNS)


def formats(name: str) -> list[str]:
    """Return the formats in which a row is judged: units in eight bits alone."""
    row = OPERATORS.get(name) or UNITS[name]
    usual = row.usual_format
    small = f"{row.family}8" if usual == f"{row.family}16" else usual
    return [small] if name in UNITS else list(dict.fromkeys([small, usual]))


def _errors(name: str, f: str) -> dict:
    """Return the errors of an operator with its defaults."""
    from lnsarith.api import check

    few = check(name, f, samples=1).combinations <= FEW
    found = check(name, f, exhaustive=few, samples=None if few else SAMPLES)
    return {"max_ulp": found.max_ulp, "rms_ulp": found.rms_ulp, "bias_ulp": found.bias_ulp,
            "tried": "all" if few else "some", "count": found.count}


def _cost(name: str, f: str) -> dict:
    """Return the gates of a design with its defaults, or why there are none."""
    from verilog.catalogue import design
    from verilog.cost.synth import synthesise
    from verilog.tools import ToolError, ToolTimeout

    try:
        subject = design(name, f)
        try:
            cost = synthesise(subject, flow="plain", seconds=SECONDS)
        except ToolTimeout:
            cost = synthesise(subject, flow="unswept", seconds=SECONDS)
    except (FormatError, ToolError) as error:
        return {"gates": None, "inverters": None, "depth": None, "note": str(error)[:200]}
    return {"gates": cost.gates, "inverters": cost.inverters, "flip_flops": cost.flip_flops,
            "depth": cost.depth, "flow": cost.flow, "tools": cost.tools}


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("catalogue", __doc__, dataset=False)
    known = [*OPERATORS, *UNITS]
    parser.add_argument("--names", type=names_of(known), default=known, metavar="A,B",
                        help="which operators and units (default all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
