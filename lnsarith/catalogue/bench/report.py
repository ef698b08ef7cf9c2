"""An operator against real arithmetic: how far off it is, where, and how often.

    report = check("lns-add", Lns(16, 10), {"delta": "lut:r=1/4"})
    report.max_ulp, report.bias_ulp, report.counts["zeroed"], report.worst

An error is result minus truth. Its unit, the ULP, is 2**-frac of the result's
format: of the value if fixed-point, of log2 of the magnitude if logarithmic.
What has no error in that sense is counted instead, see `Report`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from fxp.format import FormatError, check_integer
from lnsarith.catalogue.bench.bench import COUNTS, Bench, Case
from lnsarith.catalogue.bench.operands import LIMIT, SAMPLES, choices, every, sampled
from lnsarith.catalogue.operator import Operator

__all__ = ["Report", "check"]

@dataclass
class Report:
    """How an operator errs.

    counts has the keys of COUNTS. Of a logarithmic result, only those that have
    the truth's sign, are not zero and did not saturate (or get raised) are
    compared; the other counts say what became of the rest. Of a fixed-point
    result all but the saturated and wrapped are compared, zeros included. The
    mean is of magnitudes, the bias of signed errors: upwards if fixed-point, away
    from zero if logarithmic. Relative errors leave out a truth of zero.
    exhaustive: every combination of words was tried, once.
    """

    operator: str
    summary: str
    f: str
    output: str
    options: dict[str, str]
    count: int
    combinations: int
    exhaustive: bool
    seed: int
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    max_ulp: float = 0.0
    mean_ulp: float = 0.0
    rms_ulp: float = 0.0
    bias_ulp: float = 0.0
    max_relative: float = 0.0
    mean_relative: float = 0.0
    rms_relative: float = 0.0
    bias_relative: float = 0.0
    worst: Case | None = None
    worst_relative: Case | None = None

    def as_dict(self) -> dict:
        """Return plain data for JSON."""
        return asdict(self)


def check(operator: Operator | str, f, options: Mapping | None = None,
          samples: int | None = None, exhaustive: bool = False, seed: int = 0) -> Report:
    """Return the Report of an operator in a format f, run as a compiled kernel.

    Words are corners and patterns in every combination (at most half the
    samples), then uniformly random; every combination once if `exhaustive`, or if
    there are no more of them than samples (by default 2**20). Raises FormatError
    for options that do not fit and for more than 2**28 combinations.
    """
    if exhaustive and samples is not None:
        raise FormatError("give a number of samples or exhaustive, not both")
    check_integer("seed", seed, 0, 2**63 - 1)
    wanted = check_integer("samples", SAMPLES if samples is None else samples, 1, 2**40)
    bench = Bench(operator, f, options or {})
    total = choices(bench.ports)
    if exhaustive and total > LIMIT:
        raise FormatError(f"{bench.operator.name} has 2**{total.bit_length() - 1} combinations "
                          f"of words in {f}, more than 2**28; use --samples N")
    exhaustive = exhaustive or total <= wanted
    tally = _Tally(bench)
    for words in every(bench.ports) if exhaustive else sampled(bench.ports, wanted, seed):
        tally.add(words)
    settings = {name: str(value) for name, value in bench.settings.items()}
    return tally.into(Report(bench.operator.name, bench.operator.summary, str(f),
                             str(bench.output), settings, tally.count, total, exhaustive, seed))


class _Tally:
    """Sums, extremes and counts over chunks of words."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self.count = 0
        self.relative_count = 0
        self.counts = dict.fromkeys(COUNTS, 0)
        self.sums = np.zeros((2, 3))
        self.worst: list[tuple[float, dict | None]] = [(0.0, None), (0.0, None)]

    def add(self, words: Mapping):
        """Judge one chunk."""
        judged = self.bench.judge(words)
        self.count += judged.error.size
        self.relative_count += judged.relative_count
        for name, mask in judged.masks.items():
            self.counts[name] += int(np.count_nonzero(mask))
        magnitudes = np.abs(judged.error), np.abs(judged.relative)
        self.sums += [(size.sum(), signed @ signed, signed.sum()) for size, signed
                      in zip(magnitudes, (judged.error, judged.relative))]
        for i, size in enumerate(magnitudes):
            at = int(size.argmax())
            if size[at] > self.worst[i][0]:
                self.worst[i] = float(size[at]), {n: int(w[at]) for n, w in words.items()}

    def into(self, report: Report) -> Report:
        """Return the report with its numbers filled in."""
        counts = (self.counts["compared"], self.relative_count)
        names = (("mean_ulp", "rms_ulp", "bias_ulp"),
                 ("mean_relative", "rms_relative", "bias_relative"))
        means: dict[str, Any] = {}
        for keys, sums, n in zip(names, self.sums.tolist(), counts):
            means.update(zip(keys, (total / max(n, 1) for total in sums)))
            means[keys[1]] = math.sqrt(means[keys[1]])
        cases = [self.bench.case(words) if words else None for _, words in self.worst]
        return replace(report, count=self.count, counts=self.counts, **means,
                       max_ulp=self.worst[0][0], max_relative=self.worst[1][0],
                       worst=cases[0], worst_relative=cases[1])
