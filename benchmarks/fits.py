"""Fits: how few shifted ReLUs meet an error, in how many seconds.

The counts of units are to be no more than the least ones known. Beside them stand pieces,
each a switch on and a switch off of a ReLU: those that the SPINDLE slides give for their
BLS-PWL, those of ours (for an RMS error), those of LS-PWL with slopes of three shifts (for
one peak), and the fewest lines with slopes of one shift. The seconds are those of the units
alone, with compiled kernels.
"""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.common.options import make_parser, names_of
from benchmarks.common.rows import Mark, Results, say

ERRORS = (0.01, 0.005, 0.001)
UNITS = {"logistic": (10, 12, 24), "eq2": (8, 14, 28), "eq3": (6, 9, 21)}
SLIDES = {"logistic": (23, 33, 163), "eq2": (17, 35, 137), "eq3": (19, 31, 129)}
SECONDS = Mark("<", 5)

COLUMNS = {"row": "function", "error": "error:g", "what": "what", "value": "value:.3g",
           "mark": "mark", "reached": "reached", "slides": "slides' BLS:d",
           "bls_pieces": "BLS:d", "ls_pieces": "LS:d", "lines": "lines:d"}


def main(argv: list[str] | None = None) -> int:
    """Fit every function at every error, print the table and return the exit code."""
    options = _parser().parse_args(argv)
    results = Results("fits", options.results)
    _fit(next(iter(UNITS)), 0.1)  # compile
    for name in options.functions:
        for error, units, slides in zip(ERRORS, UNITS[name], SLIDES[name]):
            say(f"{name}, error {error}")
            _add(results, name, error, units, slides)
    return results.finish(COLUMNS)


def _add(results: Results, name: str, error: float, units: int, slides: int) -> None:
    from fxp.fit.functions import TARGETS, largest_error
    from fxp.fit.pieces import bls_pieces, light_slopes, ls_pieces
    from fxp.fit.segments import fit_segments

    start = time.perf_counter()
    found = _fit(name, error)
    seconds = time.perf_counter() - start
    target = TARGETS[name]
    reached = largest_error(found.real, target)
    if reached > error:
        raise SystemExit(f"the fit of {name} errs by {reached:g}, more than {error:g}")
    row = {"row": name, "error": error}
    sides = {"slides": slides, "bls_pieces": len(bls_pieces(target, error)),
             "lines": len(fit_segments(target, error).segments)}
    if name == "logistic":
        sides["ls_pieces"] = len(ls_pieces(target, error, light_slopes(3)))
    count = len(found.units)
    results.add({**row, "what": "units", "value": count, **sides}, count, Mark("<=", units))
    results.add({**row, "what": "seconds", "value": seconds}, seconds, SECONDS)


def _fit(name: str, error: float):
    from fxp.fit.functions import TARGETS
    from fxp.fit.spindle import fit_spindle, grid_for

    return fit_spindle(TARGETS[name], error, grid_for(TARGETS[name], error))


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("fits", __doc__, dataset=False)
    parser.add_argument("--functions", type=names_of(UNITS), default=list(UNITS), metavar="A,B",
                        help=f"which of {', '.join(UNITS)} (default all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
