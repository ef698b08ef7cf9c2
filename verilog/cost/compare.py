"""Costs side by side: multiply-accumulate in every arithmetic, and every operator."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from fxp.format import FormatError
from lnsarith.catalogue.operators import OPERATORS, find, parse_format
from verilog import tools
from verilog.cost.synth import Cost, flows_of, smallest, synthesise
from verilog.design.design import operator_design

__all__ = ["BITS", "METHODS", "Row", "compare", "rows_of_macs", "rows_of_operators"]

BITS = (8, 12, 16)
METHODS = ("exact", "interp", "pwl", "balanced", "mitchell", "lut", "bitshift")
SECONDS = 400.0  # for one run of Yosys


@dataclass(frozen=True)
class Row:
    """One line of the comparison: an operator in a format, and what it costs.

    best is the cheapest of the flows, plain the default one; `failed` says why there is
    neither.
    """

    operator: str
    bits: int
    method: str = ""
    best: Cost | None = None
    plain: Cost | None = None
    failed: str = ""
    options: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.operator} {self.method}".strip()

    def as_dict(self) -> dict:
        return {"operator": self.operator, "bits": self.bits, "method": self.method,
                "best": self.best and self.best.as_dict(),
                "plain": self.plain and self.plain.as_dict(), "failed": self.failed}


def rows_of_macs(bits: Sequence[int] = BITS) -> list[Row]:
    """Return the rows of acc + x * y: fixed-point, and LNS with every delta method."""
    rows = []
    for b in bits:
        rows.append(Row("fixed-mac", b))
        rows += [Row("lns-mac", b, m, options={"delta": m}) for m in METHODS]
    return rows


def rows_of_operators(bits: Sequence[int] = (16,)) -> list[Row]:
    """Return the rows of all other operators, with their default options."""
    return [Row(name, b) for name in OPERATORS for b in bits
            if name not in ("fixed-mac", "lns-mac")]


def compare(rows: Sequence[Row], seconds: float = SECONDS) -> Iterator[Row]:
    """Yield the rows in order with their gates, each when it is done; several are counted
    at a time.

    A design that takes longer than `seconds`, or cannot be, has its reason in `failed`.
    Whoever stops asking stops the tools.
    """
    pool = ThreadPoolExecutor(max(1, min(8, os.cpu_count() or 1)))
    futures = [pool.submit(_counted, row, seconds) for row in rows]
    try:
        for future in futures:
            yield future.result()
    finally:  # in a thread, which a second interrupt does not reach
        ending = threading.Thread(target=_end, args=(pool, futures))
        ending.start()
        ending.join()


def _end(pool: ThreadPoolExecutor, futures: Sequence[Future]) -> None:
    """Begin nothing more, and stop the tools that run, until none does."""
    pool.shutdown(wait=False, cancel_futures=True)
    while any(f.running() for f in futures):
        tools.stop()
        time.sleep(0.05)


def _counted(row: Row, seconds: float) -> Row:
    operator = find(row.operator)
    name = operator.usual_format
    kind = name.rstrip("0123456789.")
    given = f"{kind}{row.bits}" + (".0" if kind == "ufixed" else "")
    try:
        design = operator_design(operator, parse_format(given), row.options)
        costs = [synthesise(design, flow=flow, seconds=seconds) for flow in flows_of(design)]
    except (FormatError, tools.ToolError) as error:
        return Row(row.operator, row.bits, row.method, failed=str(error), options=row.options)
    plain = next(c for c in costs if c.flow == "plain")
    return Row(row.operator, row.bits, row.method, smallest(costs), plain, options=row.options)
