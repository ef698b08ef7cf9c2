"""lnsarith spindle fit: shifted ReLUs for a function, or for the distribution of samples."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from fractions import Fraction

__all__ = ["options", "run"]


def options(parser: ArgumentParser) -> None:
    """Add the action fit with its options."""
    actions = parser.add_subparsers(metavar="fit", required=True)
    fit = actions.add_parser("fit", help="find the fewest shifted ReLUs for a function")
    fit.add_argument("--function", metavar="NAME|FILE", required=True,
                     help="logistic, eq2, eq3, or a .csv, .txt, .npy or .npz file: samples in "
                     "one column, or x and the cumulative distribution in two")
    fit.add_argument("--error", type=float, metavar="E",
                     help="the largest error that may be (default 0.01, without --units)")
    fit.add_argument("--units", type=int, metavar="N",
                     help="at most so many; without --error, the least error that they can have")
    fit.add_argument("--step", metavar="2^-N", help="how far knees are apart (default: finer "
                     "for smaller errors)")
    fit.add_argument("--finest", metavar="2^-N", help="the smallest gain (default: by the "
                     "function's slope)")
    fit.add_argument("--out", metavar="FILE", help="write the units as JSON, for "
                     "lnsarith check spindle --option units=@FILE")
    fit.add_argument("--plot", metavar="FILE", help="draw the function and the fit")
    fit.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace) -> int:
    """Fit, write args.out and args.plot, and print a summary or, with args.json, the file's
    object. Raises FormatError or OSError for what cannot be."""
    from lnsarith import files, picture, spindle_fit
    from lnsarith.function_file import read_target

    if args.out:
        files.require_writable(args.out)
    if args.plot:
        picture.require_writable(args.plot)
    target = read_target(args.function)
    fit = spindle_fit.fit(target, args.error, args.units, _exponent("step", args.step),
                          _exponent("finest", args.finest))
    if args.out:
        content = json.dumps(fit.as_dict(), indent=1) + "\n"
        files.write_whole(args.out, lambda part: part.write_text(content, "utf-8"))
    if args.plot:
        spindle_fit.draw(args.plot, fit, target)
    if args.json:
        print(json.dumps({**fit.as_dict(), "out": args.out, "plot": args.plot}))
    else:
        written = [f"{what} {path}" for what, path in (("written to", args.out),
                                                       ("drawn in", args.plot)) if path]
        print("\n".join([*fit.lines(), *written]))
    return 0


def _exponent(name: str, text: str | None) -> int | None:
    """Return the exponent of a power of two given as 2^-4, 1/16 or 0.0625."""
    from fxp.dyadic import dyadic, power_of_two
    from fxp.format import FormatError

    if text is None:
        return None
    value: Fraction = dyadic(name, text)
    log = power_of_two(value)
    if log is None:
        raise FormatError(f"{name} must be a power of two such as 2^-4, got {text}")
    return log
