"""Delta methods: how each errs and what its multiply-accumulate costs, at each width.

Of the sum of two words: the largest and the RMS error in units of the last place of the log,
over corners and 2^18 random pairs (12 bits and less: all). Of 785-term dot products of normal
numbers, one operand of mean zero: the RMS error, and the mean error, both by the RMS of the true
sums. Of a combinational MAC: two-input gates, inverters and the depth after Yosys, in its
default flow. None of it depends on how loaded the machine is.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.common.options import make_parser, names_of
from benchmarks.common.rows import Results, say

METHODS = ("exact", "interp", "pwl", "balanced", "mitchell", "lut", "bitshift")
FORMATS = ("lns8", "lns12", "lns16")
TERMS, SUMS = 785, 400
SECONDS = 300.0  # for one run of Yosys

COLUMNS = {"row": "method", "format": "format", "max_ulp": "largest ULP:.3g",
           "rms_ulp": "RMS ULP:.3g", "dot_rms": "dot RMS:.3g", "dot_mean": "dot mean:+.3g",
           "gates": "gates", "depth": "depth"}


def main(argv: list[str] | None = None) -> int:
    """Judge every method in every format, print the table and return the exit code."""
    options = _parser().parse_args(argv)
    results = Results("hardware/deltas", options.results)
    for name in options.formats:
        for method in options.methods:
            say(f"{name} {method}")
            cost = {} if options.no_gates else _cost(name, method)
            results.add({"row": method, "format": name, **_errors(name, method),
                         **_dot(name, method), **cost})
    return results.finish(COLUMNS)


def _errors(name: str, method: str) -> dict:
    """Return the errors of the sum of two words."""
    from lnsarith.api import check

    few = name in ("lns8", "lns12")
    found = check("lns-add", name, delta=method, exhaustive=few,
                  samples=None if few else 1 << 18)
    return {"max_ulp": found.max_ulp, "rms_ulp": found.rms_ulp, "bias_ulp": found.bias_ulp,
            "pairs": found.count}


def _dot(name: str, method: str) -> dict:
    """Return the errors of long dot products, by the RMS of the true ones."""
    from lnsarith.catalogue.array import LnsArray
    from lnsarith.delta.methods import parse

    random = np.random.default_rng(1)
    a = LnsArray.from_float(random.normal(0, 1, (SUMS, TERMS)), name, delta=parse(method))
    b = LnsArray.from_float(np.abs(random.normal(0, 1, (TERMS, 1))), name, delta=parse(method))
    true = a.to_float() @ b.to_float()
    error = (a @ b).to_float() - true
    size = float(np.sqrt(np.mean(true**2)))
    return {"dot_rms": float(np.sqrt(np.mean(error**2))) / size,
            "dot_mean": float(np.mean(error)) / size}


def _cost(name: str, method: str) -> dict:
    """Return the gates of a multiply-accumulate, or why there are none."""
    from fxp.format import FormatError
    from verilog.catalogue import design
    from verilog.cost.synth import synthesise
    from verilog.tools import ToolError

    try:
        cost = synthesise(design("lns-mac", name, {"delta": method}), flow="plain",
                          seconds=SECONDS)
    except (FormatError, ToolError) as error:
        return {"gates": None, "inverters": None, "depth": None, "note": str(error)[:200]}
    return {"gates": cost.gates, "inverters": cost.inverters, "depth": cost.depth,
            "tools": cost.tools}


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("hardware.deltas", __doc__, dataset=False)
    parser.add_argument("--methods", type=names_of(METHODS), default=METHODS, metavar="A,B")
    parser.add_argument("--formats", type=names_of(FORMATS), default=FORMATS, metavar="A,B")
    parser.add_argument("--no-gates", action="store_true", help="leave Yosys out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
