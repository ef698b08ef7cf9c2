"""The bench of `check`: an operator, compiled, and the judge of its results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fxp.format import Fixed, word_dtype
from fxp.run.execute import bind_map
from fxp.trace.plans import MapPlan
from lnsarith.catalogue.operator import Operator
from lnsarith.catalogue.operators import find
from lnsarith.catalogue.real import LN2, Real, as_float, as_real, decode
from lnsarith.lns.format import Lns

__all__ = ["COMPARED_FIXED", "COUNTS", "Bench", "Case", "Judgement", "judge_fixed", "judge_lns"]

COUNTS = {
    "compared": "results whose error is measured",
    "saturated": "at the end of the format, the truth lies beyond it",
    "wrapped": "around the end of the format",
    "zeroed": "zero, the truth is not",
    "cancelled": "of the zeroed, the truth is in range",
    "raised": "at the smallest magnitude, the truth lies below",
    "both_zero": "zero, as is the truth",
    "nonzero": "not zero, the truth is",
    "wrong_sign": "of the wrong sign",
    "undefined": "where the real function has no value",
}

# Of fixed-point results these are compared too; of logarithmic ones each is counted apart,
# and but for the cancelled all add up.
COMPARED_FIXED = ("zeroed", "both_zero", "nonzero", "wrong_sign", "cancelled")


@dataclass
class Case:
    """One set of operands: words, values, what came, the truth, and the error.

    Values that float64 does not hold are None; an error that is none is 0.
    """

    words: dict[str, int]
    values: dict[str, float | None]
    result_word: int
    result: float | None
    truth: float | None
    error_ulp: float
    relative: float


class Bench:
    """An operator with its options, compiled, and its judge."""

    def __init__(self, operator: Operator | str, f, options: Mapping):
        self.operator = find(operator) if isinstance(operator, str) else operator
        self.f = f
        self.settings = self.operator.settings(options)
        self.formats = self.operator.port_formats(f, **self.settings)
        self.output = self.operator.output_format(f, **self.settings)
        self.ports = self.operator.ports(f, **self.settings)
        self.circuit = self.operator.circuit(f, **self.settings)
        nodes = {**self.circuit.inputs, **self.circuit.outputs}
        self.dtypes = {name: word_dtype(node.low, node.high) for name, node in nodes.items()}
        self.plan = MapPlan(self.circuit, self.dtypes)
        self.bound: dict[int, tuple] = {}

    def run(self, words: Mapping) -> np.ndarray:
        """Return the words of the results, int64, for arrays of words of one size."""
        size = next(iter(words.values())).size
        if size not in self.bound:
            arrays = {n: np.empty(size, dtype) for n, dtype in self.dtypes.items()}
            self.bound[size] = arrays, bind_map(self.plan, arrays)
        arrays, call = self.bound[size]
        for name, column in words.items():
            arrays[name][...] = column
        call()
        return arrays["out"].astype(np.int64)

    def truth(self, words: Mapping):
        """Return the real function of the words' values, exact but for float64."""
        values = {n: decode(words[n], form) for n, form in self.formats.items()}
        return self.operator.truth(values, self.f, **self.settings)

    def judge(self, words: Mapping) -> Judgement:
        """Return how each result errs."""
        out, truth = self.run(words), self.truth(words)
        if isinstance(self.output, Lns):
            return judge_lns(decode(out, self.output), as_real(truth), self.output)
        return judge_fixed(out, as_float(truth), self.output)

    def case(self, words: dict[str, int]) -> Case:
        """Return one set of words in full."""
        arrays = {n: np.array([w]) for n, w in words.items()}
        judged, out = self.judge(arrays), self.run(arrays)
        values = {n: _number(decode(arrays[n], form)) for n, form in self.formats.items()}
        return Case(words, values, int(out[0]), _number(decode(out, self.output)),
                    _number(self.truth(arrays)), float(judged.error[0]),
                    float(judged.relative[0]))


@dataclass
class Judgement:
    """Errors in ULP and relative ones (0 where `compared` is false), and masks by the
    names of COUNTS; relative_count is how many have a relative error."""

    error: np.ndarray
    relative: np.ndarray
    relative_count: int
    masks: dict[str, np.ndarray]


def judge_lns(result: Real, truth: Real, f: Lns) -> Judgement:
    """Return the judgement of logarithmic results."""
    unit = 2.0**f.frac
    # Beyond an end is beyond it by more than float64 errs.
    low, high = (f.zero_log + 1 - 1e-6) / unit, (f.high_log + 1e-6) / unit
    least, most = (f.zero_log + 1) / unit, f.high_log / unit
    undefined = np.isnan(truth.log)
    zero, none = result.sign == 0, (truth.sign == 0) & ~undefined
    zeroed = zero & ~none & ~undefined
    saturated = (truth.log > high) & (result.log == most) & (result.sign == truth.sign)
    raised = (truth.log < low) & (result.log == least) & ~none & (result.sign == truth.sign)
    compared = (result.sign * truth.sign > 0) & ~saturated & ~raised & ~undefined
    with np.errstate(invalid="ignore"):
        step = np.where(compared, result.log - truth.log, 0.0)
    masks = {"compared": compared, "saturated": saturated, "zeroed": zeroed,
             "cancelled": zeroed & (truth.log >= low), "raised": raised,
             "both_zero": zero & none, "nonzero": ~zero & none,
             "wrong_sign": (result.sign * truth.sign < 0) & ~undefined, "undefined": undefined}
    return Judgement(step * unit, np.expm1(step * LN2), int(compared.sum()), masks)


def judge_fixed(out: np.ndarray, truth: np.ndarray, f: Fixed) -> Judgement:
    """Return the judgement of fixed-point results, given as words."""
    units = truth * (1 << f.frac)
    error = out - units
    zero, none, undefined = out == 0, units == 0, np.isnan(units)
    saturated = ((units > f.high) & (out == f.high)) | ((units < f.low) & (out == f.low))
    wrapped = (np.abs(error) >= 1 << (f.bits - 1)) & ~saturated
    compared = ~(saturated | wrapped | undefined)
    zeroed = zero & compared & ~none
    divisible = compared & ~none
    masks = {"compared": compared, "saturated": saturated, "wrapped": wrapped,
             "zeroed": zeroed, "cancelled": zeroed & (np.abs(units) >= 1),
             "both_zero": zero & none, "nonzero": compared & none & ~zero,
             "wrong_sign": compared & (out * units < 0), "undefined": undefined}
    error = np.where(compared, error, 0.0)
    relative = np.divide(error, np.abs(units), out=np.zeros_like(error), where=divisible)
    return Judgement(error, relative, int(divisible.sum()), masks)


def _number(values) -> float | None:
    """Return the only one of values as a float, None where that is not finite."""
    value = float(as_float(values)[0])
    return value if math.isfinite(value) else None
