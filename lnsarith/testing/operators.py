"""An operator against its oracle: on every word of small formats, in every reading of its spec."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from fxp.run.backend import BACKENDS, elementwise
from fxp.trace.circuit import evaluate
from lnsarith.catalogue.bench.operands import choices, every, sampled
from lnsarith.catalogue.operator import Operator
from lnsarith.catalogue.operators import OPERATORS, find, parse_format
from lnsarith.plugins.load import load_plugin
from lnsarith.testing.hardware import check_hardware
from lnsarith.testing.report import Report, demand_same, given

__all__ = ["check_operator", "compare"]

SMALL = {"fixed": ("fixed6.3", "fixed8.0", "ufixed6.6"), "lns": ("lns6.2", "lns8.3")}
ALL = 1 << 16  # combinations of words up to which all are tried


def check_operator(plugin, operator: str, oracle: Callable[..., int],
                   formats: Iterable[str] | None = None,
                   options: Iterable[Mapping[str, str]] = ({},), hardware: bool = True) -> Report:
    """Return what was compared of an operator; AssertionError where something differs.

    plugin is the file that brings it, None for one that is known. oracle takes the operands by
    name and, as far as it has them as parameters, the format's bits, frac and signed and the
    options by name (a format as NAME_bits, NAME_frac, NAME_signed); it returns the word.
    formats are small ones: of up to 2^16 combinations of words all are tried, of more
    corners and random ones. options has one mapping for each set that is tried. hardware adds
    the Verilog of the first format with the first options.
    """
    if plugin is not None:
        load_plugin(plugin)
    row = OPERATORS.get(operator) or find(operator)
    tried, report = tuple(formats or SMALL[row.family]), Report(row.name, backends=BACKENDS)
    sets = [dict(each) for each in options]
    for text in tried:
        f = parse_format(text)
        for each in sets:
            right = _bound(row, oracle, f, each)
            key = f"{f}{given(each)}"
            report.compared[key] = compare(row, f, each, right)
    if hardware:
        check_hardware(report, row.name, tried[0], sets[0])
    return report


def compare(row: Operator, f, options: Mapping, right: Callable[..., int]) -> int:
    """Return how many combinations of words were compared with right(**words), by integers, and
    by every backend; AssertionError where they differ."""
    ports = row.ports(f, **options)
    circuit, count = row.circuit(f, **options), 0
    chunks = every(ports) if choices(ports) <= ALL else sampled(ports, ALL, 0)
    for words in chunks:
        columns = [words[name].tolist() for name in ports]
        operands = [dict(zip(ports, case)) for case in zip(*columns)]
        truth = [right(**case) for case in operands]
        place = f"{row.name} in {f}{given(options)}"
        ints = [evaluate(circuit, **case) for case in operands]
        count += demand_same(f"{place}, on integers", zip(operands, ints, truth))
        arrays = {name: np.asarray(words[name], np.int64) for name in ports}
        for backend in BACKENDS:
            found = np.broadcast_to(elementwise(circuit, arrays, backend=backend), len(truth))
            demand_same(f"{place}, by {backend}", zip(operands, found.tolist(), truth))
    return count


def _bound(row: Operator, oracle: Callable[..., int], f, options: Mapping) -> Callable[..., int]:
    """Return the oracle with all that it takes besides words."""
    settings = row.settings(options)
    known = {**dataclasses.asdict(f), **settings}
    for name, value in settings.items():
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            known |= {f"{name}_{k}": v for k, v in dataclasses.asdict(value).items()}
    rest = {k: known[k] for k in inspect.signature(oracle).parameters if k in known}
    return lambda **words: oracle(**words, **rest)
