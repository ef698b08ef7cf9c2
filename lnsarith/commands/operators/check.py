"""lnsarith check: an operator against real arithmetic."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable

from fxp.format import FormatError
from lnsarith.catalogue.bench.bench import COMPARED_FIXED, COUNTS, Case
from lnsarith.catalogue.bench.report import Report, check
from lnsarith.catalogue.operators import operator_for
from lnsarith.host.picture import wrapped

__all__ = ["given_options", "run"]


def run(args: Namespace) -> int:
    """Print the report of args.op, or with args.json one object; draw it to args.plot.

    args has op, arith, delta, samples, exhaustive, correlation, plot, json, seed and
    option, a list of texts name=value. Raises FormatError or ValueError for what
    cannot be.
    """
    if args.correlation:
        from lnsarith.commands.operators import similarity

        return similarity.run(args)
    operator, f = operator_for(args.op, args.arith or None)
    options = given_options(args.option or (), args.delta)
    if args.plot:
        from lnsarith.catalogue.bench import plot as check_plot

        check_plot.require_writable(args.plot)
    report = check(operator, f, options, args.samples, args.exhaustive, args.seed)
    if args.plot:
        check_plot.draw(args.plot, report, operator, f, options)
    if args.json:
        print(json.dumps({**report.as_dict(), "plot": str(args.plot) if args.plot else None}))
    else:
        print("\n".join(_lines(report) + ([f"\ndrawn in {args.plot}"] if args.plot else [])))
    return 0


def given_options(texts: Iterable[str], delta: str | None) -> dict[str, str]:
    """Return the options written name=value, and delta; FormatError for anything else."""
    options: dict[str, str] = {}
    for text in [*texts, *([f"delta={delta}"] if delta else [])]:
        name, equals, value = text.partition("=")
        if not equals:
            raise FormatError(f"an option is name=value, got {text!r}")
        if options.setdefault(name, value) != value:
            raise FormatError(f"option {name} is given twice: {options[name]} and {value}")
    return options


def _lines(report: Report) -> list[str]:
    """Return the report for a person, line by line."""
    settings = [report.f, *(f"{k} {v}" for k, v in report.options.items())]
    return [
        f"{report.operator}: {report.summary}",
        *wrapped(", ".join(settings), 88),
        _tried(report),
        "",
        *_errors(report),
        "",
        "results",
        *_counts(report),
        *_worst(report),
    ]


def _tried(report: Report) -> str:
    if report.exhaustive:
        return f"all {report.count:,} combinations of words"
    return (f"{report.count:,} of {report.combinations:,} combinations of words: "
            f"corners, then random (seed {report.seed})")


def _errors(report: Report) -> list[str]:
    frac = report.output.partition(".")[2]
    kind = "log2 of the result" if report.output.startswith("lns") else "the result"
    unit = f"ULP = {'1' if frac == '0' else f'2**-{frac}'} of {kind}"
    rows = (("largest", report.max_ulp, report.max_relative, ""),
            ("mean", report.mean_ulp, report.mean_relative, ""),
            ("RMS", report.rms_ulp, report.rms_relative, ""),
            ("bias", report.bias_ulp, report.bias_relative, "+"))
    return [f"error     {'ULP':>12}{'relative':>12}    {unit}",
            *(f"  {label:8}{ulp:>{sign}12.4g}{100 * relative:>{sign}10.3g} %"
              for label, ulp, relative, sign in rows)]


def _counts(report: Report) -> list[str]:
    """Return what became of the results: rows that add up, or tell of which they are some."""
    parts = () if report.output.startswith("lns") else COMPARED_FIXED
    order = ["compared", *parts, *(n for n in COUNTS if n != "compared" and n not in parts)]
    told = {name: f"of these, {COUNTS[name]}" for name in parts if name != "cancelled"}
    return [f"  {n:>13,} {n / report.count:8.2%}  {name.replace('_', ' '):11} "
            f"{told.get(name, COUNTS[name])}" for name in order if (n := report.counts[name])]


def _worst(report: Report) -> list[str]:
    if report.worst == report.worst_relative:
        return _case("worst", report.worst)
    return [*_case("worst in ULP", report.worst),
            *_case("worst relative error", report.worst_relative)]


def _case(title: str, case: Case | None) -> list[str]:
    if case is None:
        return []
    error = f"error {case.error_ulp:+.4g} ULP, {100 * case.relative:+.3g} %"
    rows = [(n, str(word), _value(case.values[n]) if n in case.values else "")
            for n, word in case.words.items()]
    rows.append(("result", str(case.result_word), _value(case.result)))
    rows.append(("truth", "", _value(case.truth)))
    return ["", f"{title}: {error}", f"  {'':8} {'word':>12}   value",
            *(f"  {name:8} {word:>12}   {value}".rstrip() for name, word, value in rows)]


def _value(value: float | None) -> str:
    return "beyond float64" if value is None else f"{value:.9g}"
