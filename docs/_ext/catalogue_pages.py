"""The pages of operators, units and Delta methods, from the catalogue."""

import dataclasses
import inspect

import results

from lnsarith.catalogue.operators import OPERATORS, parse_format
from lnsarith.delta.methods import METHODS
from verilog.design.design import operator_ports
from verilog.units.catalogue import UNITS

# D+ and D- of each method, in words of mathematics.
FORMULAS = {
    "exact": r"$D$ rounded to nearest at every gap, up to where both round to zero",
    "lut": r"$D(k r)$ with $k$ the integer nearest to $d/r$ (or below it), zero from $d_{max}$ on",
    "bitshift": r"$D^+ = 2^{-i}$, $D^- = -\frac{3}{2} 2^{-i}$, $i$ the whole part of $d$",
    "mitchell": r"$D^+ = A(d)$, $D^- = -(2 A(d) + c)$ with steps $c$; $A(i + f) = (1 - f/2)/2^i$",
    "interp": r"between the knots $D(kr)$ a line; $D^-$ below $r$ exact",
    "pwl": r"lines with slopes of powers of two, each as long as the error allows",
    "balanced": r"$D^+ = \frac{11}{8} A(d) - \frac{3}{8} A(2d)$, "
                r"$D^- = -\frac{11}{8} A(d) - \frac{5}{4} A(2d)$, "
                r"for $d<1$ by Mitchell's logarithm",
    "cells": r"a step for each cell of $d$, found by [a search](../howto/rtl/designed-delta.md)",
}


# What a unit computes, by the end of its name.
UNIT_FORMULAS = {
    "xnor-unit": r"$c$, the number of equal bits of all words $a_k$ and $b_k$, and whether "
                 r"$c \ge t$",
    "mac-unit": r"$s = \sum_k x_k y_k$, a term a cycle from `i_start` to `i_last`",
    "dot": r"$s = \sum_{k<n} x_k y_k$ by a balanced tree",
    "systolic": r"$C_{ij} = \sum_k A_{ik} B_{kj}$ over `rows` by `columns` elements",
    "rescale": r"$m s$, with $m$ the multiplier of the sign of $s$, shifted right, rounded, moved "
               r"by the zero and clamped",
}


def operators() -> str:
    """Return the page of every operator."""
    lines = ["# Operators", "",
             "Each is one function over integers, from which kernels, Verilog and proofs are made. "
             "`lnsarith check NAME` measures its error, `lnsarith rtl gen NAME` writes it. The "
             "widths are of the ports in the format named. The largest error is a bound for the "
             "words that were tried, with default options, in units of the last place (ULP) of the "
             "result; half a unit is that of rounding. Gates are two-input gates and multiplexers "
             "in Yosys' default flow. `python -m benchmarks.hardware.catalogue` records both.", ""]
    for name, row in OPERATORS.items():
        f = parse_format(row.usual_format)
        ports = ", ".join(f"`{p.name}` {p.width}" for p in operator_ports(row, f, {}))
        lines += [f"## {name}", "", f"`{row.summary}` – {_doc(row.doc)}", "",
                  f"Ports in {row.usual_format}, in bits: {ports}.", "", *_options(row.options),
                  *results.catalogue_rows(name)]
    return "\n".join(lines) + "\n"


def units() -> str:
    """Return the page of every unit."""
    lines = ["# Units", "", "What is built around operators: registers, trees, arrays. "
             "`lnsarith rtl gen NAME`. Their words are those of the engine: each sum is, to the "
             "bit, one step of the operator after the other in the order that is told, so errors "
             "are those of the [operators](operators.md). Gates, flip-flops and depth with default "
             "options, in Yosys' default flow, or in the one named where that does not end; "
             "recorded by `python -m benchmarks.hardware.catalogue`.", ""]
    for name, row in UNITS.items():
        formula = next(f for end, f in UNIT_FORMULAS.items() if name.endswith(end))
        lines += [f"## {name}", "", f"{_escaped(row.summary)}: {formula}. Usual format "
                  f"{row.usual_format}.",
                  "", *_options(row.options), *results.catalogue_rows(name)]
    return "\n".join(lines) + "\n"


def deltas() -> str:
    """Return the page of every Delta method: formula, options, errors and gates recorded."""
    lines = ["# Delta methods", "",
             "With $d$ the distance of two logs, $D^+(d) = \\log_2(1 + 2^{-d})$ and $D^-(d) = "
             "\\log_2(1 - 2^{-d})$ move the larger log of a sum. How they are taken is an operator "
             "of its own, given as `--delta NAME:option=value,...`. One of your own is "
             "[a file of some thirty lines](../howto/own/own-delta.md).", ""]
    for name, method in METHODS.items():
        lines += [f"## {name}", "", _doc(inspect.cleandoc(method.__doc__ or "")), "",
                  FORMULAS[name] + ".", ""]
        fields = dataclasses.fields(method)
        if fields:
            lines += ["| option | default |", "|---|---|",
                      *(f"| `{x.name}` | {x.default} |" for x in fields), ""]
        lines += results.delta_rows(name)
    return "\n".join(lines) + "\n"


def _options(options) -> list[str]:
    if not options:
        return []
    rows = [f"| `{o.name}` | `{o.default}` | {_escaped(o.summary)}"
            f"{_listed(o.choices)} |" for o in options]
    return ["| option | default | |", "|---|---|---|", *rows, ""]


def _listed(choices) -> str:
    return ": " + ", ".join(f"`{c}`" for c in choices) if choices else ""


def _doc(text: str) -> str:
    """Return a docstring as Markdown: its code blocks stay blocks."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;").replace("$", "\\$")
