"""Tables of text as aligned lines, CSV, LaTeX (booktabs) and plain data."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

__all__ = ["as_csv", "as_latex", "as_text"]

Rows = Sequence[Sequence[str]]
_ESCAPES = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
            "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
            "±": r"$\pm$"}


def as_text(head: Sequence[str], rows: Rows) -> str:
    """Return lines of columns; what is a number in every row stands at the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    right = [bool(rows) and all(_numeric(c) for c in column[1:]) for column in zip(*lines)]
    return "\n".join("  ".join(
        cell.rjust(width) if at_right else cell.ljust(width)
        for cell, width, at_right in zip(line, widths, right)).rstrip() for line in lines)


def as_csv(head: Sequence[str], rows: Rows) -> str:
    """Return comma-separated values with a line of names, without the last line's end."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    return out.getvalue().rstrip("\n")


def as_latex(head: Sequence[str], rows: Rows) -> str:
    """Return a tabular with the rules of the package booktabs."""
    columns = ["r" if rows and all(_numeric(row[i]) for row in rows) else "l"
               for i in range(len(head))]
    body = [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
    return "\n".join([rf"\begin{{tabular}}{{{''.join(columns)}}}", r"\toprule",
                      " & ".join(map(_escaped, head)) + r" \\", r"\midrule", *body,
                      r"\bottomrule", r"\end{tabular}"])


def _numeric(cell: str) -> bool:
    return not cell or cell[0].isdigit() or (cell[0] in "+-" and cell[1:2].isdigit()) or (
        cell in ("-", ""))


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text)
